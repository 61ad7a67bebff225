"""Use case: samples → analysis → the report document, stored with the run's last status."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from runs.analysis import sections
from runs.analysis.advice import Evidence
from runs.analysis.document import run_figures
from runs.analysis.findings import RunFindings
from runs.analysis.history import Baseline
from runs.analysis.judged_figures import STEADY_THROUGHPUT, THROUGHPUT, RunFigures
from runs.analysis.judgement import Judgement, not_completed
from runs.analysis.ratings import efficiency_rating, throughput_rating
from runs.analysis.recommendations import recommend
from runs.analysis.sentences import Words, pressure_because, say
from runs.analysis.thresholds import judge_thresholds, parse_threshold
from runs.analysis.verdicts import Verdict
from runs.baselines import Judged, judgement_of
from runs.errors import NotAllowedNow
from runs.evidence import (
    environment_key,
)
from runs.examination import Examination, examine
from runs.models import LoadTestRun
from runs.models.measured import failures_of
from runs.proof import how_to_prove
from runs.report import frame
from runs.states import RunStatus
from workers.tasks.registry import analysis_of


def evaluate(run: LoadTestRun, *, status: RunStatus, headline: str = "") -> None:
    """Judge a run whose tasks are all accounted for and end it with `status`, in one statement.

    `headline` stands in place of what the tasks say, for a run that never came to send any.
    """
    if run.finished_at is None:
        run.finished_at = timezone.now()
    judged = _judge(run, status=status)
    if headline:
        judged["headline"] = judged["report"]["headline"] = headline
    run.move_to(status, finished_at=run.finished_at, **judged)


def evaluate_again(test_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Judge finished runs again, with today's history and laws; their new reports."""
    runs = [LoadTestRun.objects.named(test_id) for test_id in test_ids]
    for run in runs:
        if run.report is None:
            raise NotAllowedNow(f"{run.test_id} is {run.status}: it has not been judged yet.")
    reports = []
    for run in runs:
        judged = _judge(run, status=RunStatus(run.status))
        LoadTestRun.objects.filter(pk=run.pk).update(**judged)
        reports.append(judged["report"])
    return reports


def _judge(run: LoadTestRun, *, status: RunStatus) -> dict[str, Any]:
    """The fields of the run that hold its judgement."""
    seen = examine(run)
    document = _document(seen, status=status)
    figures = {
        "metrics": document["metrics"],
        "analysis": {
            "task_metrics": document["analysis"]["task_metrics"],
            "regime": document["analysis"]["regime"],
        },
        "test_id": run.test_id,
        "constants": sections.constants_section(seen.constants),
    }
    key = environment_key(seen.environment)
    judgement, baseline = _judgement(seen, figures=run_figures(figures), key=key, status=status)
    analysis = document["analysis"]
    words = _say(seen, judgement=judgement, status=status, failures=analysis["failures"])
    analysis["baseline"] = judgement.as_document()
    analysis["performance_analysis"] = _performance(
        seen, baseline=baseline, recommendations=words.recommendations
    )
    analysis["because"] = words.because
    document["headline"] = words.headline
    document["gists"] = dict(words.gists)
    document["notes"] = [*run.notes, *_unsaid_doubts(seen, judgement=judgement), *words.notes]
    document["thresholds"] = [
        result.as_document()
        for result in judge_thresholds(map(parse_threshold, run.thresholds), report=document)
    ]
    return {
        "report": document,
        "figures": figures,
        "environment": seen.environment,
        "environment_key": key,
        "headline": document["headline"],
        "verdict": judgement.verdict.value,
        "regime": document["analysis"]["regime"] or "",
        "is_doubtful": bool(seen.doubts),
    }


def _unsaid_doubts(seen: Examination, *, judgement: Judgement) -> list[str]:
    """What makes the run doubtful, where there is no baseline against which it would be said."""
    if judgement.verdict is not Verdict.NO_BASELINE or seen.run.sent_count == 0:
        return []
    return [f"{doubt[0].upper()}{doubt[1:]}." for doubt in seen.doubts]


def _document(seen: Examination, *, status: RunStatus) -> dict[str, Any]:
    """The report but for what other runs say."""
    run, summary = seen.run, seen.summary
    custom = _custom_analysis(run)
    document = frame(run, status=status.value)
    document["metrics"] |= sections.metrics_section(summary)
    document["analysis"] = {
        "performance_analysis": {},
        "task_metrics": sections.task_metrics_section(summary),
        "distribution": sections.distribution_section(summary),
        "type_metrics": sections.type_metrics_section(seen.tasks.metrics),
        "regime": summary.regime.regime.value if summary.regime else None,
        "because": None,
        "doubts": list(seen.doubts),
        "bottleneck": _bottleneck(seen),
        "baseline": {},
        "failures": failures_of(run.pk),
        "accounting": asdict(seen.accounting),
        "environment": {**seen.environment, "observer": _observer(seen)},
        "timeline": _timeline(seen),
        "poll_cycle": sections.poll_cycle_section(summary),
        **({} if custom is None else {"custom_analysis": custom}),
    }
    return document


def _judgement(
    seen: Examination, *, figures: RunFigures, key: str, status: RunStatus
) -> tuple[Judgement, Baseline | None]:
    if status is not RunStatus.COMPLETED:
        return not_completed(status), None
    return judgement_of(
        Judged(
            run=seen.run,
            figures=[figures],
            configuration=seen.run.configuration.content,
            environment=seen.environment,
            environment_key=key,
            doubts=seen.doubts,
        )
    )


def _performance(
    seen: Examination, *, baseline: Baseline | None, recommendations: Sequence[str]
) -> dict[str, Any]:
    """Ratings with the numbers behind them, and what to do."""
    summary, accounting = seen.summary, seen.accounting
    before = None if baseline is None else baseline.value(STEADY_THROUGHPUT)
    now = summary.steady_throughput_per_s
    if before is None or now is None:
        before = None if baseline is None else baseline.value(THROUGHPUT)
        now = summary.overall_throughput_per_s
    throughput = throughput_rating(now if accounting.completed else None, baseline_per_s=before)
    efficiency = efficiency_rating(completed=accounting.completed, sent=accounting.sent)
    return {
        "throughput_rating": throughput.rating.value,
        "efficiency_rating": efficiency.rating.value,
        "queue_pressure": None if summary.pressure is None else summary.pressure.value,
        "recommendations": list(recommendations),
        "because": {
            "throughput_rating": throughput.because,
            "efficiency_rating": efficiency.because,
            "queue_pressure": pressure_because(summary),
        },
    }


def _say(
    seen: Examination,
    *,
    judgement: Judgement,
    status: RunStatus,
    failures: Sequence[Mapping[str, Any]],
) -> Words:
    evidence = Evidence(
        summary=seen.summary,
        bottleneck=seen.bottleneck,
        workload=seen.workload,
        fleet=seen.fleet,
        constants=seen.constants,
    )
    return say(
        RunFindings(
            status=status,
            workload=seen.workload,
            fleet=seen.fleet,
            summary=seen.summary,
            bottleneck=seen.bottleneck,
            constants=seen.constants,
            recommendations=recommend(evidence),
            judgement=judgement,
            failures=[(each["error_type"], each["count"]) for each in failures],
            shares_host=seen.run.observed.get("shares_host"),
        )
    )


def _bottleneck(seen: Examination) -> dict[str, Any] | None:
    """The ceilings, and how the change that lifts them can be proved."""
    section = sections.bottleneck_section(seen.bottleneck)
    if section is not None and seen.bottleneck.change is not None:
        section["change"]["proof"] = how_to_prove(seen, change=seen.bottleneck.change)
    return section


def _custom_analysis(run: LoadTestRun) -> dict[str, Any] | None:
    """What the user's own analysis of the type makes of all metrics; an error is its result."""
    analysis = analysis_of(run.configuration.task_type)
    if analysis is None:
        return None
    stored = run.tasks.filter(metrics__isnull=False).order_by("sequence")
    try:
        found = analysis([task.metrics or {} for task in stored.only("metrics").iterator()])
        return dict(json.loads(json.dumps(found, allow_nan=False)))
    except Exception as error:  # noqa: BLE001 - a user's code may fail in any way; the run has not
        return {"error": f"{type(error).__name__}: {error}"}


def _timeline(seen: Examination) -> dict[str, Any] | None:
    run, samples = seen.run, seen.samples
    if run.started_at is None or not samples.n:
        return None
    first_send = run.started_at.timestamp() + float(samples.enqueued_s.min())
    looks = list(run.samples.order_by("at"))
    return sections.timeline_section(
        seen.summary,
        seen_at_s=[sample.at.timestamp() - first_send for sample in looks],
        seen={
            name: [getattr(sample, name) for sample in looks]
            for name in ("worker_cpu_percent", "worker_rss_mb", "redis_cpu_percent")
        },
    )


def _observer(seen: Examination) -> dict[str, Any]:
    """How much of what was measured is our own doing."""
    observed = seen.run.observed
    start, end = observed.get("redis_commands_at_start"), observed.get("redis_commands_at_end")
    ours = sum(observed.get(f"{who}_commands", 0) for who in ("sender", "collector", "heartbeat"))
    share = None
    if start is not None and end is not None and end > start:
        share = sections.percent(min(1.0, ours / (end - start)))
    return {
        "redis_commands_percent": share,
        "p99_dispatch_lag_ms": sections.milliseconds(seen.summary.dispatch_lag.p99_s),
        "shares_host": observed.get("shares_host"),
        "server": " ".join(
            str(observed[name]) for name in ("server_kind", "server_version") if name in observed
        ),
    }
