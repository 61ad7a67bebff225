"""What does a report document say of a run that is to be compared, and is it one at all?

Report files come from other machines and other versions, or are no reports: whatever cannot be read
is refused in one sentence that says what to do.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runs.analysis.comparability import BARRING, LISTED
from runs.analysis.judged_figures import ALL_JUDGED, FigureScale, RunFigures
from runs.analysis.reading import part
from runs.analysis.report_figures import report_value

SCHEMA_VERSION = 1  # of the report document; another number is another meaning of its names
_MOST_TASKS = 2**53
_RATIOS = [figure.name for figure in ALL_JUDGED if figure.scale is FigureScale.RATIO]


class UnreadableReportError(ValueError):
    """A file or document that is no report of ours; one sentence with the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRun:
    """One run as far as its report is needed to compare it."""

    figures: RunFigures
    status: str
    configuration: Mapping[str, Any]
    environment: Mapping[str, Any]
    doubts: tuple[str, ...] = ()


def read_report_file(content: bytes | str, *, name: str) -> tuple[ReportedRun, ...]:
    """The runs in a report file: of one report, or of a `--repeat` group.

    UnreadableReportError names the file and says what it is instead.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise UnreadableReportError(
            f"{name} is no JSON: write it with `loadlab run … --json > {name}`."
        ) from None
    if isinstance(document, Mapping) and isinstance(document.get("runs"), list):
        reports = document["runs"]
        if not reports:
            raise UnreadableReportError(f"{name} is a group without a run.")
    else:
        reports = [document]
    return tuple(
        read_report(report, name=name if len(reports) == 1 else f"run {place} of {name}")
        for place, report in enumerate(reports, start=1)
    )


def read_report(document: object, *, name: str) -> ReportedRun:
    """One run's report document; UnreadableReportError where it is none of this version."""
    if not isinstance(document, Mapping) or "metrics" not in document:
        raise UnreadableReportError(
            f"{name} is no loadlab report: `loadlab results TEST_ID --json` writes one."
        )
    schema = document.get("schema")
    if schema != SCHEMA_VERSION:
        raise UnreadableReportError(
            f"{name} is a report of schema {schema!r:.20} and this loadlab reads {SCHEMA_VERSION}:"
            " run it again, or compare with the loadlab that wrote it."
        )
    status = document.get("status")
    if status in ("pending", "dispatching", "running"):  # a tuple: a list has no hash
        raise UnreadableReportError(f"{name} is still {status}: wait until the run has ended.")
    return ReportedRun(
        figures=run_figures(document),
        status=str(status),
        configuration=part(document, "configuration"),
        environment=part(document, "analysis", "environment"),
        doubts=_sentences(report_value(document, path="analysis.doubts")),
    )


def reduced(run: ReportedRun) -> dict[str, Any]:
    """The report of a run cut down to what comparing needs: `read_report` reads the same of it."""
    figures = run.figures
    return {
        "schema": SCHEMA_VERSION,
        "test_id": figures.run_id,
        "status": run.status,
        "configuration": dict(run.configuration),
        "metrics": {
            "tasks_completed": figures.completed,
            "tasks_failed": figures.failed,
            "total_duration_seconds": figures.total_duration_s,
            **figures.values,
        },
        "analysis": {
            "regime": figures.regime,
            "doubts": list(run.doubts),
            "environment": {
                name: run.environment[name]
                for name in (*BARRING, *LISTED)
                if name in run.environment
            },
        },
    }


def run_figures(document: Mapping[str, Any]) -> RunFigures:
    """The figures of a report that are judged; what is no number there has no value here."""
    metrics = part(document, "metrics")
    times = part(document, "analysis", "task_metrics")
    regime = report_value(document, path="analysis.regime")
    return RunFigures(
        run_id=str(document.get("test_id", "a run without an id")),
        regime=regime if isinstance(regime, str) else None,
        values={name: _number(metrics.get(name, times.get(name))) for name in _RATIOS},
        completed=_count(metrics.get("tasks_completed")),
        failed=_count(metrics.get("tasks_failed")),
        total_duration_s=_number(metrics.get("total_duration_seconds")),
    )


def _sentences(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _MOST_TASKS and math.isfinite(value) else None


def _count(value: object) -> int:
    number = _number(value)
    return int(number) if number is not None and number > 0 else 0
