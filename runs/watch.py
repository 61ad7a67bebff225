"""Use case: how far is a run that has not ended? The same document, drawn from a bounded look.

Whatever the size of the run, at most a few thousand of its tasks are read: for longer ones every
k-th, which shows the rate as well, since tasks end nearly in the order in which they were sent.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Now

from runs.analysis.live_words import LiveWords, Underway, say_live
from runs.models import FleetSample, LoadTestRun
from runs.report import report_document
from runs.states import RunStatus

MOST_TASKS = 4_000
MOST_BINS = 240
RATE_BINS = 5  # the whole bins that `throughput_per_s` looks back on


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A look at a run under way; counts of tasks, None where nobody has looked yet."""

    document: dict[str, Any]
    words: LiveWords
    seen_at: datetime
    throughput_per_s: float | None
    waiting: int
    slots_busy: int | None
    slots: int | None
    ahead: str | None
    expected_s: float | None  # how long the run will have taken


def watch(run: LoadTestRun) -> Live:
    """Everything that a page shows of a run under way; a constant number of queries."""
    document = report_document(run)
    now = LoadTestRun.objects.filter(pk=run.pk).values_list(Now(), flat=True).get()
    sample = FleetSample.objects.filter(run=run).order_by("-at").first()
    elapsed_s = None if run.started_at is None else (now - run.started_at).total_seconds()
    line = _timeline(run, elapsed_s=elapsed_s)
    document["analysis"] = {
        "timeline": line,
        "environment": {"slots": _slots(run)},
        "bottleneck": _limit_of_the_run_before(run),
    }
    if line is not None:
        line_s = len(line["finished"]) * line["interval_s"]
        document["metrics"]["total_duration_seconds"] = line_s
    rate = _rate_now(line)
    left = _seconds_left(run, rate=rate, elapsed_s=elapsed_s)
    ahead = LoadTestRun.objects.ahead_of(run) if run.status == RunStatus.PENDING else None
    running = None if sample is None else sample.running
    return Live(
        document=document,
        words=_words(run, document=document, sample=sample, now=now, left=left, ahead=ahead),
        seen_at=now,
        throughput_per_s=rate,
        waiting=max(0, run.outstanding_count - (running or 0)),
        slots_busy=running,
        slots=_slots(run),
        ahead=None if ahead is None else ahead.test_id,
        expected_s=None if left is None or elapsed_s is None else elapsed_s + left,
    )


def _words(
    run: LoadTestRun,
    *,
    document: dict[str, Any],
    sample: FleetSample | None,
    now: datetime,
    left: float | None,
    ahead: LoadTestRun | None,
) -> LiveWords:
    return say_live(
        Underway(
            status=RunStatus(run.status),
            queue=run.target_queue,
            planned=run.planned_count,
            sent=run.sent_count,
            ended=run.accounted_count,
            failed=run.failed_count,
            seconds_left=left,
            deadline_s=None if run.deadline_at is None else (run.deadline_at - now).total_seconds(),
            ahead=None if ahead is None else ahead.test_id,
            ahead_abandoned=ahead is not None
            and ahead.status != RunStatus.PENDING
            and LoadTestRun.objects.is_abandoned(ahead),
            dispatcher_alive=bool(document["progress"]["dispatcher_alive"]),
            workers=None if sample is None else sample.workers,
            cancelling=run.cancel_requested_at is not None,
        )
    )


def _limit_of_the_run_before(run: LoadTestRun) -> Any:
    """What limited the last run of the same workload: the same queue may have changed since."""
    before = LoadTestRun.objects.filter(
        configuration_id=run.configuration_id, status=RunStatus.COMPLETED, pk__lt=run.pk
    )
    found = before.annotate(
        limit=KeyTransform("bottleneck", KeyTransform("analysis", "report"))
    ).order_by("-pk")
    return found.values_list("limit", flat=True).first()


def _slots(run: LoadTestRun) -> int | None:
    return sum(int(worker["settings"]["max_jobs"]) for worker in run.fleet) or None


def _timeline(run: LoadTestRun, *, elapsed_s: float | None) -> dict[str, Any] | None:
    """`analysis.timeline` so far; `every`: of how many tasks one was read for it."""
    if run.started_at is None or not elapsed_s or not run.accounted_count:
        return None
    interval = max(1, math.ceil(elapsed_s / MOST_BINS))
    step = max(1, math.ceil(run.sent_count / MOST_TASKS))
    sequences = list(range(1, run.sent_count + 1, step))
    bins = math.floor(elapsed_s / interval)  # the one under way would look like a collapse
    if not bins:
        return None
    finished, failed = [0] * bins, [0] * bins
    with connection.cursor() as cursor:
        cursor.execute(_BINS, [run.started_at, interval, run.pk, sequences])
        for place, ended, bad in cursor.fetchall():
            if 0 <= place < bins:
                finished[place], failed[place] = ended * step, bad * step
    line: dict[str, Any] = {"interval_s": float(interval), "finished": finished, "failed": failed}
    line["every"] = step
    if run.sent_at is not None:
        line["sending_s"] = (run.sent_at - run.started_at).total_seconds()
    return line


def _rate_now(line: dict[str, Any] | None) -> float | None:
    """Tasks finished per second over the last bins."""
    last = [] if line is None else line["finished"][-RATE_BINS:]
    if line is None or not sum(last):
        return None
    return float(sum(last) / (len(last) * line["interval_s"]))


def _seconds_left(run: LoadTestRun, *, rate: float | None, elapsed_s: float | None) -> float | None:
    """By the rate now, and never before the last task is due."""
    if rate is None or elapsed_s is None:
        return None
    by_rate = (run.planned_count - run.accounted_count) / rate
    return max(by_rate, run.arrivals.last_offset_s - elapsed_s, 0.0)


# why an array of sequences: each is one probe of the unique index, whatever the run's size
_BINS = """
SELECT floor(extract(epoch FROM finished_at - %s) / %s)::int AS place,
       count(*), count(*) FILTER (WHERE state = 'failed')
FROM runs_taskmetric
WHERE run_id = %s AND sequence = ANY(%s::int[]) AND finished_at IS NOT NULL
GROUP BY place
"""
