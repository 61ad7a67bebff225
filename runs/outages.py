"""How a use case outlasts an outage: PostgreSQL or Redis away is waited for, not failed on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, close_old_connections
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from workers.errors import RedisUnreachable

logger = logging.getLogger("loadlab")

PAUSE_S = 0.25

_P = ParamSpec("_P")
_T = TypeVar("_T")


class GaveUp(Exception):
    """Redis was still away when the asking was to end."""


async def outlast_redis(
    ask: Callable[[], Awaitable[_T]], *, until: Callable[[], bool] = lambda: False
) -> _T:
    """The answer of Redis however long it is away; GaveUp once `until()` holds first.

    What Redis refuses (ResponseError) is an answer too and is raised, unless it is still loading.
    """
    said = False
    while not until():
        try:
            return await ask()
        except (RedisError, RedisUnreachable, OSError, TimeoutError) as error:
            if isinstance(error, ResponseError) and not isinstance(error, RedisConnectionError):
                raise
            if not said:
                logger.warning("redis_away error=%s", error)
                said = True
        await asyncio.sleep(PAUSE_S)
    raise GaveUp


async def in_database(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run a sync function of the ORM on its thread, again and again while PostgreSQL is away.

    So `work` must bear being run twice: it may have committed before the answer was lost.
    """
    said = False
    while True:
        try:
            return await sync_to_async(_with_live_connection(work))(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            if not said:
                logger.warning("postgres_away error=%s", str(error).strip().splitlines()[:1])
                said = True
        await asyncio.sleep(PAUSE_S)


def _with_live_connection(work: Callable[_P, _T]) -> Callable[_P, _T]:
    def attempt(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        close_old_connections()
        return work(*args, **kwargs)

    return attempt
