"""How does the headline say what other runs say? A clause, without a full stop."""

from runs.analysis.comparison_words import percent, still_open
from runs.analysis.figure_comparison import FigureComparison
from runs.analysis.history import BaselineKind
from runs.analysis.judged_figures import (
    P95_SOJOURN,
    STEADY_THROUGHPUT,
    THROUGHPUT,
    FigureScale,
)
from runs.analysis.judgement import Judgement
from runs.analysis.verdicts import Verdict


def against(judgement: Judgement) -> str:
    """Whom the run is compared with."""
    n = len(judgement.runs)
    match judgement.kind:
        case BaselineKind.HISTORY:
            return f"your last {n} runs"
        case BaselineKind.PINNED:
            return "your pinned run" if n <= 1 else f"your {n} pinned runs"
        case _:
            return "the run in the file" if n <= 1 else f"the {n} runs in the file"


def verdict_clause(judgement: Judgement, *, with_interval: bool) -> str:
    """12 % slower than your last 8 runs (95 % -14 to -10); "" where nothing can be said."""
    comparison = judgement.comparison
    if comparison is None or judgement.verdict in _SAYS_NOTHING:
        return ""
    if judgement.verdict is not comparison.verdict:
        return f"inconclusive, {'; '.join(judgement.doubts)}"
    deciding = [each for each in comparison.figures if each.verdict is judgement.verdict]
    if not deciding:
        return f"nothing in common with {against(judgement)} to compare"
    gained = [each for each in comparison.figures if each.verdict is Verdict.IMPROVED]
    if judgement.verdict is Verdict.INCONCLUSIVE and gained:
        said = _changed(gained[0], against(judgement))
        interval = _interval(gained[0]) if with_interval else ""
        return f"{said}{interval}, but {still_open(comparison.figures)}"
    leading = deciding[0]  # the family begins with the figure that answers the run's question
    said = _CLAUSES[judgement.verdict](leading, against(judgement))
    return said + (_interval(leading) if with_interval else "")


def _unchanged(_: FigureComparison, others: str) -> str:
    return f"the same as {others}"


def _changed(each: FigureComparison, others: str) -> str:
    return f"{_by_how_much(each, each.change or 0.0)} than {others}"


def _inconclusive(each: FigureComparison, others: str) -> str:
    if each.interval is None:
        return f"no telling a change from chance beside {others}"
    if each.says_nothing:
        return f"no telling a change in {each.figure.label} from chance beside {others}"
    low, high = each.interval
    if not low < 0 < high:
        return f"perhaps {_by_how_much(each, each.change or 0.0)} than {others}"
    bounds = f"between {_amount(each, low)} and {_amount(each, high)} than {others}"
    return f"{_subject(each)}{bounds}"


def _by_how_much(each: FigureComparison, change: float) -> str:
    """12 % slower; p95 execution time 12 % longer; failure rate 2.1 points higher."""
    return f"{_subject(each)}{_amount(each, change)}"


def _subject(each: FigureComparison) -> str:
    """The figure, where it is not the one that the headline has just given."""
    return "" if each.figure in _HEADLINED else f"{each.figure.label} "


def _amount(each: FigureComparison, change: float) -> str:
    figure = each.figure
    if figure.scale is FigureScale.SHARE:
        return f"{abs(change):.2g} points {'higher' if change > 0 else 'lower'}"
    amount = f"{percent(abs(change))} %"
    if figure in {THROUGHPUT, STEADY_THROUGHPUT}:
        return f"{amount} {'faster' if change > 0 else 'slower'}"
    if figure is P95_SOJOURN:
        return f"{amount} {'later' if change > 0 else 'sooner'}"
    return f"{amount} {'longer' if change > 0 else 'shorter'}"


def _interval(each: FigureComparison) -> str:
    """(+0.1 %, 95 % -0.2 to +0.4); nothing for a share, whose points are said, or without one."""
    if each.interval is None or each.change is None or each.figure.scale is FigureScale.SHARE:
        return ""
    low, high = (percent(bound, signed=True) for bound in each.interval)
    shown = (
        "" if each.verdict is not Verdict.UNCHANGED else f"{percent(each.change, signed=True)} %, "
    )
    return "" if each.verdict is Verdict.INCONCLUSIVE else f" ({shown}95 % {low} to {high})"


_HEADLINED = (THROUGHPUT, STEADY_THROUGHPUT, P95_SOJOURN)
_SAYS_NOTHING = (Verdict.NO_BASELINE, Verdict.INCOMPARABLE)
_CLAUSES = {
    Verdict.UNCHANGED: _unchanged,
    Verdict.IMPROVED: _changed,
    Verdict.REGRESSED: _changed,
    Verdict.INCONCLUSIVE: _inconclusive,
}
