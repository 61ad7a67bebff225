"""How much do unchanged runs vary, how small a change can be seen, how many repeats settle it?

The run-to-run CV is the standard deviation of a figure over repeats of one configuration, divided
by its mean. Power figures are those of Student's t test (noncentral t), not of the normal
approximation, which promises too much for a handful of runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, stdev

from runs.analysis.effects import inflation, t_quantile
from runs.analysis.judged_figures import (
    FigureScale,
    JudgedFigure,
    RunFigures,
    group_of,
    valued,
)
from runs.analysis.numbers import percent

MOST_REPEATS = 1000
POWER = 0.8
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What K unchanged runs say about one figure; shares are fractions (0.03 = 3 %)."""

    figure: str
    n: int
    mean: float | None
    cv: float | None  # None with fewer than two runs, or a mean of zero
    cv_interval: tuple[float, float] | None  # 95 %
    smallest_effect: float | None  # that a gate of n against n runs sees in four of five cases
    false_alarms: float | None  # of the naive gate "5 % worse than the run before"
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether a gate at `effect` can be carried by groups of n runs, and by how many if not."""

    effect: float
    n: int
    accepted: bool
    repeats: int | None  # the fewest runs a side that carry it; None where no number does
    because: str

    @property
    def needs(self) -> str:
        """The runs a side, in words."""
        return f"more than {MOST_REPEATS} runs" if self.repeats is None else f"{self.repeats} runs"


def noise_of_figure(figure: JudgedFigure, *, runs: Sequence[RunFigures]) -> Noise:
    """The run-to-run spread of a judged figure; no smaller than what its measurement can show."""
    group = group_of(valued(runs, figure=figure), figure=figure)
    finest = 0.0
    if group is not None and figure.scale is FigureScale.RATIO:
        finest = math.sqrt(group.least_variance)
    values = [each.value(figure) for each in runs]
    return noise_of(values, figure=figure.label, finest=finest)


def noise_of(
    values: Sequence[float | None],
    *,
    figure: str,
    naive_gate: float = 0.05,
    finest: float = 0.0,
) -> Noise:
    """The run-to-run spread of a figure over repeats of an unchanged configuration.

    `finest`: the CV that measuring alone makes (a clock of whole milliseconds): equal values do not
    vary by nothing, but by no more than that.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    mean = fmean(known) if known else None
    if len(known) < 2 or not mean:
        because = (
            f"{figure}: {len(known)} of {len(values)} runs have it; two are the fewest that vary"
            if len(known) < 2
            else f"{figure} is 0 in every run: there is no spread to tell"
        )
        return Noise(
            figure=figure,
            n=len(known),
            mean=mean,
            cv=None,
            cv_interval=None,
            smallest_effect=None,
            false_alarms=None,
            because=because,
        )
    seen = stdev(known) / abs(mean)
    cv = max(seen, finest)
    smallest = smallest_effect(cv, n=len(known))
    alarms = false_alarm_rate(naive_gate, cv=cv)
    low, high = cv_interval(cv, n=len(known))
    if seen < finest:
        varies = f"{figure} varies by no more than its clock can show, {percent(cv)}"
    else:
        varies = (
            f"{figure} varies by {percent(cv)} from run to run"
            f" (by {percent(low)} to {percent(high)}, as far as {len(known)} runs can tell)"
        )
    return Noise(
        figure=figure,
        n=len(known),
        mean=mean,
        cv=cv,
        cv_interval=(low, high),
        smallest_effect=smallest,
        false_alarms=alarms,
        because=(
            f"{varies}: {len(known)} runs a side show a change of {percent(smallest)} or more;"
            f" '{percent(naive_gate)} worse than the last run' would be a false alarm"
            f" {percent(alarms)} of the time"
        ),
    )


def judge_gate(effect: float, *, cv: float, n: int) -> Gate:
    """Whether groups of n runs carry a gate at `effect`: not below 4·CV/√n.

    That is the effect seen with a power of 80 % (2.8·√2 ≈ 4), for few runs by the exact t test; a
    finer gate would mostly miss what it is there for, and what it reports would mostly be luck.
    """
    if not 0 < effect < math.inf:
        raise ValueError(f"a gate is a share above zero such as 0.05, not {effect}")
    exact = repeats_needed(effect, cv=cv)
    repeats = None if exact is None else max(exact, math.ceil((4 * cv / effect) ** 2 - 1e-9))
    accepted = repeats is not None and n >= repeats
    gate = Gate(effect=effect, n=n, accepted=accepted, repeats=repeats, because="")
    known = (
        f"{n} runs a side show {percent(smallest_effect(cv, n=n))} or more"
        if n > 1
        else f"{'one run' if n else 'no runs'} a side show nothing"
    )
    ends = "holds" if accepted else f"needs {gate.needs} a side"
    because = (
        f"where runs vary by {percent(cv)} (their CV) {known}: a gate at {percent(effect)} {ends}"
    )
    return replace(gate, because=because)


def smallest_effect(cv: float, *, n: int) -> float:
    """The relative change that two groups of n runs see in four of five cases.

    4·CV/√n for many runs; for few, where Student's t has longer tails, by its exact power: 3.1,
    2.0, 1.3 and 0.9 CV for 3, 5, 10 and 20 runs a side. Infinite below two runs a side.
    """
    if n < 2:
        return math.inf
    low, high = 4 * cv / math.sqrt(n), 100 * cv / math.sqrt(n)
    if cv == 0 or power_of(low, cv=cv, now=n, before=n) >= POWER:
        return low
    while high > low * 1.0001:  # bisection: power grows with the effect
        middle = (low + high) / 2
        seen = power_of(middle, cv=cv, now=n, before=n) >= POWER
        low, high = (low, middle) if seen else (middle, high)
    return high


def false_alarm_rate(gate: float, *, cv: float) -> float:
    """P(|run − run before| > gate) without any change: 2·(1 − Φ(gate / (CV·√2)))."""
    if cv == 0:
        return 0.0
    return 2 * _NORMAL.cdf(-gate / (cv * math.sqrt(2)))


def cv_interval(cv: float, *, n: int) -> tuple[float, float]:
    """95 % interval of a CV: (n − 1)·s²/σ² is χ² of n − 1 degrees; good for CVs below 30 %."""
    from scipy.special import chdtri  # why here: importing scipy costs 0.1 s that faces do not owe

    low, high = (float(chdtri(n - 1, tail)) for tail in (0.025, 0.975))
    return cv * math.sqrt((n - 1) / low), cv * math.sqrt((n - 1) / high)


def power_of(
    effect: float, *, cv: float, now: int, before: int, alpha: float = 0.05, in_a_row: bool = False
) -> float:
    """P(a two-sided t test sees a relative change of `effect`), runs of one spread.

    Noncentral t with now + before − 2 degrees of freedom and noncentrality effect / (CV·√(1/n₁ +
    1/n₂)). `in_a_row`: the runs `now` share a mood, see `effects.inflation`.
    """
    from scipy.special import nctdtr  # why here: importing scipy costs 0.1 s that faces do not owe

    freedom = now + before - 2
    if freedom < 1:
        return 0.0
    if cv == 0:
        return 1.0
    shared = inflation(now) if in_a_row else 1.0
    centre = abs(effect) / (cv * math.sqrt(shared / now + 1 / before))
    limit = t_quantile(1 - alpha / 2, freedom=freedom)
    if centre > 10 * limit:  # so far out there is no doubt left, and nctdtr may give NaN
        return 1.0
    below = float(nctdtr(freedom, centre, limit))
    # The other tail is below 1e-8 from 5 on, and NaN not far beyond.
    return 1.0 - below + (float(nctdtr(freedom, centre, -limit)) if centre < 5 else 0.0)


def repeats_needed(
    effect: float, *, cv: float, before: int | None = None, alpha: float = 0.05
) -> int | None:
    """The fewest runs that see a relative change of `effect` in four of five cases.

    Runs a side for two groups; with `before`, runs in a row to set against a history of that many,
    or None where no number is enough.
    """
    if effect == 0:
        return None

    def enough(n: int) -> bool:
        earlier, in_a_row = (n, False) if before is None else (before, True)
        power = power_of(effect, cv=cv, now=n, before=earlier, alpha=alpha, in_a_row=in_a_row)
        return power >= POWER

    if not enough(MOST_REPEATS):
        return None
    fewest, most = 0 if before else 1, MOST_REPEATS  # bisection: power grows with the runs
    while most - fewest > 1:
        middle = (fewest + most) // 2
        fewest, most = (fewest, middle) if enough(middle) else (middle, most)
    return most
