"""How is a comparison said, one plain sentence for each figure and one for all?"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from runs.analysis.comparison import Comparison
from runs.analysis.effects import Spread
from runs.analysis.figure_comparison import ASSUMED_CV, FigureComparison
from runs.analysis.judged_figures import STEADY_THROUGHPUT, THROUGHPUT, FigureScale
from runs.analysis.numbers import listed, times
from runs.analysis.verdicts import Reason, Verdict

SAID_AS_FACTOR = 0.5  # from half as much again a factor is easier to grasp than a percentage
MOST_CLAUSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonWords:
    """What is said of two sides: the verdict, the one sentence, and the figures behind it."""

    verdict: Verdict
    headline: str
    because: str


def say_comparison(
    comparison: Comparison, *, what: str, against: str, doubts: Sequence[str] = ()
) -> ComparisonWords:
    """`what`: what differs ("poll_delay 0.5 → 0.05"); `doubts`: about the runs themselves."""
    because = comparison_because(comparison, against=against)
    if doubts:
        said = "; ".join(doubts)
        return ComparisonWords(
            verdict=Verdict.INCONCLUSIVE,
            headline=f"{what}: undecided, {said}.",
            because=as_sentence(f"{said}; otherwise {comparison.verdict}: {because}"),
        )
    return ComparisonWords(
        verdict=comparison.verdict,
        headline=f"{what}: {_found(comparison)}.",
        because=as_sentence(because),
    )


def as_sentence(text: str) -> str:
    """With a capital and a full stop: the parts of a sentence are put together in any order."""
    return f"{text[:1].upper()}{text[1:]}."


def not_the_same_workload(differences: Iterable[object]) -> str:
    """The fields in which two workloads differ."""
    return f"Not the same workload: {'; '.join(map(str, differences))}."


def predicted_too(headline: str, *, ratio: float) -> str:
    """What a trial measured, with what the laws promised."""
    return f"{headline} Predicted {_factor(ratio)}."


def figure_because(each: FigureComparison) -> str:
    """The two values, the change with its interval, and what that settles."""
    if each.reason is Reason.NO_FAILURES:
        return "no task failed, neither now nor before"
    return _values(each) + _ENDINGS[each.reason](each)


def comparison_because(comparison: Comparison, *, against: str) -> str:
    """The sentence of the verdict: the figures that decided it, or what all have in common.

    `against` names the other runs: "your last 8 runs".
    """
    deciding = [each for each in comparison.figures if each.verdict is comparison.verdict]
    if not deciding:
        return f"nothing to compare with {against}: no figure has a value in these runs"
    if comparison.verdict is Verdict.UNCHANGED:
        labels = listed(each.figure.label for each in deciding)
        return f"the same as {against} in {labels}{_resolution(deciding)}"
    leading = max(deciding, key=lambda each: each.worst_possible or 0.0)
    said = figure_because(leading)
    if others := [each.figure.label for each in deciding if each is not leading]:
        said += f"; {comparison.verdict} too: {listed(others)}"
    if comparison.verdict is Verdict.INCONCLUSIVE:
        gains = [e.figure.label for e in comparison.figures if e.verdict is Verdict.IMPROVED]
        said += f"; improved: {listed(gains)}" if gains else ""
    return f"against {against}: {said}"


def _found(comparison: Comparison) -> str:
    """2.49× the throughput (2.48 to 2.50), p95 execution time 12 % longer; or why none can say.

    Where one figure improved and another is open, both are said: neither hides the other.
    """
    changed = [each for each in comparison.figures if each.verdict in _CHANGED]
    if not changed:
        return _not_found(comparison)
    deciding = sorted(changed, key=lambda each: each.verdict is not comparison.verdict)
    said = ", ".join(_change(each) for each in deciding[:MOST_CLAUSES])
    if comparison.verdict is Verdict.INCONCLUSIVE:
        return f"{said}; {still_open(comparison.figures)}"
    return said


def still_open(figures: Iterable[FigureComparison]) -> str:
    """What the runs do not settle: p50 execution time is not settled."""
    labels = [each.figure.label for each in figures if each.verdict is Verdict.INCONCLUSIVE]
    return f"{listed(labels)} {'is' if len(labels) == 1 else 'are'} not settled"


def _not_found(comparison: Comparison) -> str:
    open_ones = [each for each in comparison.figures if each.verdict is Verdict.INCONCLUSIVE]
    if comparison.verdict is Verdict.UNCHANGED:
        labels = listed(each.figure.label for each in comparison.figures)
        return f"no change in {labels}{_resolution(comparison.figures)}"
    return f"undecided, {figure_because(open_ones[0])}" if open_ones else "nothing to compare"


def _change(each: FigureComparison) -> str:
    """One figure that changed, by how much, and how sure that is."""
    figure, change = each.figure, each.change or 0.0
    if figure.scale is FigureScale.SHARE:
        higher = "higher" if change > 0 else "lower"
        return f"{figure.label} {abs(change):.2g} points {higher}{_interval(each)}"
    is_rate = figure in {THROUGHPUT, STEADY_THROUGHPUT}
    if is_rate and each.interval is not None and not abs(change) < SAID_AS_FACTOR:
        low, high = (1 + bound for bound in each.interval)
        return f"{_factor(1 + change)} the {figure.label} (95 % {low:.2f} to {high:.2f})"
    more, less = ("more", "less") if is_rate else ("longer", "shorter")
    amount = f"{percent(abs(change))} % {more if change > 0 else less}"
    said = f"{amount} {figure.label}" if is_rate else f"{figure.label} {amount}"
    return f"{said}{_interval(each)}"


def _factor(ratio: float) -> str:
    return times(ratio) if ratio >= 9.95 else f"{ratio:.2f}×"


def percent(share: float, *, signed: bool = False) -> str:
    """0.1234 → 12.3; whole percents from 100 on."""
    value = 100 * share
    digits = 0 if abs(value) >= 99.95 else 1
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.replace("+0.0", "0.0").replace("-0.0", "0.0")


def _values(each: FigureComparison) -> str:
    figure = each.figure
    if each.value is None or each.before is None or each.change is None:
        return figure.label
    text = f"{figure.label} {each.value:.3g}{figure.unit} against {each.before:.3g}{figure.unit}"
    if figure.scale is FigureScale.SHARE:
        return f"{text}, {each.change:+.2f} points{_interval(each)}"
    return f"{text}, {percent(each.change, signed=True)} %{_interval(each)}"


def _interval(each: FigureComparison) -> str:
    if each.interval is None or each.says_nothing:
        return ""
    low, high = each.interval
    if each.figure.scale is FigureScale.SHARE:
        return f" (95 % {low:+.2f} to {high:+.2f})"
    return f" (95 % {percent(low, signed=True)} to {percent(high, signed=True)})"


def _would_have_shown(each: FigureComparison) -> str:
    return f": anything above {_amount(each, each.would_have_shown)} would have shown"


def _what_is_excluded(each: FigureComparison) -> str:
    if each.says_nothing:
        return f": too uncertain to exclude anything{_settled_by(each)}"
    worse, better = _nouns(each)
    worst, best = _amount(each, each.worst_possible), _amount(each, each.best_possible)
    return f": no {worse} above {worst} and no {better} above {best}{_settled_by(each)}"


def _perhaps_small(each: FigureComparison) -> str:
    margin = _amount(each, each.margin)
    return f": a change, perhaps one below the {margin} that count as one{_settled_by(each)}"


def _by_chance(each: FigureComparison) -> str:
    figures = f"one of {each.family_size} figures strays so far by chance too often"
    return f": {figures} to call this a change{_settled_by(each)}"


def _one_each(each: FigureComparison) -> str:
    return (
        ": one run against one cannot tell a change from the difference between any two runs"
        f"{_settled_by(each)}"
    )


def _settled_by(each: FigureComparison) -> str:
    """The repeats that would settle it, with the spread assumed where none was measured."""
    repeats = each.repeats
    if repeats is None:
        return ""
    alone = each.spread is Spread.SHARED and len(each.before_values) > 1
    runs = f"{repeats} run{'s' if repeats > 1 else ''} {'of it' if alone else 'a side'}"
    assumed = "" if each.run_cv else f" if runs vary by {percent(ASSUMED_CV)} %"
    return f"; {runs} would settle it{assumed}"


_CHANGED = (Verdict.REGRESSED, Verdict.IMPROVED)
_ENDINGS: dict[Reason, Callable[[FigureComparison], str]] = {
    Reason.CHANGED: lambda _: "",
    Reason.WITHIN_MARGIN: _would_have_shown,
    Reason.UNCERTAIN: _what_is_excluded,
    Reason.BELOW_MARGIN: _perhaps_small,
    Reason.ONE_OF_SEVERAL: _by_chance,
    Reason.ONE_AGAINST_ONE: _one_each,
    Reason.NO_SPREAD: lambda _: ": these runs do not vary, so how far they could is not known",
    Reason.MISSING: lambda _: " has no value on one side, so there is nothing to compare",
}


def _nouns(each: FigureComparison) -> tuple[str, str]:
    """What a worsening and what a gain of the figure is called."""
    if each.figure.scale is FigureScale.SHARE:
        return "rise", "fall"
    return ("loss", "gain") if each.figure.higher_is_better else ("slow-down", "speed-up")


def _amount(each: FigureComparison, value: float | None) -> str:
    if each.figure.scale is FigureScale.SHARE:
        return f"{value or 0.0:.2f} points"
    return f"{percent(value or 0.0)} %"


def _resolution(figures: Iterable[FigureComparison]) -> str:
    shown = [e.would_have_shown for e in figures if e.ratio_interval and e.would_have_shown]
    return f": a change above {percent(max(shown))} % would have shown" if shown else ""
