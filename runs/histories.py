"""Use case: how has a configuration done? Its runs on the same queue, and where they changed.

For one run, or for a page of configurations at once: always the same few queries.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F, Q, Window
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import RowNumber

from runs.analysis.document import run_figures
from runs.analysis.history import ChangePoint, PastRun, change_points
from runs.analysis.judged_figures import (
    P95_SOJOURN,
    THROUGHPUT,
    JudgedFigure,
    RunFigures,
    answer_of,
)
from runs.analysis.verdicts import Verdict
from runs.models import LoadTestRun
from runs.models.instants import instant
from runs.proof import in_words
from runs.states import RunStatus

MOST = 50
_RANKS = {Verdict.REGRESSED.value: 0, Verdict.INCONCLUSIVE.value: 1, Verdict.IMPROVED.value: 2}


class _PastRow(NamedTuple):
    """What a history shows of a run: fields of the run, by their names."""

    test_id: str
    finished_at: datetime
    figures: Mapping[str, Any]
    verdict: str
    requested_by__username: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Every configuration that has been run, by its last run: regressed first, then the latest."""

    ids: Sequence[int]
    verdicts: Mapping[str, int]  # how many configurations have which

    @property
    def total(self) -> int:
        """How many configurations there are."""
        return len(self.ids)


def ranked_configurations() -> Ranked:
    """The last run of every configuration, in the order of the report."""
    found = list(LoadTestRun.objects.latest_of_each_configuration().values_list("pk", "verdict"))
    found.sort(key=lambda each: _RANKS.get(each[1], len(_RANKS)))
    verdicts: dict[str, int] = {}
    for _, verdict in found:
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    return Ranked(ids=[pk for pk, _ in found], verdicts=verdicts)


def rows_of(ids: Sequence[int]) -> list[dict[str, Any]]:
    """A row for each of these last runs, in their order, each with its history."""
    last = {
        run.pk: run
        for run in LoadTestRun.objects.filter(pk__in=ids)
        .select_related("configuration__pinned_run", "requested_by")
        .defer("report", "fleet", "observed", "notes", "environment")
        .annotate(judged=KeyTransform("baseline", KeyTransform("analysis", "report")))
    }
    before = _histories(last.values())
    return [_row(last[pk], before.get(pk, [])) for pk in ids if pk in last]


def history_of_run(run: LoadTestRun) -> dict[str, Any]:
    """The figure that such a run is judged by, of this run and of those before it."""
    return _history(_histories([run]).get(run.pk, []))


def _histories(runs: Iterable[LoadTestRun]) -> dict[int, list[_PastRow]]:
    """For each run those before it that compare, and itself last; two queries for all."""
    wanted = {(run.configuration_id, run.environment_key): run for run in runs}
    if not wanted:
        return {}
    comparable = Q()
    for (configuration, environment), run in wanted.items():
        comparable |= Q(configuration_id=configuration, environment_key=environment, pk__lte=run.pk)
    sound = Q(status=RunStatus.COMPLETED, lost_count=0, is_doubtful=False)
    itself = Q(pk__in=[run.pk for run in wanted.values()])
    numbered = (
        LoadTestRun.objects.filter(comparable, sound | itself, finished_at__isnull=False)
        .annotate(
            place=Window(
                RowNumber(),
                partition_by=[F("configuration_id"), F("environment_key")],
                order_by=F("pk").desc(),
            )
        )
        .filter(place__lte=MOST)
        .values("pk")
    )
    found: dict[int, list[_PastRow]] = {}
    shown = LoadTestRun.objects.filter(pk__in=[row["pk"] for row in numbered])
    for configuration, environment, *each in shown.order_by("pk").values_list(
        "configuration_id", "environment_key", *_PastRow._fields
    ):
        owner = wanted[configuration, environment]
        found.setdefault(owner.pk, []).append(_PastRow(*each))
    return found


def _history(runs: Sequence[_PastRow]) -> dict[str, Any]:
    past = [PastRun(figures=run_figures(run.figures), at=run.finished_at) for run in runs]
    figure = answer_of([each.figures for each in past]) if past else THROUGHPUT
    points = _points(past, figure=figure)
    return {
        "figure": figure.name,
        "figure_label": figure.label,
        "unit": figure.unit.strip(),
        "higher_is_better": figure.higher_is_better,
        "history": [
            {
                "test_id": run.test_id,
                "value": each.figures.value(figure),
                "at": instant(each.at),
                "by": run.requested_by__username or "",
                "verdict": run.verdict,
            }
            for run, each in zip(runs, past, strict=True)
        ],
        "change_points": [point.run_id for point in points],
        "since": points[-1].because if points else None,
        "since_at": points[-1].changed_at if points else None,
        "since_run": points[-1].run_id if points else None,
        "since_verdict": points[-1].verdict.value if points else None,
    }


def _row(run: Any, before: Sequence[_PastRow]) -> dict[str, Any]:
    configuration = run.configuration
    judged = run.judged if isinstance(run.judged, Mapping) else {}
    history = _history(before)
    figures = judged.get("figures") or {}
    compared = figures.get(history["figure"]) or {}
    return history | {
        "configuration_id": configuration.pk,
        "name": configuration.name,
        "in_words": in_words(configuration),
        "queue": run.target_queue,
        "last_run": run.test_id,
        "last_at": run.finished_at,
        "last_figure": history["history"][-1]["value"] if history["history"] else None,
        "verdict": run.verdict,
        "headline": run.headline,
        "because": judged.get("because"),
        "changed": judged.get("changed") or [],
        "baseline": compared.get("baseline"),
        "baseline_n": judged.get("n") or 0,
        "ratio": compared.get("ratio"),
        "ratio_interval": compared.get("ratio_interval"),
        "pinned_run": None
        if configuration.pinned_run is None
        else configuration.pinned_run.test_id,
    }


def _points(past: Sequence[PastRun], *, figure: JudgedFigure) -> Sequence[ChangePoint]:
    """Where the figure changed; kept, since a history is looked at more often than it grows."""
    series = tuple((each.figures.run_id, each.figures.value(figure), each.at) for each in past)
    return _points_of(series, figure=figure)


@functools.lru_cache(maxsize=2_000)
def _points_of(
    series: tuple[tuple[str, float | None, datetime], ...], *, figure: JudgedFigure
) -> tuple[ChangePoint, ...]:
    """why only this figure's values: the others' change points are not drawn, and cost as much."""
    regime = "keeping_up" if figure is P95_SOJOURN else None
    alone = [
        PastRun(
            figures=RunFigures(run_id=run_id, regime=regime, values={figure.name: value}), at=at
        )
        for run_id, value, at in series
    ]
    found = change_points(alone) if len(alone) > 1 else []
    return tuple(point for point in found if point.figure.name == figure.name)
