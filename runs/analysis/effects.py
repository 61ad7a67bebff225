"""How far apart are two groups of runs, and how far does their own spread allow?

The run is the sample: tasks of one run share its weather, so only repeated runs tell how much a
figure varies. Values come on a scale on which that spread is even: logarithms for times and rates
(a difference is then a ratio), angles for shares.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import fmean

# Machines have moods: successive runs correlate, by about this much on hosts that others share, and
# by more where a history shows it.
AUTOCORRELATION = 0.3
MOST_AUTOCORRELATION = 0.9
FEWEST_IN_SERIES = 8  # fewer values do not tell how much successive ones are alike


class Spread(StrEnum):
    """Whose run-to-run spread judges a difference."""

    SHARED = "shared"  # one spread for both groups: against a history, or where a group is one run
    OWN = "own"  # each group its own: two groups of repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Runs of one figure on its scale; `least_variance` is what measuring alone makes of no spread.

    A clock of whole milliseconds, or counting 2 failures, spreads values of itself. Equal values
    are then not a spread of zero but one below what can be seen.
    """

    n: int
    mean: float
    variance: float  # sample variance; 0 where n = 1
    least_variance: float = 0.0
    autocorrelation: float = AUTOCORRELATION

    @classmethod
    def of(cls, values: Sequence[float], *, least_variance: float = 0.0) -> "Group":
        """The group that these values make, in the order in which they were measured."""
        n, mean = len(values), fmean(values)
        deviations = [value - mean for value in values]
        variance = sum(each**2 for each in deviations) / (n - 1) if n > 1 else 0.0
        return cls(
            n=n,
            mean=mean,
            variance=variance,
            least_variance=least_variance,
            autocorrelation=autocorrelation(deviations),
        )

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the variance."""
        return self.n - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A difference of means (now − before) with what is known of its error."""

    difference: float
    standard_error: float
    freedom: float
    errors: tuple[float, float]  # standard errors of the two means: now, before

    @property
    def p_value(self) -> float:
        """Two-sided, of no difference."""
        return 2 * t_below(-abs(self.difference) / self.standard_error, freedom=self.freedom)

    def half_width(self, *, confidence: float = 0.95) -> float:
        """Of the interval around the difference."""
        return t_quantile((1 + confidence) / 2, freedom=self.freedom) * self.standard_error

    def interval(self, *, confidence: float = 0.95) -> tuple[float, float]:
        """The differences that the runs allow."""
        half = self.half_width(confidence=confidence)
        return self.difference - half, self.difference + half


def contrast(
    now: Group, *, before: Group, spread: Spread, also: Iterable[Group] = ()
) -> Contrast | None:
    """The difference of two groups' means; None where nothing tells how much runs vary.

    OWN: Welch 1947, freedom by Satterthwaite: SE² = s₁²/n₁ + s₂²/n₂. Needs three runs a side.
    SHARED: SE² = s²(i/n₁ + 1/n₂) with s² pooled over both groups and `also` (further runs of the
    same spread), n₁ + n₂ − 2 degrees of freedom; for one run against n it is the prediction
    interval s·√(1 + 1/n). A group whose own spread is larger than the pooled one keeps its own, so
    that a noisy group cannot borrow the calm of a long history; i is the `inflation` of repeats
    made in a row, which have one mood where the history has seen many: by the autocorrelation that
    the history shows, which then makes its own mean less sure too.
    """
    groups = (now, before, *also)
    freedom: float = sum(group.freedom for group in groups)
    if freedom == 0:
        return None
    pooled = sum(group.freedom * group.variance for group in groups) / freedom
    if spread is Spread.OWN and min(now.n, before.n) >= 3:
        squares = [max(g.variance, g.least_variance) / g.n for g in (now, before)]
        freedom = _satterthwaite(squares, freedoms=(now.freedom, before.freedom))
    else:
        squares = [max(pooled, g.variance, g.least_variance) / g.n for g in (now, before)]
        alike = before.autocorrelation
        squares[0] *= inflation(now.n, alike=alike)
        if now.n > 1:
            squares[1] *= inflation(before.n, alike=alike) / inflation(before.n)
    if sum(squares) == 0:
        return None
    return Contrast(
        difference=now.mean - before.mean,
        standard_error=math.sqrt(sum(squares)),
        freedom=freedom,
        errors=(math.sqrt(squares[0]), math.sqrt(squares[1])),
    )


def autocorrelation(deviations: Sequence[float]) -> float:
    """How much successive values are alike: from 0.3, which is assumed, to 0.9.

    r = Σ dₜ·dₜ₊₁ / Σ dₜ² of the deviations d from the mean, corrected for that mean's being theirs:
    φ = r + (1 + 3r)/n (Marriott & Pope 1954).
    """
    n, squares = len(deviations), sum(each**2 for each in deviations)
    if n < FEWEST_IN_SERIES or squares == 0:
        return AUTOCORRELATION
    r = sum(a * b for a, b in pairwise(deviations)) / squares
    return min(max(r + (1 + 3 * r) / n, AUTOCORRELATION), MOST_AUTOCORRELATION)


def inflation(n: int, *, alike: float = AUTOCORRELATION) -> float:
    """By how much n values in a row make the variance of their mean larger than independent ones.

    1 + 2·Σ (1 − k/n)·φᵏ for k = 1 … n − 1 (first-order autocorrelation φ, Bartlett 1946): 1 for one
    value.
    """
    return 1 + 2 * sum((1 - k / n) * alike**k for k in range(1, min(n, 40)))


def ratio_interval(
    ratio: float, *, cvs: tuple[float, float], ns: tuple[int, int], freedom: float
) -> tuple[float, float]:
    """r · exp(± t·√(CV₁²/n₁ + CV₂²/n₂)): the 95 % interval of a ratio of means by the delta method.

    Agrees with Fieller's (1954) while the CV of the denominator's mean is small.
    """
    error = math.sqrt(sum(cv * cv / n for cv, n in zip(cvs, ns, strict=True)))
    reach = math.exp(t_quantile(0.975, freedom=freedom) * error)
    return ratio / reach, ratio * reach


def difference_of_shares(
    shares: tuple[float, float],
    *,
    intervals: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[float, float]:
    """Interval of now − before from the intervals of each (MOVER: Zou & Donner 2008)."""
    (now, before), ((now_low, now_high), (before_low, before_high)) = shares, intervals
    down = math.hypot(now - now_low, before_high - before)
    up = math.hypot(now_high - now, before - before_low)
    return now - before - down, now - before + up


def angle_of_share(part: int, *, whole: int) -> float:
    """arcsin √((x + ⅜)/(n + ¾)): spreads by 1/(4n + 2) whatever the share (Anscombe 1948)."""
    return math.asin(math.sqrt((part + 0.375) / (whole + 0.75)))


def share_of_angle(angle: float) -> float:
    """The share an angle stands for; angles beyond 0 and 100 % are those."""
    return math.sin(min(max(angle, 0.0), math.pi / 2)) ** 2


def t_quantile(p: float, *, freedom: float) -> float:
    """Student's t quantile."""
    from scipy.special import stdtrit  # why here: importing scipy costs 0.1 s that faces do not owe

    return float(stdtrit(freedom, p))


def t_below(t: float, *, freedom: float) -> float:
    """P(T ≤ t) of Student's t."""
    from scipy.special import stdtr  # why here: as above

    return float(stdtr(freedom, t))


def _satterthwaite(squares: Sequence[float], *, freedoms: Sequence[int]) -> float:
    """(Σ sᵢ²/nᵢ)² / Σ (sᵢ²/nᵢ)²/νᵢ (Satterthwaite 1946)."""
    total = sum(squares)
    if total == 0:
        return float(sum(freedoms))
    return total**2 / sum(
        square**2 / freedom for square, freedom in zip(squares, freedoms, strict=True)
    )
