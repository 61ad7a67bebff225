"""Use case: follow a run's arrivals on absolute deadlines and send its tasks, nothing twice."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from django.utils import timezone
from redis.exceptions import RedisError

from runs.errors import LeaseLost, NotAllowedNow, TooBigForRedis
from runs.evaluate import evaluate
from runs.models import LoadTestRun
from runs.models.daemon import DaemonRole
from runs.outages import PAUSE_S, GaveUp, in_database, outlast_redis
from runs.states import RunStatus
from workers.client import Batch, Cursor, QueueClient, ServerInfo
from workers.tasks.registry import task_types

BYTES_PER_TASK = 500  # 216 B queued and 316 B kept as a result, both measured on no-ops
TASKS_PER_CALL = 500  # more would block Redis for longer than a poll takes
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
    sent: int = 0
    stopped: bool = False

    async def redis(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The answer of Redis however long it is away; None where the dispatch was stopped."""
        try:
            return await outlast_redis(ask, until=lambda: self.stopped)
        except GaveUp:
            return None


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
    work = Dispatch(run=run, owner=owner, client=client, sent=run.sent_count)
    try:
        async with asyncio.TaskGroup() as tasks:
            beat = tasks.create_task(_beat(work))
            try:
                if await _prepare(work):
                    await _follow_arrivals(work)
            finally:
                beat.cancel()
    except* LeaseLost:
        work.stopped = True
        logger.warning("dispatch_lease_lost test_id=%s sent=%d", run.test_id, work.sent)
    if not work.stopped:
        await in_database(_mark_all_sent, work)
        logger.info("all_sent test_id=%s sent=%d", run.test_id, work.sent)


async def _prepare(work: Dispatch) -> bool:
    """Look at Redis, fix the origin of the run's time, open its cursor; False: send nothing."""
    run = work.run
    server = await work.redis(work.client.server_info)
    clock = await work.redis(work.client.clock_offset)
    foreign = await work.redis(lambda: work.client.foreign(run.target_queue, test_id=run.test_id))
    if server is None or clock is None or foreign is None:
        return False
    if run.started_at is None:
        try:
            check_it_fits(server, num_tasks=run.planned_count)
        except TooBigForRedis as refusal:
            await in_database(_refuse, run, str(refusal))
            work.stopped = True
            return False
    await in_database(
        run.observe, sender_clock_offset_s=clock.offset_s, sender_clock_error_s=clock.error_s
    )
    await work.redis(lambda: _open(work))
    if run.started_at is None and not work.stopped:
        await in_database(_note_start, run, server, foreign)
    return not work.stopped


async def _open(work: Dispatch) -> None:
    """Find the cursor, or make it again where Redis has lost it."""
    cursor = await work.client.cursor(work.run.test_id)
    if cursor is Cursor.CLOSED:
        work.stopped = True
    elif cursor is Cursor.MISSING:
        # why the lease is asked first: the cursor of a run that is over is missing too
        await in_database(work.run.renew, DaemonRole.DISPATCHER, owner=work.owner)
        if not await in_database(_still_dispatching, work.run):
            work.stopped = True
            return
        if work.sent:
            await in_database(
                work.run.note,
                f"Redis lost its data after {work.sent} tasks were sent; the rest was sent then.",
            )
        await work.client.open_cursor(work.run.test_id, at=work.sent, ttl_s=KEEP_S)
    else:
        work.sent = max(work.sent, int(cursor))


async def _follow_arrivals(work: Dispatch) -> None:
    run, arrivals = work.run, work.run.arrivals
    elapsed_s = await in_database(run.elapsed_s)
    origin = asyncio.get_running_loop().time() - elapsed_s
    function = task_types()[run.configuration.task_type].function
    kwargs = {**run.configuration.parameters, "seed": run.configuration.seed}
    while not work.stopped and work.sent < arrivals.tasks:
        for due in arrivals.due(work.sent + 1, limit=TASKS_PER_CALL):
            await _until(origin + due.offset_s, work=work)
            batch = Batch(
                test_id=run.test_id,
                queue=run.target_queue,
                first=due.first,
                count=due.count,
                function=function,
                kwargs=kwargs,
                enqueued_ms=time.time_ns() // 1_000_000,
                expires_ms=KEEP_S * 1000,
                cursor_ttl_s=KEEP_S,
            )
            if work.stopped or not await _send(work, batch):
                break


async def _send(work: Dispatch, batch: Batch) -> bool:
    """Send one batch; False where the arrivals must be followed anew from the cursor."""
    try:
        cursor = await work.client.send_batch(batch)
    except (RedisError, OSError):
        # why not sent again blindly: it may have arrived; only the cursor knows
        await asyncio.sleep(PAUSE_S)
        await work.redis(lambda: _open(work))
        return False
    if isinstance(cursor, Cursor):
        await work.redis(lambda: _open(work))
        return False
    work.sent = cursor
    return True


async def _until(deadline: float, *, work: Dispatch) -> None:
    """Sleep to an absolute deadline of the loop's clock, but hear of a stop within a second."""
    loop = asyncio.get_running_loop()
    while not work.stopped and (left := deadline - loop.time()) > 0:  # noqa: ASYNC110 - paced
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
    return not _still_dispatching(work.run)


def _still_dispatching(run: LoadTestRun) -> bool:
    return bool(
        LoadTestRun.objects.filter(
            pk=run.pk, status=RunStatus.DISPATCHING, cancel_requested_at=None
        ).exists()
    )


def _note_start(run: LoadTestRun, server: ServerInfo, foreign: int) -> None:
    run.observe(
        server_kind=server.kind,
        server_version=server.version,
        redis_cpu_s_at_start=server.used_cpu_s,
        redis_commands_at_start=server.total_commands,
        foreign_jobs_before=foreign,
    )
    run.mark_started(at=datetime.now(tz=UTC))


def _mark_all_sent(work: Dispatch) -> None:
    run = work.run
    run.mark_sent(work.sent)
    try:
        run.move_to(RunStatus.RUNNING, sent_at=timezone.now())
    except NotAllowedNow:
        return  # cancelled or timed out while the last batch went out
    run.release(DaemonRole.DISPATCHER, owner=work.owner)


def _refuse(run: LoadTestRun, sentence: str) -> None:
    evaluate(run, status=RunStatus.FAILED, headline=sentence)
