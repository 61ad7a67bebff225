"""Use case: follow a run's arrivals on absolute deadlines and send its tasks, nothing twice."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from redis.exceptions import RedisError

from runs.arrivals import Due
from runs.errors import LeaseLost, NotAllowedNow, TooBigForRedis
from runs.evaluate import evaluate
from runs.models import LoadTestRun
from runs.models.daemon import DaemonRole
from runs.outages import PAUSE_S, GaveUp, in_database, outlast_redis
from runs.shared_clock import SharedClock
from runs.states import RunStatus
from workers.client import Batch, Cursor, QueueClient, ServerInfo
from workers.tasks.registry import task_types

BYTES_PER_TASK = 500  # 216 B queued and 316 B kept as a result, both measured on no-ops
TASKS_PER_CALL = 500  # more would block Redis for longer than a poll takes
WINDOW_S = 0.005  # at a rate, what is due within it goes out together, when the last of it is due
KEEP_S = 7 * 86_400  # how long a cursor and a task's body outlive a stalled run
BEAT_S = 0.1
RENEW_EVERY = 20  # beats

logger = logging.getLogger("loadlab")
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Dispatch:
    """The state of one dispatch, shared by the sender and its heartbeat."""

    run: LoadTestRun
    owner: str
    client: QueueClient
    commands_before: int  # of dispatchers that had the run before, less those of the client by then
    sent: int = 0
    stopped: bool = False

    async def redis(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The answer of Redis however long it is away; None where the dispatch was stopped."""
        try:
            return await outlast_redis(ask, until=lambda: self.stopped)
        except GaveUp:
            return None

    @property
    def commands(self) -> int:
        """What sending this run has asked of Redis."""
        return self.commands_before + self.client.commands_sent


def check_it_fits(server: ServerInfo, *, num_tasks: int) -> None:
    """Refuse a run that Redis could not hold, or would evict: TooBigForRedis with the figures."""
    if server.maxmemory_policy not in {"", "noeviction"}:
        raise TooBigForRedis(
            f"Redis evicts keys (maxmemory-policy {server.maxmemory_policy}), so tasks could "
            "vanish: set maxmemory-policy to noeviction for the Redis that is load-tested."
        )
    if not server.maxmemory:
        return
    needed = num_tasks * BYTES_PER_TASK
    allowed = max(0, server.maxmemory - server.used_memory) // 2
    if needed > allowed:
        raise TooBigForRedis(
            f"{num_tasks} tasks need about {needed / 1e6:.1f} MB, and half of what Redis has free "
            f"is {allowed / 1e6:.1f} MB: send at most {allowed // BYTES_PER_TASK} tasks or raise "
            "maxmemory."
        )


async def dispatch(run: LoadTestRun, *, client: QueueClient, owner: str) -> None:
    """Send every task of a claimed run, then mark it running.

    Stops quietly where the run is cancelled or another dispatcher has taken it. While Redis is away
    it waits and goes on; late tasks go out at once and their lag is recorded.
    """
    work = Dispatch(
        run=run,
        owner=owner,
        client=client,
        sent=run.sent_count,
        commands_before=run.observed.get("sender_commands", 0) - client.commands_sent,
    )
    clock: SharedClock | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            beat = tasks.create_task(_beat(work))
            try:
                clock = await _prepare(work)
                if clock is not None:
                    await _follow_arrivals(work, clock=clock)
            finally:
                beat.cancel()
    except* LeaseLost:
        work.stopped = True
        logger.warning("dispatch_lease_lost test_id=%s sent=%d", run.test_id, work.sent)
    if clock is not None and not work.stopped:
        await in_database(_mark_all_sent, work, at=clock.now())
        logger.info("all_sent test_id=%s sent=%d", run.test_id, work.sent)


async def _prepare(work: Dispatch) -> SharedClock | None:
    """Look at Redis, open the run's cursor, fix the origin of its time; None: send nothing."""
    run = work.run
    server = await work.redis(work.client.server_info)
    read = await work.redis(work.client.clock_offset)
    foreign = await work.redis(lambda: work.client.foreign(run.target_queue, test_id=run.test_id))
    if server is None or read is None or foreign is None:
        return None
    if run.started_at is None:
        try:
            check_it_fits(server, num_tasks=run.planned_count)
        except TooBigForRedis as refusal:
            work.stopped = True
            await in_database(_refuse, run, str(refusal))
            return None
    clock = SharedClock.of(read)
    await work.redis(lambda: _open(work))
    if run.started_at is None and not work.stopped:
        await in_database(_note_start, run, clock, server, foreign)
    return None if work.stopped else clock


async def _open(work: Dispatch) -> None:
    """Find the cursor, or make it again where Redis has lost it."""
    cursor = await work.client.cursor(work.run.test_id)
    if cursor is Cursor.CLOSED:
        # why waited for: who closes a cursor ends the run, which our heartbeat hears; let go before
        # that, the run would be claimed again and again
        while not work.stopped:  # noqa: ASYNC110 - the state is another process's
            await asyncio.sleep(PAUSE_S)
    elif cursor is Cursor.MISSING:
        if not await in_database(_may_open, work):
            work.stopped = True
            return
        await work.client.open_cursor(work.run.test_id, at=work.sent, ttl_s=KEEP_S)
    else:
        work.sent = max(work.sent, int(cursor))


async def _follow_arrivals(work: Dispatch, *, clock: SharedClock) -> None:
    """Send each group when it is due; what is overdue goes out at once, as much as one call bears.

    Everything is paced by the monotonic clock, and stamped with the same one carried to Redis's.
    """
    run, arrivals = work.run, work.run.arrivals
    assert run.started_at is not None  # noqa: S101 - a prepared run has one; this tells mypy
    origin = clock.monotonic_s(run.started_at)
    function = task_types()[run.configuration.task_type].function
    kwargs = {**run.configuration.parameters, "seed": run.configuration.seed}

    def batch(due: Due) -> Batch:
        return Batch(
            test_id=run.test_id,
            queue=run.target_queue,
            first=due.first,
            count=due.count,
            function=function,
            kwargs=kwargs,
            enqueued_ms=int(clock.now_s() * 1000),
            expires_ms=KEEP_S * 1000,
            cursor_ttl_s=KEEP_S,
        )

    while not work.stopped and work.sent < arrivals.tasks:
        late_s = time.monotonic() - origin - arrivals.offset_s(work.sent + 1)
        window_s = max(WINDOW_S, late_s)
        due = next(arrivals.due(work.sent + 1, window_s=window_s, limit=TASKS_PER_CALL))
        await _until(origin + due.offset_s, work=work)
        if not work.stopped:
            await _send(work, batch(due))


async def _send(work: Dispatch, batch: Batch) -> None:
    """Send one batch; where that fails the cursor says from where on to follow the arrivals."""
    try:
        cursor = await work.client.send_batch(batch)
    except (RedisError, OSError):
        # why not sent again blindly: it may have arrived; only the cursor knows
        await asyncio.sleep(PAUSE_S)
        await work.redis(lambda: _open(work))
        return
    if isinstance(cursor, Cursor):
        await work.redis(lambda: _open(work))
    else:
        work.sent = cursor


async def _until(deadline: float, *, work: Dispatch) -> None:
    """Sleep to an absolute deadline of the monotonic clock, but hear of a stop within a second."""
    while not work.stopped and (left := deadline - time.monotonic()) > 0:  # noqa: ASYNC110 - paced
        await asyncio.sleep(min(left, 1.0))


async def _beat(work: Dispatch) -> None:
    """Store how far the sending is, renew the lease, hear of a cancel."""
    beats = 0
    while True:
        await asyncio.sleep(BEAT_S)
        beats += 1
        stop = await in_database(_store_progress, work, renew=beats % RENEW_EVERY == 0)
        work.stopped = work.stopped or stop


def _store_progress(work: Dispatch, *, renew: bool) -> bool:
    """Whether the run is to be sent no further."""
    if work.sent > work.run.sent_count:
        work.run.mark_sent(work.sent)
    if renew:
        work.run.renew(DaemonRole.DISPATCHER, owner=work.owner)
        work.run.observe(sender_commands=work.commands)
    return not _still_ours(work)


def _still_ours(work: Dispatch) -> bool:
    """Whether the run is to be sent, and by us; LeaseLost where another sends it."""
    this = LoadTestRun.objects.filter(pk=work.run.pk)
    sent_by = this.filter(status=RunStatus.DISPATCHING, cancel_requested_at=None)
    for owner in sent_by.values_list("dispatcher", flat=True):
        if owner == work.owner:
            return True
        raise LeaseLost(f"{work.run.test_id} is another dispatcher's now.")
    return False


def _may_open(work: Dispatch) -> bool:
    """Whether the run may have a new cursor: one that is over, or another's, has none either."""
    if not _still_ours(work):
        return False
    if work.sent:
        work.run.note(
            f"Redis lost its data after {work.sent} tasks were sent; the rest was sent then."
        )
    return True


@transaction.atomic  # why: what a launch waits for is mostly commits
def _note_start(run: LoadTestRun, clock: SharedClock, server: ServerInfo, foreign: int) -> None:
    run.observe(
        sender_clock_error_s=clock.error_s,
        server_kind=server.kind,
        server_version=server.version,
        redis_cpu_s_at_start=server.used_cpu_s,
        redis_commands_at_start=server.total_commands,
        foreign_jobs_before=foreign,
    )
    run.mark_started(at=clock.now())


@transaction.atomic
def _mark_all_sent(work: Dispatch, *, at: datetime) -> None:
    run = work.run
    run.mark_sent(work.sent)
    run.observe(sender_commands=work.commands)
    try:
        run.move_to(RunStatus.RUNNING, sent_at=at)
    except NotAllowedNow:
        return  # cancelled or timed out while the last batch went out
    run.release(DaemonRole.DISPATCHER, owner=work.owner)


def _refuse(run: LoadTestRun, sentence: str) -> None:
    evaluate(run, status=RunStatus.FAILED, headline=sentence)
