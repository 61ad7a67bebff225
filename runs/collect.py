"""Use case: read results by known ids, store them, take them out of Redis; notice a run's end."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import msgspec
from django.db.models import Max

from runs.arrivals import Arrivals
from runs.errors import LeaseLost, NotAllowedNow
from runs.evaluate import evaluate
from runs.models import LoadTestRun, TaskMetric
from runs.models.daemon import DaemonRole
from runs.models.ingest import IncomingTask, ingest
from runs.models.run import LEASE
from runs.models.task import MAX_MESSAGE, MAX_TRACEBACK
from runs.observe import Observer
from runs.outages import GaveUp, in_database, outlast_redis
from runs.outstanding import Outstanding
from runs.states import RunStatus, TaskState
from workers.client import Cursor, QueueClient
from workers.codec import ErrorKind, TaskResult, Undecodable
from workers.ids import sequence_of, task_id

IDS_PER_CALL = 500
ROWS_PER_COPY = 5_000
ROUND_S = 0.1
READ_LIMIT_GUESS = 1_000  # ids a worker may look at in one poll, where no worker has told us
STALLED_S = 2.0  # no result for so long: are the missing ones still in Redis at all?
LATE_S = 5.0  # a task that left the queue without a result may still be writing it
STOP_GRACE_S = 10.0  # how long tasks in progress may take to notice that they are aborted

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
    aborted_as: TaskState = TaskState.CANCELLED
    stopping: bool = False

    async def redis(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer of Redis, however long it is away; the lease is renewed meanwhile."""
        while True:
            await self.keep_lease()
            try:
                return await outlast_redis(ask, until=self._lease_is_old)
            except GaveUp:
                continue

    async def stored(self) -> None:
        """Wait until what is being stored is committed and has left Redis."""
        storing, self.storing = self.storing, None
        if storing is not None:
            await storing

    async def keep_lease(self) -> None:
        """Renew our hold on the run three times a lease."""
        if self._lease_is_old():
            await in_database(self.run.renew, DaemonRole.COLLECTOR, owner=self.owner)
            self.renewed = time.monotonic()

    def _lease_is_old(self) -> bool:
        return time.monotonic() - self.renewed > LEASE.total_seconds() / 3

    @property
    def origin_us(self) -> int:
        """The instant that intended arrivals count from; results exist only once there is one."""
        assert self.run.started_at is not None  # noqa: S101 - tells mypy
        return int(self.run.started_at.timestamp() * 1e6)

    @property
    def queue(self) -> str:
        """The queue that the run has to itself."""
        return str(self.run.target_queue)

    def ids(self, sequences: Sequence[int]) -> list[str]:
        """The tasks' ids, known without asking Redis."""
        return [task_id(self.run.test_id, sequence) for sequence in sequences]


async def collect(
    run: LoadTestRun,
    *,
    client: QueueClient,
    owner: str,
    observer: Observer | None = None,
) -> None:
    """Collect a claimed run until it has ended; LeaseLost is met quietly, somebody else goes on."""
    work = Collection(
        run=run,
        owner=owner,
        client=client,
        observer=observer or Observer(run=run, client=client),
        outstanding=await in_database(_outstanding_of, run),
        arrivals=run.arrivals,
    )
    try:
        while not await _round(work):  # noqa: ASYNC110 - the state is another process's
            await asyncio.sleep(ROUND_S)
    except LeaseLost:
        logger.warning("collect_lease_lost test_id=%s", run.test_id)
    finally:
        if work.storing is not None:
            work.storing.cancel()


async def _round(work: Collection) -> bool:
    """One look at everything; True when the run has ended."""
    run = work.run
    await work.keep_lease()
    await in_database(run.reload)
    if run.is_finished:
        return True
    await work.redis(work.observer.look)
    await _gather(work)
    if run.cancel_requested_at is not None:
        return await _stop(work, rest=TaskState.CANCELLED, status=RunStatus.CANCELLED)
    if run.is_drained:
        return await _finish(work, status=RunStatus.COMPLETED)
    if await in_database(run.is_out_of_time):
        return await _stop(work, rest=TaskState.LOST, status=RunStatus.TIMED_OUT)
    if run.sent_at is not None and await _rest_is_gone(work):
        await in_database(
            run.note,
            f"{run.outstanding_count} tasks left Redis without a result; they are counted as lost.",
        )
        return await _stop(work, rest=TaskState.LOST, status=RunStatus.COMPLETED)
    return False


async def _gather(work: Collection) -> None:
    """Read what can be done by now, oldest first, and store it.

    A worker looks at the first `queue_read_limit` ids of the queue, so of n finished tasks each is
    among the first n + queue_read_limit outstanding ones; everything before the queue's head has
    left it. Reading further would ask for every waiting task in every round.
    """
    run = work.run
    cursor = await work.redis(lambda: work.client.cursor(run.test_id))
    sent = run.sent_count if isinstance(cursor, Cursor) else max(run.sent_count, cursor)
    depth = await work.redis(lambda: work.client.depth(work.queue))
    head = await work.redis(lambda: work.client.head(work.queue))
    done = work.outstanding.count(sent=sent) - depth.queued
    reach = done + (work.observer.read_limit or READ_LIMIT_GUESS)
    before = _sequence_at(head, run=run) if head else sent + 1
    after = seen = 0
    while sequences := work.outstanding.chunk(after=after, sent=sent, limit=IDS_PER_CALL):
        hits = await _read(work, sequences)
        after, seen = sequences[-1], seen + len(sequences)
        if not hits and seen >= reach and (before is None or after >= before):
            break
        await work.keep_lease()
    await _store_all(work)


async def _read(work: Collection, sequences: Sequence[int]) -> int:
    """Take the results of these tasks; how many there were."""
    results = await work.redis(lambda: work.client.results(work.ids(sequences)))
    hits = 0
    first = sequences[0]
    offsets = work.arrivals.offsets_s(first, count=sequences[-1] - first + 1)
    for sequence, result in zip(sequences, results, strict=True):
        if result is None:
            continue
        hits += 1
        intended_us = work.origin_us + int(offsets[sequence - first] * 1e6)
        work.waiting.append(_as_row(work, sequence, intended_us=intended_us, result=result))
    if hits:
        work.last_hit, work.gone_since = time.monotonic(), None
    if len(work.waiting) >= ROWS_PER_COPY:
        await _store(work)
    return hits


async def _store(work: Collection) -> None:
    """Begin to store what was read; PostgreSQL works on it while the next results are read."""
    rows, work.waiting = work.waiting, []
    await work.stored()
    if rows:
        work.storing = asyncio.create_task(_commit(work, rows))


async def _store_all(work: Collection) -> None:
    await _store(work)
    await work.stored()
    await in_database(work.run.reload)


async def _commit(work: Collection, rows: Sequence[IncomingTask]) -> None:
    """Commit these rows, and only then let their results leave Redis."""
    await in_database(ingest, work.run.pk, rows)
    for row in rows:
        work.outstanding.settle(row.sequence)
    for start in range(0, len(rows), IDS_PER_CALL):
        ids = [row.task_id for row in rows[start : start + IDS_PER_CALL]]
        await work.redis(partial(work.client.discard, ids))


async def _rest_is_gone(work: Collection) -> bool:
    """Whether what is missing is neither queued nor about to write a result.

    A job leaves the queue and gets its result in one transaction, so an id that is in neither place
    has been forgotten (a restart without data, an expired result). The one exception is a task that
    ran through such a restart: it writes its result late, so workers must be idle too.
    """
    if time.monotonic() - work.last_hit < STALLED_S:
        return False
    sent, after = work.run.sent_count, 0
    while sequences := work.outstanding.chunk(after=after, sent=sent, limit=IDS_PER_CALL):
        ids = work.ids(sequences)
        queued = await work.redis(partial(work.client.queued, work.queue, ids))
        if any(queued):
            work.gone_since = None
            return False
        after = sequences[-1]
    work.gone_since = work.gone_since or time.monotonic()
    return time.monotonic() - work.gone_since > LATE_S and not work.observer.jobs_running


async def _stop(work: Collection, *, rest: TaskState, status: RunStatus) -> bool:
    """End a run early: nothing more goes out, nothing stays in Redis, every task has a row."""
    run = work.run
    work.stopping, work.aborted_as = True, rest
    closed = await work.redis(lambda: work.client.close_cursor(run.test_id))
    await in_database(_end_sending, run, sent=min(closed, run.planned_count))
    await _abort(work)
    deadline = time.monotonic() + STOP_GRACE_S
    while time.monotonic() < deadline:
        await work.redis(work.observer.look)
        await _read_everything(work)
        if not await _still_queued(work) or not work.observer.workers_alive:
            break
        await asyncio.sleep(ROUND_S)
    await _each_chunk(work, partial(work.client.purge, work.queue))
    await in_database(
        TaskMetric.objects.account_for_rest, run_id=run.pk, up_to=run.sent_count, state=rest
    )
    return await _finish(work, status=status)


async def _abort(work: Collection) -> None:
    await _each_chunk(work, partial(work.client.cancel, work.queue))


async def _still_queued(work: Collection) -> bool:
    found = False

    async def look(ids: list[str]) -> None:
        nonlocal found
        found = found or any(await work.client.queued(work.queue, ids))

    await _each_chunk(work, look)
    return found


async def _read_everything(work: Collection) -> None:
    after = 0
    sent = work.run.sent_count
    while sequences := work.outstanding.chunk(after=after, sent=sent, limit=IDS_PER_CALL):
        await _read(work, sequences)
        after = sequences[-1]
    await _store_all(work)


async def _each_chunk(work: Collection, ask: Callable[[list[str]], Awaitable[object]]) -> None:
    """Do something with the ids of all outstanding tasks, a bounded number at a time."""
    after = 0
    sent = work.run.sent_count
    while sequences := work.outstanding.chunk(after=after, sent=sent, limit=IDS_PER_CALL):
        ids = work.ids(sequences)
        await work.redis(partial(ask, ids))
        await work.keep_lease()
        after = sequences[-1]


async def _finish(work: Collection, *, status: RunStatus) -> bool:
    """Evaluate the run and let go of all that it kept in Redis."""
    run = work.run
    await work.redis(work.observer.look_once_more)
    # why before the run's status says so: a crash in between leaves a run that is finished again,
    # never a key that nobody removes; senders find no cursor and ask PostgreSQL
    await work.redis(partial(work.client.forget_run, run.test_id))
    await in_database(_fix_the_end, run)
    await in_database(evaluate, run, status=status)
    await in_database(run.release, DaemonRole.COLLECTOR, owner=work.owner)
    logger.info("run_ended test_id=%s status=%s", run.test_id, run.status)
    return True


def _as_row(
    work: Collection, sequence: int, *, intended_us: int, result: TaskResult | Undecodable
) -> IncomingTask:
    run = work.run
    identity = (task_id(run.test_id, sequence), run.pk, sequence)
    if isinstance(result, Undecodable):
        now_us = time.time_ns() // 1_000
        return IncomingTask(
            *identity, TaskState.FAILED.value, intended_us, None, None, now_us, 0, "", None,
            "loadlab.UndecodableResult", result.reason[:MAX_MESSAGE], "",
        )  # fmt: skip
    error = result.error
    return IncomingTask(
        *identity,
        state=_state_of(result, work=work).value,
        intended_us=intended_us,
        enqueued_us=result.enqueued_ms * 1_000 or None,
        started_us=result.started_ms * 1_000,
        finished_us=max(result.finished_ms, result.started_ms) * 1_000,
        retries=max(0, min(result.job_try - 1, 32_767)),
        worker=result.worker[:200],
        metrics=None if result.value is None else msgspec.json.encode(result.value).decode(),
        error_type="" if error is None else error.error_type[:200],
        error_message="" if error is None else error.message[:MAX_MESSAGE],
        traceback="" if error is None else error.traceback[-MAX_TRACEBACK:],
    )


def _state_of(result: TaskResult, *, work: Collection) -> TaskState:
    if result.success:
        return TaskState.COMPLETED
    # why expired too: a worker may pick an id up in the instant in which we take its body away
    taken_away = result.error is not None and result.error.kind is ErrorKind.EXPIRED
    if result.aborted or (taken_away and work.stopping):
        return work.aborted_as
    return TaskState.FAILED


def _sequence_at(head: str, *, run: LoadTestRun) -> int | None:
    return sequence_of(head) if head.startswith(f"{run.test_id}-") else None


def _outstanding_of(run: LoadTestRun) -> Outstanding:
    stored = run.tasks.order_by().values_list("sequence", flat=True)
    return Outstanding(planned=run.planned_count, accounted=stored.iterator(chunk_size=10_000))


def _end_sending(run: LoadTestRun, *, sent: int) -> None:
    run.mark_sent(sent)
    if run.status == RunStatus.DISPATCHING:
        try:
            run.move_to(RunStatus.RUNNING, sent_at=datetime.now(tz=UTC))
        except NotAllowedNow:  # the dispatcher said so in the same instant
            run.reload()


def _fix_the_end(run: LoadTestRun) -> None:
    last = run.tasks.aggregate(last=Max("finished_at"))["last"]
    LoadTestRun.objects.filter(pk=run.pk).update(finished_at=last or datetime.now(tz=UTC))
    run.refresh_from_db(fields=["finished_at"])
    run.reload()
