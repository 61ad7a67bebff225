"""Do PostgreSQL and Redis answer? Asked with short patience, whatever they do.

Each is asked on a thread of its own, of which there are few: one that hangs cannot hold up the
answer, and many that hang cannot fill the process.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import psycopg
from django.db import connection

from workers.client import QueueClient

PATIENCE_S = 1.5
_OWN_PATIENCE_S = 2  # the least that libpq knows; the thread is free again after it

logger = logging.getLogger("loadlab")
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="readiness")


def unready() -> dict[str, str]:
    """A sentence for each dependency that does not answer, by name; empty where all do."""
    asked = {name: _threads.submit(ask) for name, ask in _DEPENDENCIES.items()}
    wait(asked.values(), timeout=PATIENCE_S)
    found = {name: _complaint(name, answer) for name, answer in asked.items()}
    return {name: sentence for name, sentence in found.items() if sentence}


def _complaint(name: str, answer: "Future[None]") -> str:
    if answer.cancel() or not answer.done():
        reason = f"no answer within {PATIENCE_S:g} s"
    elif answer.cancelled() or answer.exception() is None:
        return ""
    else:
        reason = type(answer.exception()).__name__
        # why in the log alone: anybody may ask, and the error names hosts
        logger.warning("not_ready dependency=%s error=%s", name, str(answer.exception())[:200])
    return f"{name} cannot be used ({reason}): the log says where it was looked for."


def _ask_database() -> None:
    """Connect, which a server answers only once it can be used."""
    parameters: dict[str, Any] = connection.get_connection_params()
    for ours in ("cursor_factory", "context"):
        parameters.pop(ours, None)
    psycopg.connect(**{**parameters, "connect_timeout": _OWN_PATIENCE_S}).close()


def _ask_redis() -> None:
    asyncio.run(_ping())


async def _ping() -> None:
    async with asyncio.timeout(PATIENCE_S), QueueClient.connect():
        """It has answered once it is open."""


_DEPENDENCIES: dict[str, Callable[[], None]] = {"database": _ask_database, "redis": _ask_redis}
