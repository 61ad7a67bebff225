"""What casts doubt on a run's measurement itself, whatever its figures say?

Each is one sentence; any of them makes a verdict inconclusive.
"""

from collections.abc import Sequence

from runs.analysis.document import ReportedRun
from runs.analysis.fleet import Fleet
from runs.analysis.numbers import count
from runs.analysis.summary import Summary
from runs.analysis.workload import Workload
from runs.states import RunStatus

MOST_LAG_S = 0.1
MOST_LAG_SHARE = 0.1  # of the median sojourn time: more of it is our own lateness than that
LEAST_OFFERED = 0.98


def doubts(summary: Summary, *, workload: Workload, fleet: Fleet) -> list[str]:
    """All that is doubtful about this run, the weightiest first."""
    found = (
        _foreign(fleet),
        _missing(summary),
        _late(summary, workload=workload),
        _changed(fleet),
        _disagreeing(summary),
    )
    return [sentence for sentence in found if sentence is not None]


def group_doubts(*, doubtful: int, environments: int, runs: int) -> list[str]:
    """What is doubtful about a group of repeats: runs that are themselves, or that differ."""
    found = []
    if doubtful:
        verb = "is" if doubtful == 1 else "are"
        found.append(f"{doubtful} of the {runs} runs {verb} doubtful")
    if environments > 1:
        found.append("the runs of the group were not served alike")
    return found


def doubts_of_side(name: str, *, runs: Sequence[ReportedRun]) -> list[str]:
    """What is doubtful about runs that are to be compared: early ends, and their own doubts."""
    early = [run for run in runs if run.status != RunStatus.COMPLETED]
    doubtful = [run for run in runs if run.doubts]
    if len(runs) == 1:
        ended = [f"{name} is {run.status.replace('_', ' ')}" for run in early]
        return ended + [f"{name}: {doubt}" for run in doubtful for doubt in run.doubts]
    found = []
    if early:
        found.append(f"{len(early)} of the {count(len(runs), 'run')} of {name} did not complete")
    if doubtful:
        verb = "is" if len(doubtful) == 1 else "are"
        found.append(f"{len(doubtful)} of the {count(len(runs), 'run')} of {name} {verb} doubtful")
    return found


def _foreign(fleet: Fleet) -> str | None:
    if not fleet.foreign_jobs:
        return None
    jobs = "job" if fleet.foreign_jobs == 1 else "jobs"
    return f"{fleet.foreign_jobs} {jobs} of others stood on the queue"


def _missing(summary: Summary) -> str | None:
    lost = summary.accounting.lost
    if not lost:
        return None
    return f"{lost} of {summary.accounting.sent} tasks were lost, so the rest is a selection"


def _late(summary: Summary, *, workload: Workload) -> str | None:
    """Too much dispatch lag: the load asked for is not the load that was offered."""
    lag_s, felt_s = summary.dispatch_lag.p99_s, summary.sojourn.p50_s
    if workload.rate_per_s is None or lag_s is None:
        return None
    if summary.offered_share is not None and summary.offered_share < LEAST_OFFERED:
        return f"only {summary.offered_share:.0%} of the load asked for was sent"
    if lag_s > max(MOST_LAG_S, MOST_LAG_SHARE * (felt_s or 0.0)):
        return f"tasks were sent late: p99 of the dispatch lag is {1000 * lag_s:.0f} ms"
    return None


def _changed(fleet: Fleet) -> str | None:
    return "workers came or went during the run" if fleet.changed else None


def _disagreeing(summary: Summary) -> str | None:
    check = summary.little
    if check is None or check.agrees:
        return None
    return (
        f"the data disagree with themselves: {check.counted:.1f} tasks were in the system, "
        f"and throughput times duration gives {check.expected:.1f} (Little's law)"
    )
