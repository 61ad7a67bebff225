"""What do the past runs of a configuration say: the baseline, and since when it has been so?

The baseline is the last comparable runs, at most 20, since the last change point of any judged
figure: before that the queue was another one. Its value is their geometric mean.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from statistics import fmean

from runs.analysis.change_points import shifts
from runs.analysis.effects import Spread
from runs.analysis.judged_figures import (
    JudgedFigure,
    RunFigures,
    Valued,
    centre_of,
    family_of,
    group_of,
    valued,
)
from runs.analysis.verdicts import Verdict

MOST_RUNS = 20
FEWEST_RUNS = 2  # a single earlier run tells nothing of how much runs vary
ALPHA = 0.05  # for all figures of a history together


class BaselineKind(StrEnum):
    """Where the runs compared with come from."""

    PINNED = "pinned"
    HISTORY = "history"
    FILE = "file"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A finished run and when it finished."""

    figures: RunFigures
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """A run since which a figure has been different: changed with one run, noticed with a later."""

    figure: JudgedFigure
    index: int  # into the history given
    run_id: str
    changed_at: datetime
    detected_run_id: str
    detected_at: datetime
    before: float  # geometric means of the runs before and since (failure rates: percent)
    after: float

    @property
    def verdict(self) -> Verdict:
        """Better or worse since then."""
        better = (self.after > self.before) is self.figure.higher_is_better
        return Verdict.IMPROVED if better else Verdict.REGRESSED

    @property
    def because(self) -> str:
        """One plain sentence."""
        figure = self.figure
        later = (
            "" if self.run_id == self.detected_run_id else f", noticed with {self.detected_run_id}"
        )
        return (
            f"{figure.label} went from {self.before:.3g}{figure.unit} to"
            f" {self.after:.3g}{figure.unit} with {self.run_id}{later}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The runs to compare with.

    `also` are further runs of the same run-to-run spread, where the baseline itself is too few.
    """

    kind: BaselineKind
    runs: tuple[RunFigures, ...]
    since: ChangePoint | None = None
    also: tuple[RunFigures, ...] = ()

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The ids of the runs, oldest first."""
        return tuple(run.run_id for run in self.runs)

    @property
    def spread(self) -> Spread:
        """A history shares its spread with the run judged; a group of repeats has its own."""
        return Spread.SHARED if self.kind is BaselineKind.HISTORY else Spread.OWN

    def value(self, figure: JudgedFigure) -> float | None:
        """The geometric mean of a figure over the runs that have a value above zero."""
        values = [value for run in self.runs if (value := run.value(figure))]
        return math.exp(fmean(map(math.log, values))) if values else None


def history_baseline(
    history: Sequence[PastRun], *, fewest: int = FEWEST_RUNS, most: int = MOST_RUNS
) -> Baseline | None:
    """The baseline in comparable past runs, oldest first; None where there are too few.

    Too few runs since a change point do not reach back beyond it.
    """
    if len(history) < fewest:
        return None
    points = change_points(history)
    since = points[-1] if points else None
    recent = [past.figures for past in history[since.index if since else 0 :]]
    return Baseline(kind=BaselineKind.HISTORY, runs=tuple(recent[-most:]), since=since)


def change_points(history: Sequence[PastRun]) -> list[ChangePoint]:
    """All change points of the judged figures in past runs (oldest first), in order.

    Runs without a figure are passed over in that figure's series; gaps in time are no gaps here.
    """
    family = family_of([past.figures for past in history])
    found = [
        point
        for figure in family
        for point in _points_of(figure, history=history, alpha=ALPHA / len(family))
    ]
    return sorted(found, key=lambda point: point.index)


def _points_of(
    figure: JudgedFigure, *, history: Sequence[PastRun], alpha: float
) -> list[ChangePoint]:
    having = [index for index, past in enumerate(history) if past.figures.value(figure) is not None]
    runs = valued([history[index].figures for index in having], figure=figure)
    groups = [group for each in runs if (group := group_of((each,), figure=figure))]
    if not groups:
        return []
    found = shifts(
        [group.mean for group in groups],
        alpha=alpha,
        least_variance=fmean(group.least_variance for group in groups),
    )
    edges = [0, *(shift.index for shift in found), len(runs)]
    levels = [_level(runs[low:high], figure=figure) for low, high in pairwise(edges)]
    points = []
    for place, shift in enumerate(found):
        changed, detected = (history[having[each]] for each in (shift.index, shift.detected))
        point = ChangePoint(
            figure=figure,
            index=having[shift.index],
            run_id=changed.figures.run_id,
            changed_at=changed.at,
            detected_run_id=detected.figures.run_id,
            detected_at=detected.at,
            before=levels[place],
            after=levels[place + 1],
        )
        points.append(point)
    return points


def _level(runs: Valued, *, figure: JudgedFigure) -> float:
    """A segment's value as people read it."""
    return centre_of(runs, group=group_of(runs, figure=figure), figure=figure) or 0.0
