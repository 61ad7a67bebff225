"""What does a collector hold of a run, and how do results become rows before they leave Redis?"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from runs.arrivals import Arrivals
from runs.incoming import as_row
from runs.models import LoadTestRun
from runs.models.daemon import DaemonRole
from runs.models.ingest import IncomingTask, ingest
from runs.models.run import LEASE
from runs.observe import Observer
from runs.outages import GaveUp, in_database, outlast_redis
from runs.outstanding import Outstanding
from runs.states import TaskState
from workers.client import QueueClient
from workers.ids import task_id

IDS_PER_CALL = 500
ROWS_PER_COPY = 5_000

logger = logging.getLogger("loadlab")
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Collection:
    """The state of one run's collection."""

    run: LoadTestRun
    owner: str
    client: QueueClient
    observer: Observer
    outstanding: Outstanding
    arrivals: Arrivals
    waiting: list[IncomingTask] = field(default_factory=list)
    storing: "asyncio.Task[None] | None" = None
    last_hit: float = field(default_factory=time.monotonic)
    gone_since: float | None = None
    renewed: float = 0.0
    taken_away_as: TaskState | None = None  # what a task is that we took away; None: we take none
    goes_on: bool = False  # with a run that another collector has begun

    @property
    def queue(self) -> str:
        """The queue that the run has to itself."""
        return str(self.run.target_queue)

    async def redis(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer of Redis, however long it is away; the lease is renewed meanwhile."""
        while True:
            await self.keep_lease()
            try:
                return await outlast_redis(ask, until=self._lease_is_old)
            except GaveUp:
                continue

    async def keep_lease(self) -> None:
        """Renew our hold on the run three times a lease."""
        if self._lease_is_old():
            await in_database(self.run.renew, DaemonRole.COLLECTOR, owner=self.owner)
            self.renewed = time.monotonic()

    def _lease_is_old(self) -> bool:
        return time.monotonic() - self.renewed > LEASE.total_seconds() / 3

    def chunk(self, *, after: int, sent: int) -> list[int]:
        """The next outstanding sequences behind `after`, as many as one call may ask for."""
        return self.outstanding.chunk(after=after, sent=sent, limit=IDS_PER_CALL)

    async def discard_everything(self) -> None:
        """Let every result of the run leave Redis, once each task has its row.

        Who collected before may have been killed between a row's commit and its result's end.
        """
        for first in range(1, self.run.sent_count + 1, IDS_PER_CALL):
            beyond = min(first + IDS_PER_CALL, self.run.sent_count + 1)
            await self.redis(partial(self.client.discard, self.ids(range(first, beyond))))

    def ids(self, sequences: Sequence[int]) -> list[str]:
        """The tasks' ids, known without asking Redis."""
        return [task_id(self.run.test_id, sequence) for sequence in sequences]

    async def each_chunk(self, ask: Callable[[list[str]], Awaitable[object]]) -> None:
        """Do something with the ids of all outstanding tasks, a bounded number at a time."""
        after, sent = 0, self.run.sent_count
        while sequences := self.chunk(after=after, sent=sent):
            await self.redis(partial(ask, self.ids(sequences)))
            after = sequences[-1]

    async def read_everything(self) -> None:
        """Take every result that there is, and store it."""
        after, sent = 0, self.run.sent_count
        while sequences := self.chunk(after=after, sent=sent):
            await self.read(sequences)
            after = sequences[-1]
        await self.store_all()

    async def read(self, sequences: Sequence[int]) -> int:
        """Take the results of these tasks; how many there were."""
        results = await self.redis(lambda: self.client.results(self.ids(sequences)))
        first, hits, now = sequences[0], 0, self.observer.now()
        offsets = self.arrivals.offsets_s(first, count=sequences[-1] - first + 1)
        for sequence, result in zip(sequences, results, strict=True):
            if result is None:
                continue
            hits += 1
            self.waiting.append(
                as_row(
                    self.run,
                    sequence,
                    result,
                    due_s=float(offsets[sequence - first]),
                    read_at=now,
                    taken_away_as=self.taken_away_as,
                )
            )
        if hits:
            self.last_hit, self.gone_since = time.monotonic(), None
        if len(self.waiting) >= ROWS_PER_COPY:
            await self._store()
        return hits

    async def store_all(self) -> None:
        """Store what was read; afterwards the run's counts are those of its rows."""
        await self._store()
        await self._stored()
        await in_database(self.run.reload)

    async def _store(self) -> None:
        """Begin to store what was read; PostgreSQL works on it while the next is being read."""
        rows, self.waiting = self.waiting, []
        await self._stored()
        if rows:
            self.storing = asyncio.create_task(self._commit(rows))

    async def _stored(self) -> None:
        """Wait until what is being stored is committed and has left Redis."""
        storing, self.storing = self.storing, None
        if storing is not None:
            await storing

    async def _commit(self, rows: Sequence[IncomingTask]) -> None:
        """Commit these rows, and only then let their results leave Redis."""
        await in_database(ingest, self.run.pk, rows)
        for row in rows:
            self.outstanding.settle(row.sequence)
        for start in range(0, len(rows), IDS_PER_CALL):
            ids = [row.task_id for row in rows[start : start + IDS_PER_CALL]]
            await self.redis(partial(self.client.discard, ids))
