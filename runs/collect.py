"""Use case: read results by known ids, store them, take them out of Redis; notice a run's end."""

import asyncio
import logging
from datetime import datetime
from functools import partial

from django.db.models import Max

from runs.collection import Collection
from runs.early_end import ROUND_S, rest_is_gone, stop
from runs.errors import LeaseLost
from runs.evaluate import evaluate
from runs.models import LoadTestRun
from runs.models.daemon import DaemonRole
from runs.observe import Observer
from runs.outages import in_database
from runs.outstanding import Outstanding
from runs.states import RunStatus, TaskState
from workers.client import Cursor, QueueClient
from workers.ids import sequence_of

READ_LIMIT_GUESS = 1_000  # ids a worker may look at in one poll, where no worker has told us

logger = logging.getLogger("loadlab")


async def collect(
    run: LoadTestRun,
    *,
    client: QueueClient,
    owner: str,
    observer: Observer | None = None,
) -> None:
    """Collect a claimed run until it has ended; LeaseLost is met quietly, somebody else goes on."""
    outstanding = await in_database(_outstanding_of, run)
    work = Collection(
        run=run,
        owner=owner,
        client=client,
        observer=observer or Observer(run=run, client=client),
        outstanding=outstanding,
        arrivals=run.arrivals,
        goes_on=outstanding.count(sent=run.planned_count) < run.planned_count,
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
    if run.started_at is not None:
        await _gather(work)
    if run.cancel_requested_at is not None:
        await stop(work, rest=TaskState.CANCELLED)
        return await _finish(work, status=RunStatus.CANCELLED)
    if run.is_drained:
        return await _finish(work, status=RunStatus.COMPLETED)
    if await in_database(run.is_out_of_time):
        await stop(work, rest=TaskState.LOST)
        return await _finish(work, status=RunStatus.TIMED_OUT)
    if run.sent_at is not None and await rest_is_gone(work):
        await in_database(
            run.note,
            f"{run.outstanding_count} tasks left Redis without a result; they are counted as lost.",
        )
        await stop(work, rest=TaskState.LOST)
        return await _finish(work, status=RunStatus.COMPLETED)
    return False


async def _gather(work: Collection) -> None:
    """Read what can be done by now, oldest first, and store it.

    A worker looks at the first `queue_read_limit` ids of the queue, so of n finished tasks each is
    among the first n + queue_read_limit outstanding ones; everything before the queue's head has
    left it. Reading further would ask for every waiting task in every round.
    """
    run = work.run
    seen = await work.redis(lambda: work.client.glance(work.queue, test_id=run.test_id))
    sent = run.sent_count
    if not isinstance(seen.cursor, Cursor):
        sent = max(sent, seen.cursor)
    done = work.outstanding.count(sent=sent) - seen.queued
    reach = done + (work.observer.read_limit or READ_LIMIT_GUESS)
    before = _sequence_at(seen.head, run=run) if seen.head else sent + 1
    after = looked_at = 0
    while sequences := work.chunk(after=after, sent=sent):
        hits = await work.read(sequences)
        after, looked_at = sequences[-1], looked_at + len(sequences)
        if not hits and looked_at >= reach and (before is None or after >= before):
            break
    await work.store_all()


async def _finish(work: Collection, *, status: RunStatus) -> bool:
    """Evaluate the run and let go of all that it kept in Redis."""
    run = work.run
    await work.redis(work.observer.look_once_more)
    if work.goes_on:
        await work.discard_everything()
    # why before the run's status says so: a crash in between leaves a run that is finished again,
    # never a key that nobody removes; senders find no cursor and ask PostgreSQL
    await work.redis(partial(work.client.forget_run, run.test_id))
    await in_database(_fix_the_end, run, now=work.observer.now())
    await in_database(evaluate, run, status=status)
    await in_database(run.release, DaemonRole.COLLECTOR, owner=work.owner)
    logger.info("run_ended test_id=%s status=%s", run.test_id, run.status)
    return True


def _sequence_at(head: str, *, run: LoadTestRun) -> int | None:
    return sequence_of(head) if head.startswith(f"{run.test_id}-") else None


def _outstanding_of(run: LoadTestRun) -> Outstanding:
    stored = run.tasks.order_by().values_list("sequence", flat=True)
    return Outstanding(planned=run.planned_count, accounted=stored.iterator(chunk_size=10_000))


def _fix_the_end(run: LoadTestRun, *, now: datetime) -> None:
    last = run.tasks.aggregate(last=Max("finished_at"))["last"]
    LoadTestRun.objects.filter(pk=run.pk).update(finished_at=last or now)
    run.refresh_from_db(fields=["finished_at"])
    run.reload()
