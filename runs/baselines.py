"""Use case: what a run is judged against: pin it, find it, say it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from runs.analysis.comparability import configuration_differences, environment_differences
from runs.analysis.document import (
    ReportedRun,
    UnreadableReportError,
    read_report,
    run_figures,
)
from runs.analysis.doubts import group_doubts
from runs.analysis.history import Baseline, BaselineKind, PastRun, history_baseline
from runs.analysis.judged_figures import RunFigures
from runs.analysis.judgement import (
    Judgement,
    incomparable,
    judge,
    no_baseline,
    not_asked,
    unusable_baseline,
)
from runs.chosen_baseline import AUTO, NONE
from runs.errors import NotAllowedNow
from runs.histories import ranked_configurations, rows_of
from runs.models import LoadTestRun
from runs.models.instants import instant
from runs.states import RunStatus

HISTORY = 60  # runs looked at: 20 make a baseline, more show where it changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One run, or one group of repeats, as far as it is compared."""

    run: LoadTestRun
    figures: Sequence[RunFigures]
    configuration: Mapping[str, Any]
    environment: Mapping[str, Any]
    environment_key: str
    doubts: Sequence[str] = ()


def pin(*, test_id: str) -> LoadTestRun:
    """Make a completed run the baseline of its configuration."""
    run = LoadTestRun.objects.named(test_id)
    if run.status != RunStatus.COMPLETED:
        raise NotAllowedNow(f"{test_id} is {run.status}: only a completed run can be a baseline.")
    run.configuration.pin(run)
    return run


def unpin(*, test_id: str) -> LoadTestRun:
    """Let the configuration of a pinned run be judged by its history again."""
    with transaction.atomic():
        run = LoadTestRun.objects.named(test_id)
        if run.configuration.pinned_run_id != run.pk:
            raise NotAllowedNow(f"{test_id} is not pinned.")
        run.configuration.pin(None)
    return run


def judgement_of(judged: Judged) -> tuple[Judgement, Baseline | None]:
    """The verdict on a run by the baseline that was chosen for it, and that baseline."""
    choice = judged.run.baseline_choice
    if choice == NONE:
        return not_asked(), None
    try:
        chosen = _chosen(judged.run)
    except UnreadableReportError as error:
        return unusable_baseline(str(error)), None
    if chosen is None:
        return _by_history(judged)
    if not chosen:
        return unusable_baseline(f"the baseline {choice} is not stored any more."), None
    of_file = judged.run.baseline_document is not None
    return _against(judged, chosen, kind=BaselineKind.FILE if of_file else BaselineKind.PINNED)


def judgement_of_group(runs: Sequence[LoadTestRun]) -> Judgement:
    """The verdict on a group of repeats, all together, by what was chosen for the first."""
    first = runs[0]
    judgement, _ = judgement_of(
        Judged(
            run=first,
            figures=[run_figures(run.figures) for run in runs],
            configuration=first.configuration.content,
            environment=first.environment,
            environment_key=first.environment_key,
            doubts=group_doubts(
                doubtful=sum(run.is_doubtful for run in runs),
                environments=len({run.environment_key for run in runs}),
                runs=len(runs),
            ),
        )
    )
    return judgement


def history_of(run: LoadTestRun, *, environment_key: str, most: int = HISTORY) -> list[LoadTestRun]:
    """Earlier runs of equal workload, slots, arq settings and host class, oldest first.

    Only those that ended as planned, and none of the run's own group.
    """
    earlier = LoadTestRun.objects.filter(
        configuration_id=run.configuration_id,
        environment_key=environment_key,
        status=RunStatus.COMPLETED,
        completed_count__gt=0,
        lost_count=0,
        is_doubtful=False,
        pk__lt=run.pk,
    )
    if run.group_id:
        earlier = earlier.exclude(group_id=run.group_id)
    found = earlier.order_by("-pk").defer("report", "fleet", "observed", "notes")[:most]
    return list(reversed(found))


def past_runs(runs: Sequence[LoadTestRun]) -> list[PastRun]:
    """Stored runs as the analysis of a history takes them."""
    return [
        PastRun(figures=run_figures(run.figures), at=run.finished_at)
        for run in runs
        if run.finished_at is not None
    ]


def _by_history(judged: Judged) -> tuple[Judgement, Baseline | None]:
    earlier = history_of(judged.run, environment_key=judged.environment_key)
    baseline = history_baseline(past_runs(earlier))
    if baseline is None:
        return no_baseline(len(earlier)), None
    changed = environment_differences(earlier[-1].environment, judged.environment).listed
    return (
        judge(judged.figures, baseline=baseline, changed=changed, doubts=judged.doubts),
        baseline,
    )


def _against(
    judged: Judged, reported: Sequence[ReportedRun], *, kind: BaselineKind
) -> tuple[Judgement, Baseline | None]:
    """Against chosen runs; the history beside them tells how much runs vary."""
    first = reported[0]
    differing = configuration_differences(first.configuration, judged.configuration)
    if differing:
        return incomparable(differing, kind=kind), None
    chosen = {each.figures.run_id for each in reported}
    earlier = history_of(judged.run, environment_key=judged.environment_key)
    also = [run_figures(run.figures) for run in earlier if run.test_id not in chosen]
    baseline = Baseline(kind=kind, runs=tuple(each.figures for each in reported), also=tuple(also))
    changed = environment_differences(first.environment, judged.environment).all
    return (
        judge(judged.figures, baseline=baseline, changed=changed, doubts=judged.doubts),
        baseline,
    )


def _chosen(run: LoadTestRun) -> list[ReportedRun] | None:
    """The completed runs that a run is to be judged against; None where its history does."""
    choice = run.baseline_choice
    if run.baseline_document is not None:
        reported = [read_report(each, name=choice) for each in run.baseline_document]
        return [each for each in reported if each.status == RunStatus.COMPLETED]
    if choice == AUTO:
        pinned = run.configuration.pinned_run
        return None if pinned is None or pinned.pk == run.pk else _reported([pinned])
    named = LoadTestRun.objects.filter(test_id=choice) | LoadTestRun.objects.filter(group_id=choice)
    return _reported(named.filter(status=RunStatus.COMPLETED).exclude(pk=run.pk).order_by("pk"))


def _reported(runs: Iterable[LoadTestRun]) -> list[ReportedRun]:
    return [read_report(run.report, name=run.test_id) for run in runs]


def baseline_rows() -> list[dict[str, Any]]:
    """One row per configuration that has finished runs, regressed first, then the latest first.

    The history shown is that of the last run: equal slots, arq settings and host class. However
    many configurations there are, it takes the same few queries.
    """
    rows = rows_of(ranked_configurations().ids)
    return [{name: row[name] for name in _SHOWN} | _instants(row) for row in rows]


_SHOWN = (
    *("configuration_id", "name", "in_words", "queue", "last_run", "verdict", "headline"),
    *("figure", "figure_label", "unit", "higher_is_better", "last_figure"),
    *("baseline", "baseline_n", "change_points", "since", "since_verdict", "pinned_run"),
)


def _instants(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says of time, and its history without what only pages show."""
    return {
        "last_at": instant(row["last_at"]),
        "history": [{name: each[name] for name in _POINT} for each in row["history"]],
    }


_POINT = ("test_id", "value", "at")
