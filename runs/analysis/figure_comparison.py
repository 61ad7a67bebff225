"""By how much does one figure of two groups of runs differ, and what does its interval allow?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from runs.analysis.effects import (
    Contrast,
    Group,
    Spread,
    contrast,
    difference_of_shares,
    share_of_angle,
    t_quantile,
)
from runs.analysis.judged_figures import (
    FEWEST_STEPS,
    FigureScale,
    JudgedFigure,
    RunFigures,
    centre_of,
    group_of,
    valued,
)
from runs.analysis.ranks import RankTest, rank_test
from runs.analysis.repeats import repeats_needed
from runs.analysis.verdicts import Reason, Verdict

ALPHA = 0.05
MIN_EFFECT = 0.05
# The width of the best band of efficiency: a failure rate is unchanged if it moved by no more.
FAILURE_MARGIN_POINTS = 1.0
# Where no repeat tells how much runs vary: about what hosted machines show (CodSpeed: 2.7 %).
ASSUMED_CV = 0.03
# Twice as much, or half the tasks: bounds beyond are no news.
MOST_SHARE_SAID, MOST_POINTS_SAID = 1.0, 50.0

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared: the runs `now` with those `before`.

    `also`: further runs that tell the run-to-run spread without being compared with, such as the
    history beside a pinned run.
    """

    now: Sequence[RunFigures]
    before: Sequence[RunFigures]
    spread: Spread
    also: Sequence[RunFigures] = ()
    min_effect: float = MIN_EFFECT


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureComparison:
    """One figure of two groups of runs, `value` (now) with `before`.

    Values are geometric means over the runs (failure rates: all failures over all tasks, percent).
    `change`, its 95 % `interval` and `margin` (what counts as a change) are shares, ratio − 1; for
    a failure rate they are percentage points, since a ratio to no failures has no meaning.
    """

    figure: JudgedFigure
    before_values: tuple[float, ...]
    values: tuple[float, ...]
    before: float | None
    value: float | None
    margin: float
    spread: Spread
    family_size: int = 1
    ratio: float | None = None
    change: float | None = None
    interval: Interval | None = None
    run_cv: float | None = None  # the run-to-run spread that judged it
    p_value: float | None = None
    adjusted_p_value: float | None = None
    verdict: Verdict = Verdict.INCONCLUSIVE
    reason: Reason = Reason.MISSING

    @property
    def ratio_interval(self) -> Interval | None:
        """The 95 % interval of the ratio; None for a failure rate."""
        if self.interval is None or self.figure.scale is FigureScale.SHARE:
            return None
        return 1 + self.interval[0], 1 + self.interval[1]

    @property
    def worst_possible(self) -> float | None:
        """The largest worsening that the interval still allows; any above it is excluded."""
        if self.interval is None:
            return None
        low, high = self.interval
        return max(0.0, -low if self.figure.higher_is_better else high)

    @property
    def best_possible(self) -> float | None:
        """The largest gain that the interval still allows."""
        if self.interval is None:
            return None
        low, high = self.interval
        return max(0.0, high if self.figure.higher_is_better else -low)

    @property
    def would_have_shown(self) -> float | None:
        """Any change above this, in either direction, would have shown."""
        return None if self.interval is None else max(abs(bound) for bound in self.interval)

    @property
    def says_nothing(self) -> bool:
        """Whether its interval is too wide to exclude anything that matters to anybody."""
        most = MOST_POINTS_SAID if self.figure.scale is FigureScale.SHARE else MOST_SHARE_SAID
        return (self.would_have_shown or 0.0) > most

    @property
    def repeats(self) -> int | None:
        """Runs that would settle it in four of five cases; None where no number of runs would.

        A side for two groups; of the runs judged, where they stand against a history.
        """
        if self.change is None or self.figure.scale is FigureScale.SHARE:
            return None
        earlier = len(self.before_values)
        return repeats_needed(
            max(abs(self.change), self.margin),
            cv=self.run_cv or ASSUMED_CV,
            before=earlier if self.spread is Spread.SHARED and earlier > 1 else None,
            alpha=ALPHA / self.family_size,
        )

    @property
    def ranks(self) -> RankTest | None:
        """The cross-check by ranks."""
        return rank_test(self.before_values, self.values)


def measure(figure: JudgedFigure, *, sides: Sides) -> FigureComparison | None:
    """The figure with its change and interval; None where neither side can be judged by it."""
    having, earlier = (valued(runs, figure=figure) for runs in (sides.now, sides.before))
    now, before = (group_of(each, figure=figure) for each in (having, earlier))
    if now is None and before is None:
        return None
    measured = FigureComparison(
        figure=figure,
        before_values=tuple(value for _, value in earlier),
        values=tuple(value for _, value in having),
        before=centre_of(earlier, group=before, figure=figure),
        value=centre_of(having, group=now, figure=figure),
        margin=sides.min_effect,
        spread=sides.spread,
    )
    if max(measured.value or 0.0, measured.before or 0.0) < FEWEST_STEPS * figure.step:
        return None
    if now is None or before is None:
        return measured
    also = group_of(valued(sides.also, figure=figure), figure=figure)
    found = contrast(now, before=before, spread=sides.spread, also=[also] if also else [])
    if found is None:
        alone = now.n == before.n == 1
        measured = replace(measured, reason=Reason.ONE_AGAINST_ONE if alone else Reason.NO_SPREAD)
    else:
        spread = math.sqrt(fmean((found.errors[0] ** 2 * now.n, found.errors[1] ** 2 * before.n)))
        measured = replace(measured, p_value=found.p_value, run_cv=spread)
    if figure.scale is FigureScale.SHARE:
        return _in_points(measured, found=found, groups=(now, before))
    return _in_ratio(measured, found=found, groups=(now, before))


def _in_ratio(
    measured: FigureComparison, *, found: Contrast | None, groups: tuple[Group, Group]
) -> FigureComparison:
    now, before = groups
    margin = max(measured.margin, measured.figure.step / math.exp(before.mean))
    ratio = math.exp(now.mean - before.mean)
    measured = replace(measured, ratio=ratio, change=ratio - 1, margin=margin)
    if found is None:
        return measured
    low, high = found.interval(confidence=1 - ALPHA)
    return replace(measured, interval=(math.expm1(low), math.expm1(high)))


def _in_points(
    measured: FigureComparison, *, found: Contrast | None, groups: tuple[Group, Group]
) -> FigureComparison:
    value, before = (measured.value or 0.0) / 100, (measured.before or 0.0) / 100
    measured = replace(
        measured,
        margin=FAILURE_MARGIN_POINTS,
        ratio=value / before if before > 0 else None,
        change=100 * (value - before),
    )
    if found is not None:
        reach = t_quantile(1 - ALPHA / 2, freedom=found.freedom)
        now_bounds, before_bounds = (
            _share_bounds(group.mean, reach=reach * error, share=share)
            for group, error, share in zip(groups, found.errors, (value, before), strict=True)
        )
        low, high = difference_of_shares((value, before), intervals=(now_bounds, before_bounds))
        measured = replace(measured, interval=(100 * low, 100 * high))
    if value == before == 0:
        return replace(measured, verdict=Verdict.UNCHANGED, reason=Reason.NO_FAILURES, p_value=None)
    return measured


def _share_bounds(angle: float, *, reach: float, share: float) -> Interval:
    """The interval of one side's share; Anscombe's ⅜ may shift it past the share itself."""
    low, high = share_of_angle(angle - reach), share_of_angle(angle + reach)
    return min(low, share), max(high, share)
