"""How does a run end before its time: cancelled, out of time, or with tasks that Redis forgot?"""

import asyncio
import time
from datetime import datetime
from functools import partial

from runs.collection import Collection
from runs.errors import NotAllowedNow
from runs.models import LoadTestRun, TaskMetric
from runs.outages import in_database
from runs.states import RunStatus, TaskState

ROUND_S = 0.1
STALLED_S = 2.0  # no result for so long: are the missing ones still in Redis at all?
LATE_S = 5.0  # a task that left the queue without a result may still be writing it
STOP_GRACE_S = 10.0  # how long tasks in progress may take to notice that they are aborted


async def rest_is_gone(work: Collection) -> bool:
    """Whether what is missing is neither queued nor about to write a result.

    A job leaves the queue and gets its result in one transaction, so an id that is in neither place
    has been forgotten (a restart without data, an expired result). The one exception is a task that
    ran through such a restart: it writes its result late, so workers must be idle too.
    """
    if time.monotonic() - work.last_hit < STALLED_S:
        return False
    if await _still_queued(work):
        work.gone_since = None
        return False
    work.gone_since = work.gone_since or time.monotonic()
    return time.monotonic() - work.gone_since > LATE_S and not work.observer.jobs_running


async def stop(work: Collection, *, rest: TaskState) -> None:
    """Nothing more goes out, nothing stays in Redis, every task sent has a row."""
    run = work.run
    work.taken_away_as = rest
    closed = await work.redis(lambda: work.client.close_cursor(run.test_id))
    sent = min(closed, run.planned_count)
    await in_database(_end_sending, run, sent=sent, at=work.observer.now())
    await work.each_chunk(partial(work.client.cancel, work.queue))
    deadline = time.monotonic() + STOP_GRACE_S
    while True:
        await work.redis(work.observer.look)
        # why asked before the reading: what has left the queue by now has its result by now
        waits = await _still_queued(work) and bool(work.observer.workers_alive)
        await work.read_everything()
        if not waits or time.monotonic() > deadline:
            break
        await asyncio.sleep(ROUND_S)
    await work.each_chunk(partial(work.client.purge, work.queue))
    await in_database(
        TaskMetric.objects.account_for_rest, run_id=run.pk, up_to=run.sent_count, state=rest
    )


async def _still_queued(work: Collection) -> bool:
    """Whether a task of the run without a row stands on the queue, waiting or running."""
    after, sent = 0, work.run.sent_count
    while sequences := work.chunk(after=after, sent=sent):
        ids = work.ids(sequences)
        if any(await work.redis(partial(work.client.queued, work.queue, ids))):
            return True
        after = sequences[-1]
    return False


def _end_sending(run: LoadTestRun, *, sent: int, at: datetime) -> None:
    run.mark_sent(sent)
    run.reload()  # why: it may have been started after we looked last
    if run.status == RunStatus.DISPATCHING:
        try:
            run.move_to(RunStatus.RUNNING, sent_at=at)
        except NotAllowedNow:  # the dispatcher said so in the same instant
            run.reload()
