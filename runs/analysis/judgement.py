"""How does a run stand to its baseline: the verdict, why, and what may cast doubt on it?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from runs.analysis.comparability import Difference
from runs.analysis.comparison import Comparison, compare
from runs.analysis.comparison_words import as_sentence, comparison_because, not_the_same_workload
from runs.analysis.figure_comparison import MIN_EFFECT, FigureComparison
from runs.analysis.history import FEWEST_RUNS, Baseline, BaselineKind
from runs.analysis.judged_figures import RunFigures
from runs.analysis.verdicts import Verdict
from runs.states import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one run or one group of repeats."""

    kind: BaselineKind
    verdict: Verdict
    because: str
    runs: tuple[str, ...] = ()
    comparison: Comparison | None = None
    changed: tuple[Difference, ...] = ()
    doubts: tuple[str, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """The report's `analysis.baseline`."""
        figures = self.comparison.figures if self.comparison else ()
        return {
            "kind": self.kind.value,
            "runs": list(self.runs),
            "n": len(self.runs),
            "verdict": self.verdict.value,
            "because": self.because,
            "figures": {each.figure.name: _figure_document(each) for each in figures},
            "changed": [difference.as_document() for difference in self.changed],
        }


def judge(
    now: Sequence[RunFigures],
    *,
    baseline: Baseline,
    changed: Iterable[Difference] = (),
    doubts: Sequence[str] = (),
    min_effect: float = MIN_EFFECT,
) -> Judgement:
    """A run, or a group of repeats, against its baseline.

    `changed`: what differs in the environment, listed beside. `doubts`: sentences on what was wrong
    with the measurement itself (foreign jobs, late sending); any makes the verdict inconclusive.
    """
    comparison = compare(
        now,
        before=baseline.runs,
        spread=baseline.spread,
        also=baseline.also,
        min_effect=min_effect,
    )
    verdict = comparison.verdict
    because = comparison_because(comparison, against=_against(baseline))
    if doubts:
        because = f"{'; '.join(doubts)}; otherwise {verdict}: {because}"
        verdict = Verdict.INCONCLUSIVE
    return Judgement(
        kind=baseline.kind,
        verdict=verdict,
        because=as_sentence(because),
        runs=baseline.run_ids,
        comparison=comparison,
        doubts=tuple(doubts),
        changed=tuple(changed),
    )


def no_baseline(earlier_runs: int) -> Judgement:
    """Too few comparable runs so far, with what establishes a baseline."""
    missing = max(1, FEWEST_RUNS - earlier_runs)
    times = "twice" if missing > 1 else "once"
    return Judgement(
        kind=BaselineKind.NONE,
        verdict=Verdict.NO_BASELINE,
        because=f"No baseline yet: run this {times} more, or pin this run.",
    )


def not_asked() -> Judgement:
    """Somebody wanted no comparison."""
    return Judgement(
        kind=BaselineKind.NONE,
        verdict=Verdict.NO_BASELINE,
        because="Not compared: no baseline was asked for.",
    )


def not_completed(status: RunStatus) -> Judgement:
    """A run that did not end as planned is no sample of how fast the queue is."""
    return Judgement(
        kind=BaselineKind.NONE,
        verdict=Verdict.NO_BASELINE,
        because=f"Not compared: the run {_ENDED.get(status, 'has not completed')}.",
    )


_ENDED = {
    RunStatus.CANCELLED: "was cancelled",
    RunStatus.TIMED_OUT: "timed out",
    RunStatus.FAILED: "failed",
}


def unusable_baseline(because: str) -> Judgement:
    """The baseline that was asked for cannot be read, or is gone: `because` says which."""
    return Judgement(
        kind=BaselineKind.NONE,
        verdict=Verdict.NO_BASELINE,
        because=f"Not compared: {because}",
    )


def incomparable(differences: Sequence[Difference], *, kind: BaselineKind) -> Judgement:
    """Another workload or, for a history, another queue: the fields are named, nothing judged."""
    return Judgement(
        kind=kind,
        verdict=Verdict.INCOMPARABLE,
        because=not_the_same_workload(differences),
        changed=tuple(differences),
    )


def _against(baseline: Baseline) -> str:
    n = len(baseline.runs)
    match baseline.kind:
        case BaselineKind.HISTORY:
            return f"your last {n} runs"
        case BaselineKind.PINNED:
            return f"the pinned run {baseline.run_ids[0]}" if n == 1 else f"{n} pinned runs"
        case _:
            return "the run in the file" if n == 1 else f"the {n} runs in the file"


def _figure_document(each: FigureComparison) -> dict[str, Any]:
    interval = each.ratio_interval
    return {
        "baseline": each.before,
        "value": each.value,
        "ratio": each.ratio,
        "ratio_interval": None if interval is None else list(interval),
        "verdict": each.verdict.value,
    }
