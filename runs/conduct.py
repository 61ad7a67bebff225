"""Who runs the use cases: runs conducted by the process that asked for them, start to report."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol

from runs.collect import collect
from runs.dispatch import check_it_fits, dispatch
from runs.errors import LeaseLost, NotAllowedNow
from runs.models import LoadTestRun
from runs.models.daemon import DaemonRole
from runs.observe import Observer
from runs.outages import in_database
from runs.start import cancel_run
from runs.states import RunStatus
from workers.client import QueueClient
from workers.running import local_workers

TICK_S = 0.2
RENEW_EVERY_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is, for whoever watches."""

    test_id: str
    status: str
    planned: int
    sent: int
    completed: int
    failed: int
    lost: int
    outstanding: int
    throughput_per_s: float | None
    seconds_left: float | None


class Watcher(Protocol):
    """Who is told what happens while runs are conducted; every call must return at once."""

    def run_started(self, run: LoadTestRun) -> None:
        """The run is about to be sent."""

    def progress(self, progress: Progress) -> None:
        """Some time has passed."""

    def notice(self, text: str) -> None:
        """Something that the person should know now, said once."""

    def run_finished(self, run: LoadTestRun) -> None:
        """The run has its report."""


@dataclass(slots=True, kw_only=True)
class Conduct:
    """One run in this process's hands."""

    run: LoadTestRun
    owner: str
    client: QueueClient
    watcher: Watcher
    observer: Observer
    noticed: set[str] = field(default_factory=set)
    recent: list[tuple[float, int]] = field(default_factory=list)

    def notice(self, text: str) -> None:
        """Tell the watcher, but only once."""
        if text not in self.noticed:
            self.noticed.add(text)
            self.watcher.notice(text)


async def refuse_what_does_not_fit(*, num_tasks: int) -> None:
    """Ask Redis before anything is stored: TooBigForRedis, or RedisUnreachable where it is away."""
    async with QueueClient.connect() as client:
        check_it_fits(await client.server_info(), num_tasks=num_tasks)


async def conduct_here(
    runs: Sequence[LoadTestRun],
    *,
    workers: int,
    watcher: Watcher,
    owner: str,
    worker_environment: Mapping[str, str] | None = None,
) -> None:
    """Dispatch, collect and evaluate these runs, one after the other, in this process.

    Cancelled (a signal), it cancels the run at work and those not begun, waits until nothing of
    them is left on the queue, and raises CancelledError.
    """
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(QueueClient.connect())
        if workers:
            await stack.enter_async_context(
                local_workers(runs[0].target_queue, workers, settings=worker_environment)
            )
            for run in runs:
                await in_database(run.observe, own_workers=workers)
        for run in runs:
            collecting = client.apart()
            work = Conduct(
                run=run,
                owner=owner,
                client=collecting,
                watcher=watcher,
                observer=Observer(run=run, client=collecting),
            )
            await _unless_cancelled(work, all_runs=runs)


async def _unless_cancelled(work: Conduct, *, all_runs: Sequence[LoadTestRun]) -> None:
    conducting = asyncio.create_task(_conduct(work, all_runs=all_runs))
    try:
        await asyncio.shield(conducting)
    except asyncio.CancelledError:
        await _cancel_all(all_runs)
        await conducting
        raise


async def finish_cancelling(run: LoadTestRun, *, owner: str) -> bool:
    """Clean up after a cancelled run that nobody collects; False where somebody does already."""
    if await in_database(LoadTestRun.objects.claim_to_collect, owner=owner, only=run.pk) is None:
        return False
    async with QueueClient.connect() as client:
        await collect(run, client=client, owner=owner)
    return True


async def _cancel_all(runs: Sequence[LoadTestRun]) -> None:
    for run in runs:
        try:
            await in_database(cancel_run, test_id=run.test_id)
        except NotAllowedNow:
            continue  # it has ended


async def _conduct(work: Conduct, *, all_runs: Sequence[LoadTestRun]) -> None:
    run, watcher, sender = work.run, work.watcher, work.client.apart()
    if not await _wait_for_the_queue(work, all_runs=all_runs):
        return
    watcher.run_started(run)
    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(_tick(work, all_runs=all_runs))
        sending = tasks.create_task(dispatch(run, client=sender, owner=work.owner))
        try:
            await _collect_when_sent(work, sending=sending)
        finally:
            ticking.cancel()
    await in_database(run.refresh_from_db)
    await in_database(_load_configuration, run)
    watcher.run_finished(run)


async def _wait_for_the_queue(work: Conduct, *, all_runs: Sequence[LoadTestRun]) -> bool:
    """Claim the run once the queue is free; False where it was cancelled or taken meanwhile."""
    run = work.run
    renewed = 0.0
    while True:
        if time.monotonic() - renewed > RENEW_EVERY_S:
            await _hold(all_runs, owner=work.owner)
            renewed = time.monotonic()
        claimed = await in_database(
            LoadTestRun.objects.claim_to_dispatch, owner=work.owner, only=run.pk
        )
        await in_database(run.reload)
        if claimed is not None:
            await in_database(run.take, DaemonRole.COLLECTOR, owner=work.owner)
            return True
        if run.status != RunStatus.PENDING:
            return False
        ahead = await in_database(LoadTestRun.objects.ahead_of, run)
        if ahead is not None:
            work.notice(await in_database(_why_it_waits, run, ahead))
        await asyncio.sleep(TICK_S)


def _why_it_waits(run: LoadTestRun, ahead: LoadTestRun) -> str:
    sentence = f"{run.test_id} waits: after {ahead.test_id} on {run.target_queue}."
    if LoadTestRun.objects.is_abandoned(ahead):
        sentence += f" Nobody conducts that one: `make up` does, `loadlab cancel {ahead.test_id}`"
        sentence += " ends it."
    return sentence


async def _collect_when_sent(work: Conduct, *, sending: "asyncio.Task[None]") -> None:
    """Collect beside the sending; a run that the dispatch refused has nothing to collect."""
    run = work.run
    while run.started_at is None and not sending.done():  # noqa: ASYNC110 - the dispatch sets it
        await asyncio.sleep(0.01)
    await in_database(run.reload)
    if not run.is_finished:
        await collect(run, client=work.client, owner=work.owner, observer=work.observer)


async def _tick(work: Conduct, *, all_runs: Sequence[LoadTestRun]) -> None:
    """Tell the watcher how far the run is; keep hold of the runs of the group that still wait."""
    renewed = time.monotonic()
    while True:
        await asyncio.sleep(TICK_S)
        work.watcher.progress(_progress(work))
        if work.observer.nobody_works:
            work.notice(
                f"No worker answers on {work.run.target_queue}: start one with "
                f"`loadlab runworker_loadtest --queue {work.run.target_queue}`, or add --workers 1."
            )
        if time.monotonic() - renewed > RENEW_EVERY_S:
            await _hold(all_runs, owner=work.owner)
            renewed = time.monotonic()


async def _hold(runs: Sequence[LoadTestRun], *, owner: str) -> None:
    await in_database(_renew_waiting, runs, owner=owner)


def _renew_waiting(runs: Sequence[LoadTestRun], *, owner: str) -> None:
    for run in runs:
        if run.status == RunStatus.PENDING:
            for role in DaemonRole:
                try:
                    run.renew(role, owner=owner)
                except LeaseLost:
                    break


def _progress(work: Conduct) -> Progress:
    run = work.run
    ended = run.accounted_count
    work.recent = [*work.recent[-24:], (time.monotonic(), ended)]
    (then, before), (now, after) = work.recent[0], work.recent[-1]
    rate = (after - before) / (now - then) if now > then and after > before else None
    left = run.planned_count - ended
    return Progress(
        test_id=run.test_id,
        status=run.status,
        planned=run.planned_count,
        sent=run.sent_count,
        completed=run.completed_count,
        failed=run.failed_count,
        lost=run.lost_count,
        outstanding=run.outstanding_count,
        throughput_per_s=rate,
        seconds_left=left / rate if rate else None,
    )


def _load_configuration(run: LoadTestRun) -> None:
    """Fetch the configuration while on the ORM's thread, so that reading it later asks nothing."""
    run.configuration  # noqa: B018 - the access is the fetch
