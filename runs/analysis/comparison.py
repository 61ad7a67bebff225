"""Is this group of runs better or worse than that one, by how much, and how sure is that?

Per figure a ratio with its 95 % interval and a verdict; over the family Holm's correction, so that
an unchanged run is called changed in at most one case of twenty however many figures are judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from runs.analysis.effects import Spread
from runs.analysis.figure_comparison import (
    ALPHA,
    MIN_EFFECT,
    FigureComparison,
    Sides,
    measure,
)
from runs.analysis.judged_figures import FigureScale, JudgedFigure, RunFigures, family_of
from runs.analysis.multiplicity import holm
from runs.analysis.verdicts import Reason, Verdict, worst


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All figures of two groups of runs; the verdict is the worst of theirs."""

    figures: tuple[FigureComparison, ...]
    left_out: tuple[JudgedFigure, ...]  # without a value on either side, or below the clock's step
    verdict: Verdict
    n: int
    n_before: int
    spread: Spread
    min_effect: float

    def figure(self, name: str) -> FigureComparison | None:
        """The comparison of the figure of that name."""
        return next((each for each in self.figures if each.figure.name == name), None)


def compare(
    now: Sequence[RunFigures],
    *,
    before: Sequence[RunFigures],
    spread: Spread = Spread.OWN,
    also: Sequence[RunFigures] = (),
    min_effect: float = MIN_EFFECT,
) -> Comparison:
    """The runs `now` against the runs `before`.

    `spread`: SHARED against a history, OWN for two groups of repeats. `also`: further runs of the
    same spread, compared with nothing. `min_effect`: the smallest share that counts as a change.
    """
    sides = Sides(now=now, before=before, spread=spread, also=also, min_effect=min_effect)
    family = family_of([*now, *before])
    measured = [measure(figure, sides=sides) for figure in family]
    figures = _judged([each for each in measured if each is not None], min_effect=min_effect)
    kept = {each.figure for each in figures}
    return Comparison(
        figures=figures,
        left_out=tuple(figure for figure in family if figure not in kept),
        verdict=worst(each.verdict for each in figures),
        n=len(now),
        n_before=len(before),
        spread=spread,
        min_effect=min_effect,
    )


def _judged(
    measured: Sequence[FigureComparison], *, min_effect: float
) -> tuple[FigureComparison, ...]:
    """Each figure with its verdict.

    A figure without a p-value is no part of the family: two sides without a failure could not have
    been called changed (Tarone 1990).
    """
    p_values = [each.p_value for each in measured if each.p_value is not None]
    adjusted = iter(holm(p_values))
    return tuple(
        _with_verdict(each, adjusted=adjusted, family_size=len(p_values), min_effect=min_effect)
        for each in measured
    )


def _with_verdict(
    each: FigureComparison, *, adjusted: Iterator[float], family_size: int, min_effect: float
) -> FigureComparison:
    """Changed: the interval excludes no change, Holm agrees, and the effect is large enough.

    Unchanged: the whole interval lies within the margin. Everything else is inconclusive.
    """
    if each.p_value is None or each.interval is None or each.change is None:
        return each
    (low, high), change, adjusted_p = each.interval, each.change, next(adjusted)
    each = replace(each, adjusted_p_value=adjusted_p, family_size=family_size)
    if each.figure.scale is FigureScale.SHARE:
        is_large = each.ratio is None or abs(each.ratio - 1) >= min_effect
    else:
        is_large = abs(change) >= each.margin
    allows_none = low <= 0 <= high
    if is_large and not allows_none and adjusted_p <= ALPHA:
        better = (change > 0) is each.figure.higher_is_better
        verdict = Verdict.IMPROVED if better else Verdict.REGRESSED
        return replace(each, verdict=verdict, reason=Reason.CHANGED)
    if -each.margin <= low and high <= each.margin:
        return replace(each, verdict=Verdict.UNCHANGED, reason=Reason.WITHIN_MARGIN)
    if allows_none:
        return replace(each, reason=Reason.UNCERTAIN)
    return replace(each, reason=Reason.ONE_OF_SEVERAL if is_large else Reason.BELOW_MARGIN)
