"""Use case: hold runs, groups of repeats and report files against each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runs.analysis.comparability import configuration_differences, environment_differences
from runs.analysis.comparison import Comparison
from runs.analysis.comparison import compare as compare_figures
from runs.analysis.comparison_words import (
    figure_because,
    not_the_same_workload,
    say_comparison,
)
from runs.analysis.document import ReportedRun, read_report
from runs.analysis.doubts import doubts_of_side
from runs.analysis.effects import Spread
from runs.analysis.judged_figures import RunFigures
from runs.analysis.verdicts import Verdict
from runs.errors import LoadLabError, NotAllowedNow, UnknownRun
from runs.models import LoadTestRun
from runs.report_files import reported_runs
from runs.states import RunStatus


class CannotCompare(LoadLabError):
    """What was named cannot be compared; one sentence says why."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the things compared: a run, or the runs of a group or file."""

    name: str
    runs: Sequence[ReportedRun]

    @property
    def first(self) -> ReportedRun:
        """The run whose workload and environment stand for all."""
        return self.runs[0]

    @property
    def figures(self) -> list[RunFigures]:
        """Of those that completed; of all where none did."""
        completed = [run.figures for run in self.runs if run.status == RunStatus.COMPLETED]
        return completed or [run.figures for run in self.runs]


def compare(*, references: Sequence[str], files: bool = False) -> dict[str, Any]:
    """Every other reference against the first: test ids, group ids and, with `files`, report files.

    `files` is for a person at a terminal: a server must not read what a stranger names.
    """
    if len(references) < 2:
        raise CannotCompare("Name at least two runs, groups or report files to compare.")
    sides = [_side(reference, files=files) for reference in references]
    return {
        "sides": [_side_document(side) for side in sides],
        "comparisons": [_comparison(sides[0], other) for other in sides[1:]],
    }


def _side(reference: str, *, files: bool) -> Side:
    if files and (reference.endswith(".json") or Path(reference).is_file()):
        return Side(name=reference, runs=reported_runs(reference))
    found = LoadTestRun.objects.filter(test_id=reference) | LoadTestRun.objects.filter(
        group_id=reference
    ).exclude(group_id="")
    runs = list(found.order_by("pk"))
    if not runs:
        raise UnknownRun(reference)
    unfinished = [run.test_id for run in runs if run.report is None]
    if unfinished:
        raise NotAllowedNow(f"{unfinished[0]} has no report yet: wait until it has ended.")
    return Side(name=reference, runs=[read_report(run.report, name=run.test_id) for run in runs])


def _side_document(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "n": len(side.runs),
        "runs": [
            {
                "test_id": run.figures.run_id,
                "status": run.status,
                "regime": run.figures.regime,
                "values": dict(run.figures.values),
                "completed": run.figures.completed,
                "failed": run.figures.failed,
            }
            for run in side.runs
        ],
        "configuration": dict(side.first.configuration),
        "environment": dict(side.first.environment),
    }


def _comparison(before: Side, now: Side) -> dict[str, Any]:
    workload = configuration_differences(before.first.configuration, now.first.configuration)
    environment = environment_differences(before.first.environment, now.first.environment)
    document: dict[str, Any] = {
        "before": before.name,
        "now": now.name,
        "configuration_differences": [each.as_document() for each in workload],
        "changed": [each.as_document() for each in environment.all],
    }
    if workload:
        because = not_the_same_workload(workload)
        verdict = Verdict.INCOMPARABLE.value
        return document | {
            "verdict": verdict,
            "headline": because,
            "because": because,
            "figures": {},
        }
    found = compare_figures(now.figures, before=before.figures, spread=Spread.OWN)
    words = say_comparison(
        found,
        what=environment.in_words or f"{now.name} against {before.name}",
        against=before.name,
        doubts=[d for side in (before, now) for d in doubts_of_side(side.name, runs=side.runs)],
    )
    return document | {
        "verdict": words.verdict.value,
        "headline": words.headline,
        "because": words.because,
        "figures": _figures(found),
    }


def _figures(found: Comparison) -> dict[str, Any]:
    return {
        each.figure.name: {
            "label": each.figure.label,
            "unit": each.figure.unit.strip(),
            "before": each.before,
            "value": each.value,
            "change": each.change,
            "interval": None if each.interval is None else list(each.interval),
            "verdict": each.verdict.value,
            "because": figure_because(each),
            "n_before": len(each.before_values),
            "n": len(each.values),
            "before_values": list(each.before_values),
            "values": list(each.values),
        }
        for each in found.figures
    }
