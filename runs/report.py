"""The one document of a run: its frame, its live form while the run is not finished, its groups."""

from collections.abc import Mapping, Sequence
from typing import Any

from runs.analysis import sections
from runs.analysis.document import SCHEMA_VERSION, run_figures
from runs.analysis.group_words import group_headline
from runs.analysis.judged_figures import family_of
from runs.analysis.reading import part
from runs.analysis.repeats import noise_of_figure
from runs.analysis.thresholds import judge_group_thresholds, parse_threshold
from runs.baselines import judgement_of_group
from runs.errors import UnknownRun
from runs.models import Daemon, LoadTestRun
from runs.models.daemon import DaemonRole
from runs.models.instants import instant
from runs.states import RunStatus

ORDER = (
    *("schema", "test_id", "status", "headline", "label", "group_id"),
    *("created_at", "started_at", "finished_at", "configuration", "metrics", "analysis"),
    *("thresholds", "gists", "notes"),
)
ORDER_OF_ANALYSIS = (
    *("performance_analysis", "task_metrics", "regime", "because", "bottleneck", "baseline"),
    *("type_metrics", "custom_analysis", "failures", "accounting", "environment"),
    *("distribution", "poll_cycle", "timeline"),
)


def report_document(run: LoadTestRun) -> dict[str, Any]:
    """The stored judgement, or how far the run is: every face shows this one document."""
    if run.report is not None:
        return _in_reading_order(run.report)
    return {**frame(run, status=run.status), "progress": progress_of(run), "notes": run.notes}


def _in_reading_order(document: Mapping[str, Any]) -> dict[str, Any]:
    """The stored document as a person reads it: PostgreSQL orders the names by their length."""
    ordered = _by(ORDER, document)
    if isinstance(document.get("analysis"), Mapping):
        ordered["analysis"] = _by(ORDER_OF_ANALYSIS, document["analysis"])
    return ordered


def _by(names: Sequence[str], section: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: section[name] for name in names if name in section}
    return known | {name: value for name, value in section.items() if name not in known}


def group_document(group_id: str) -> dict[str, Any]:
    """The reports of a `--repeat` group and what they have in common."""
    runs = list(
        LoadTestRun.objects.filter(group_id=group_id).select_related("configuration").order_by("pk")
    )
    if not group_id or not runs:
        raise UnknownRun(group_id)
    reports = [report_document(run) for run in runs]
    return {"group_id": group_id, "runs": reports, "summary": _summary(runs)}


def frame(run: LoadTestRun, *, status: str) -> dict[str, Any]:
    """What the document says of every run, finished or not."""
    return {
        "schema": SCHEMA_VERSION,
        "test_id": run.test_id,
        "status": status,
        "label": run.label,
        "group_id": run.group_id,
        "headline": run.headline,
        "created_at": instant(run.created_at),
        "started_at": instant(run.started_at),
        "finished_at": instant(run.finished_at),
        "configuration": configuration_of(run),
        "metrics": counts_of(run),
        "thresholds": [],
    }


def configuration_of(run: LoadTestRun) -> dict[str, Any]:
    """The workload and what was asked beside it."""
    content = run.configuration.content
    return {**content, "timeout_s": run.timeout_s, "baseline": run.baseline_choice}


def counts_of(run: LoadTestRun) -> dict[str, Any]:
    """The counts among the metrics; true at every moment."""
    ended = run.completed_count + run.failed_count
    return {
        "tasks_sent": run.sent_count,
        "tasks_completed": run.completed_count,
        "tasks_failed": run.failed_count,
        "tasks_lost": run.lost_count,
        "tasks_cancelled": run.cancelled_count,
        "failure_rate_percent": _percent(run.failed_count, ended),
        "completion_percentage": _percent(run.completed_count + run.failed_count, run.sent_count),
    }


def progress_of(run: LoadTestRun) -> dict[str, Any]:
    """How far an unfinished run is, and what it waits for."""
    ahead = LoadTestRun.objects.ahead_of(run) if run.status == RunStatus.PENDING else None
    return {
        "planned": run.planned_count,
        "sent": run.sent_count,
        "completed": run.completed_count,
        "failed": run.failed_count,
        "lost": run.lost_count,
        "cancelled": run.cancelled_count,
        "outstanding": run.outstanding_count,
        "percent": _percent(run.accounted_count, run.planned_count),
        **_pace(run),
        "waiting_for": None if ahead is None else f"after {ahead.test_id} on {run.target_queue}",
        "cancelling": run.cancel_requested_at is not None,
        "dispatcher_alive": bool(run.dispatcher)
        or Daemon.objects.alive(DaemonRole.DISPATCHER).exists(),
    }


def _pace(run: LoadTestRun) -> dict[str, float | None]:
    """Tasks ended a second since the start, and seconds left if it goes on so; null before any.

    At a rate the run lasts at least until its last task is due.
    """
    elapsed_s = run.elapsed_s() if run.started_at is not None and run.accounted_count else 0.0
    if elapsed_s <= 0:
        return {"throughput_per_s": None, "seconds_left": None}
    rate = run.accounted_count / elapsed_s
    left_s = (run.planned_count - run.accounted_count) / rate
    left_s = max(left_s, run.arrivals.last_offset_s - elapsed_s)
    return {"throughput_per_s": round(rate, 3), "seconds_left": round(left_s, 1)}


def _summary(runs: Sequence[LoadTestRun]) -> dict[str, Any]:
    """What the finished runs of a group have in common, and how they stand to those before."""
    finished = [run for run in runs if run.report is not None]
    completed = [run for run in finished if run.status == RunStatus.COMPLETED]
    summary: dict[str, Any] = {"runs": len(runs), "finished": len(finished)}
    if completed:
        judgement = judgement_of_group(completed)
        summary |= {
            "verdict": judgement.verdict.value,
            "headline": group_headline(
                [run_figures(run.figures) for run in completed], judgement=judgement
            ),
            "because": judgement.because,
            "figures": _spread_of(completed),
            "baseline": judgement.as_document(),
        }
    if len(finished) == len(runs):
        summary["thresholds"] = _thresholds_of(finished, baseline=summary.get("baseline"))
    return summary


def _thresholds_of(
    runs: Sequence[LoadTestRun], *, baseline: Mapping[str, Any] | None
) -> list[dict[str, object]]:
    results = judge_group_thresholds(
        map(parse_threshold, runs[0].thresholds),
        reports=[run.report or {} for run in runs],
        baseline=baseline or part(runs[0].report, "analysis", "baseline"),
    )
    return [result.as_document() for result in results]


def _spread_of(runs: Sequence[LoadTestRun]) -> dict[str, Any]:
    """Each judged figure over the runs: mean, and how much it varies from run to run."""
    figures = [run_figures(run.figures) for run in runs]
    spread = {}
    for figure in family_of(figures):
        values = [each.value(figure) for each in figures]
        known = [value for value in values if value is not None]
        noise = noise_of_figure(figure, runs=figures)
        if known:
            spread[figure.name] = {
                "mean": sections.rounded(noise.mean),
                "min": sections.rounded(min(known)),
                "max": sections.rounded(max(known)),
                "run_cv_percent": sections.percent(noise.cv),
                "n": noise.n,
            }
    return spread


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 4) if whole else None
