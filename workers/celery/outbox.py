"""What is still to be told to Celery's tools? Held, sent in batches, dropped but never waited for.

The worker only ever appends here. A background task sends every 100 ms what has gathered: events of
tasks as `task-multi` lists, mirrored results as keys. While Redis is away the newest are kept.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from workers.celery import envelope
from workers.celery.envelope import Channels, to_json
from workers.celery.events import Event

FLUSH_S = 0.1
CAPACITY = 10_000  # events; about 10 MB of typical ones
KEPT_BYTES = 16 * 2**20  # of results
PER_MESSAGE = 250
MESSAGES_PER_FLUSH = 4
PATIENCE = 10  # times that one batch is tried: it may be the batch that cuts the connection
LONGEST_PAUSE_S = 5.0

_AWAY = (RedisConnectionError, RedisTimeoutError, OSError)

_MIRROR = Path(__file__).with_name("mirror.lua").read_text(encoding="utf-8")

logger = logging.getLogger("loadlab.workers")

Message = tuple[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """A task's state for AsyncResult; `began` says of one that passes which attempt it tells of."""

    document: bytes
    began: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """What one flush sends."""

    events: list[Event]
    results: list[tuple[str, Mirrored]]
    urgent: list[Message]

    @property
    def size(self) -> int:
        return len(self.events) + len(self.results) + len(self.urgent)


@dataclass(slots=True, kw_only=True)
class Outbox:
    """What one worker process has to tell; `lost` counts what it could not."""

    channels: Channels
    hostname: str
    results_ttl_s: int
    told: int = 0
    lost: int = 0
    _events: deque[Event] = field(default_factory=deque)
    _results: dict[str, Mirrored] = field(default_factory=dict)
    _kept_bytes: int = 0
    _urgent: list[Message] = field(default_factory=list)
    _filled: asyncio.Event = field(default_factory=asyncio.Event)
    _failures: int = 0

    def tell(self, event: Event) -> None:
        """Have a task's event sent; the oldest one goes where there is no room."""
        if len(self._events) >= CAPACITY:
            self._events.popleft()
            self.lost += 1
        self._events.append(event)
        self._filled.set()

    def tell_at_once(self, event: Event) -> None:
        """Have a worker's event sent, each in a message of its own as Celery does."""
        self._urgent = [*self._urgent[-7:], self._message(event["type"], event)]
        self._filled.set()

    def keep(self, task_id: str, mirrored: Mirrored) -> None:
        """Have a task's state mirrored; only its latest one is written."""
        self._drop(task_id)
        self._results[task_id] = mirrored
        self._kept_bytes += len(mirrored.document)
        while self._kept_bytes > KEPT_BYTES:
            self._drop(next(iter(self._results)))
            self.lost += 1
        self._filled.set()

    @property
    def is_empty(self) -> bool:
        """Whether everything has been sent."""
        return not (self._events or self._results or self._urgent)

    async def deliver(self, redis: Redis) -> None:
        """Send what gathers, for ever; while Redis fails, less and less often."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(FLUSH_S)
            self._filled.clear()
            while not self.is_empty:
                try:
                    await self.flush(redis)
                except Exception as failure:  # noqa: BLE001 - nothing here may end the worker
                    await asyncio.sleep(self._pause_after(failure))

    async def flush(self, redis: Redis) -> None:
        """Send one batch; it stays here if that fails."""
        batch = self._next()
        async with redis.pipeline(transaction=False) as pipe:
            for channel, message in self._messages(batch):
                pipe.publish(channel, message)
            self._mirror(pipe, batch.results)
            await pipe.execute()
        self._forget(batch)
        self.told += batch.size
        self._failures = 0

    def last_words(self) -> list[Message]:
        """What is left to be published, for a process that ends without an event loop."""
        return self._messages(self._next())

    def _next(self) -> _Batch:
        most = PER_MESSAGE * MESSAGES_PER_FLUSH
        return _Batch(
            events=list(islice(self._events, most)),
            results=list(islice(self._results.items(), most)),
            urgent=list(self._urgent),
        )

    def _messages(self, batch: _Batch) -> list[Message]:
        lists = [
            batch.events[start : start + PER_MESSAGE]
            for start in range(0, len(batch.events), PER_MESSAGE)
        ]
        # why tasks first: after worker-offline they would bring the worker back to life
        return [*(self._message("task-multi", events) for events in lists), *batch.urgent]

    def _message(self, kind: str, body: Event | list[Event]) -> Message:
        packed = envelope.pack(
            to_json(body),
            exchange=envelope.EVENTS,
            routing_key=kind.replace("-", "."),
            headers={"hostname": self.hostname},
        )
        return self.channels.event(kind), packed

    def _mirror(self, pipe: Pipeline, kept: list[tuple[str, Mirrored]]) -> None:
        passing: dict[str, tuple[bytes, str]] = {}
        for task_id, mirrored in kept:
            key = self.channels.result(task_id)
            if mirrored.began is None:
                pipe.set(key, mirrored.document, ex=self.results_ttl_s)
                # why published too: a client that waits for the result listens on this channel
                pipe.publish(key, mirrored.document)
            else:
                passing[key] = mirrored.document, mirrored.began
        if passing:
            told: list[Any] = [part for pair in passing.values() for part in pair]
            pipe.eval(_MIRROR, len(passing), *passing, str(self.results_ttl_s), *told)

    def _forget(self, batch: _Batch) -> None:
        # why by identity: while Redis answered, more was appended and the oldest may have gone
        for event in batch.events:
            if self._events and self._events[0] is event:
                self._events.popleft()
        for task_id, mirrored in batch.results:
            if self._results.get(task_id) is mirrored:
                self._drop(task_id)
        sent = set(map(id, batch.urgent))
        self._urgent = [message for message in self._urgent if id(message) not in sent]

    def _drop(self, task_id: str) -> None:
        if task_id in self._results:
            self._kept_bytes -= len(self._results.pop(task_id).document)

    def _pause_after(self, failure: Exception) -> float:
        """Note a failure; seconds to wait before the next try."""
        self._failures += 1
        if self._failures == 1:
            logger.warning("celery_events_held_back error=%r", failure)
        if self._failures % PATIENCE == 0 or not isinstance(failure, _AWAY):
            batch = self._next()
            self._forget(batch)
            self.lost += batch.size
            logger.warning("celery_events_lost lost=%d error=%r", self.lost, failure)
        return min(LONGEST_PAUSE_S, 0.1 * 2.0 ** min(self._failures, 10))
