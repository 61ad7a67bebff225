"""When does a worker speak to Celery's tools, and what may that cost it? Never a job, never itself.

arq ends the whole process when a hook raises. Every entry here is guarded, everything that waits
for Redis runs in tasks of its own, and the process says that it leaves even where arq's shutdown
does not come that far.
"""

import asyncio
import atexit
import contextlib
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from arq.jobs import Deserializer
from redis.asyncio import Redis

from workers.celery import connection
from workers.celery.control import Control
from workers.celery.envelope import Channels
from workers.celery.events import HEARTBEAT_S, Events
from workers.celery.options import Options
from workers.celery.outbox import Outbox
from workers.celery.serving import Serving
from workers.celery.watch import Job, Watch

LEAVE_S = 1.0

logger = logging.getLogger("loadlab.workers")

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _guarded(
    entry: "Callable[Concatenate[Bridge, _P], _T]",
) -> "Callable[Concatenate[Bridge, _P], _T | None]":
    @functools.wraps(entry)
    def guarded(bridge: "Bridge", /, *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        try:
            return entry(bridge, *args, **kwargs)
        except Exception as fault:  # noqa: BLE001 - why any: arq would end the worker
            bridge.note(fault)
            return None

    return guarded


@dataclass(slots=True, kw_only=True)
class Bridge:
    """What connects one worker process with Celery's tools; nothing before `start`."""

    serving: Serving
    options: Options
    deserializer: Deserializer | None = None
    faults: int = 0
    watch: Watch | None = None
    _arqs: Redis | None = None
    _own: Redis | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, arqs: Redis) -> None:
        """Say that the worker is there, and begin to tell and to listen."""
        if self.watch is not None:
            return  # a second worker of this class in one process: one bridge tells of both
        try:
            self._begin(arqs)
        except Exception as fault:  # noqa: BLE001 - why any: a worker without Flower still works
            self.watch = None
            self.note(fault)

    async def stop(self) -> None:
        """Tell what is left and that the worker leaves; a second at most."""
        watch, own = self.watch, self._own
        if watch is None or own is None:
            return
        self.watch = None
        try:
            async with asyncio.timeout(LEAVE_S):
                await _ended(self._tasks)
                watch.leave()
                while not watch.outbox.is_empty:
                    await watch.outbox.flush(own)
        except Exception as failure:  # noqa: BLE001 - shutting down must go on
            logger.info("celery_left_unheard error=%r", failure)
        level = logging.WARNING if watch.outbox.lost else logging.INFO
        logger.log(level, "celery_left told=%d lost=%d", watch.outbox.told, watch.outbox.lost)
        atexit.unregister(self._leave_without_a_loop)
        with contextlib.suppress(Exception):
            await own.aclose()

    @_guarded
    def began(
        self, ctx: Mapping[str, Any], *, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Job | None:
        """A job's coroutine is about to run."""
        return (
            None
            if self.watch is None
            else self.watch.begin(ctx, name=name, args=args, kwargs=kwargs)
        )

    @_guarded
    def serialised(self, document: Mapping[str, Any]) -> None:
        """arq's serialiser has packed a result."""
        if self.watch is not None:
            self.watch.finish(document)

    @_guarded
    def ended(self, ctx: Mapping[str, Any]) -> None:
        """arq has let go of a job."""
        if self.watch is not None:
            self.watch.end(ctx["job_id"])

    def note(self, fault: Exception) -> None:
        """Log an error of ours, once: it would come again with every job."""
        self.faults += 1
        if self.faults == 1:
            logger.error("celery_bridge_fault", exc_info=fault)

    def _begin(self, arqs: Redis) -> None:
        channels = Channels(
            database=connection.database_of(arqs),
            key_prefix=self.options.key_prefix,
            fanout_prefix=self.options.fanout_prefix,
        )
        hostname = self.serving.hostname
        watch = Watch(
            serving=self.serving,
            options=self.options,
            events=Events(
                hostname=hostname, queue=self.serving.queue, software=self.serving.software
            ),
            outbox=Outbox(
                channels=channels, hostname=hostname, results_ttl_s=self.options.results_ttl_s
            ),
        )
        self._arqs, self._own = arqs, connection.own_connection(arqs)
        control = Control(
            redis=self._own, watch=watch, channels=channels, deserializer=self.deserializer
        )
        self._tasks = [
            asyncio.create_task(run)
            for run in (watch.outbox.deliver(self._own), _beat(watch), self._listening(control))
        ]
        self.watch = watch
        watch.arrive()
        atexit.register(self._leave_without_a_loop)

    async def _listening(self, control: Control) -> None:
        if self.options.events or self.options.control:
            await control.listen()

    def _leave_without_a_loop(self) -> None:
        """Say what `stop` would have said: arq's shutdown can fail while jobs are cancelled."""
        watch, arqs, self.watch = self.watch, self._arqs, None
        if watch is None or arqs is None:
            return
        with contextlib.suppress(Exception):
            watch.leave()
            connection.publish_now(arqs, watch.outbox.last_words())


async def _beat(watch: Watch) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        watch.beat()


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
