"""What a monitor wants to know of all runs together, as plain figures; a few statements each time.

Nothing is counted in a process: several web processes would each know a part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from runs.models import Daemon, LoadTestRun
from runs.models.daemon import DaemonRole
from runs.models.run import LEASE
from runs.states import RunStatus
from workers.settings import QUEUES


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """The figures; those by queue hold every queue, idle ones with 0."""

    runs: Mapping[str, int]
    tasks: Mapping[str, int]
    dispatch_lag_s: Mapping[str, float]
    collector_lag_s: Mapping[str, float]
    oldest_waiting_s: float
    daemons: Mapping[str, int]


def read_gauges() -> Gauges:
    """The figures as they are now, by the database's clock."""
    runs, tasks, oldest = _totals()
    sending, collecting = _lags()
    return Gauges(
        runs=runs,
        tasks=tasks,
        dispatch_lag_s=sending,
        collector_lag_s=collecting,
        oldest_waiting_s=oldest,
        daemons={role.value: Daemon.objects.alive(role).count() for role in DaemonRole},
    )


def _totals() -> tuple[dict[str, int], dict[str, int], float]:
    runs = {status.value: 0 for status in RunStatus}
    tasks = dict.fromkeys(("sent", "completed", "failed", "cancelled", "lost"), 0)
    oldest = 0.0
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS)
        for status, count, *sums, waited in cursor.fetchall():
            runs[status] = count
            for name, total in zip(tasks, sums, strict=True):
                tasks[name] += int(total)
            if status == RunStatus.PENDING:
                oldest = float(waited)
    return runs, tasks, oldest


def _lags() -> tuple[dict[str, float], dict[str, float]]:
    """How late the next task of each run under way is, and how long nobody has collected it."""
    sending = dict.fromkeys(QUEUES, 0.0)
    collecting = dict.fromkeys(QUEUES, 0.0)
    under_way = LoadTestRun.objects.active().filter(started_at__isnull=False)
    unattended = Now() - (F("collector_until") - LEASE)  # renewed several times while it lasts
    runs: Any = under_way.select_related("configuration").annotate(unattended=unattended)
    for run in runs:
        queue, elapsed_s = run.target_queue, run.elapsed_s()
        if run.status == RunStatus.DISPATCHING and run.sent_count < run.planned_count:
            due_s = run.arrivals.offset_s(run.sent_count + 1)
            sending[queue] = max(sending.get(queue, 0.0), elapsed_s - due_s)
        free = run.unattended is None
        unattended_s = elapsed_s if free else run.unattended.total_seconds()
        collecting[queue] = max(collecting.get(queue, 0.0), unattended_s)
    return sending, collecting


_TOTALS = """
SELECT status, count(*), sum(sent_count), sum(completed_count), sum(failed_count),
       sum(cancelled_count), sum(lost_count),
       GREATEST(0, extract(epoch FROM now() - min(created_at)))
FROM runs_loadtestrun GROUP BY status
"""
