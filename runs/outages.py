"""How a use case outlasts an outage: PostgreSQL or Redis away is waited for, not failed on."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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


@dataclass(slots=True, kw_only=True)
class Outage:
    """Whether a server is away from this process: one line of log when it goes, one on its return.

    why for the process and not for each that asks: a daemon asks from a dozen places.
    """

    server: str
    since: float | None = None

    def met(self, error: Exception) -> None:
        """It did not answer."""
        if self.since is None:
            self.since = time.monotonic()
            said = str(error).strip().splitlines() or [type(error).__name__]
            logger.warning("%s_away error=%r", self.server, said[0])

    def over(self) -> None:
        """It has answered."""
        if self.since is not None:
            away_s, self.since = time.monotonic() - self.since, None
            logger.warning("%s_back away_s=%.1f", self.server, away_s)


REDIS = Outage(server="redis")
POSTGRES = Outage(server="postgres")


async def outlast_redis(
    ask: Callable[[], Awaitable[_T]], *, until: Callable[[], bool] = lambda: False
) -> _T:
    """The answer of Redis however long it is away; GaveUp once `until()` holds first.

    What Redis refuses (ResponseError) is an answer too and is raised, unless it is still loading.
    """
    while not until():
        try:
            answer = await ask()
        except (RedisError, RedisUnreachable, OSError, TimeoutError) as error:
            if isinstance(error, ResponseError) and not isinstance(error, RedisConnectionError):
                raise
            REDIS.met(error)
        else:
            REDIS.over()
            return answer
        await asyncio.sleep(PAUSE_S)
    raise GaveUp


async def in_database(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run a sync function of the ORM on its thread, again and again while PostgreSQL is away.

    So `work` must bear being run twice: it may have committed before the answer was lost.
    """
    while True:
        try:
            answer = await sync_to_async(_with_live_connection(work))(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            POSTGRES.met(error)
        else:
            POSTGRES.over()
            return answer
        await asyncio.sleep(PAUSE_S)


def _with_live_connection(work: Callable[_P, _T]) -> Callable[_P, _T]:
    def attempt(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        close_old_connections()
        return work(*args, **kwargs)

    return attempt
