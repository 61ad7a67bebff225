"""Which value is a percentile, and how well is it known?

Percentiles are nearest rank, the value at rank ⌈pn⌉ of the sorted sample: a value that happened,
and the rule of PostgreSQL's `percentile_disc`, so SQL and Python agree.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray


def nearest_rank(values: ArrayLike, p: float) -> float | None:
    """The value at rank ⌈pn⌉; None where fewer than one sample is expected beyond it.

    p is a fraction (0.95). n·(1 − p) ≥ 1 asks for 2 samples for p50, 20 for p95, 100 for p99: with
    fewer, the "percentile" would be the maximum under another name.
    """
    return nearest_ranks(values, (p,))[0]


def nearest_ranks(values: ArrayLike, ps: Sequence[float]) -> list[float | None]:
    """Several percentiles of one sample for the price of one partial sort."""
    sample = np.asarray(values, dtype=np.float64).ravel()
    ranks = [_rank_if_known(sample.size, p=p) for p in ps]
    wanted = sorted({rank - 1 for rank in ranks if rank is not None})
    ordered = np.partition(sample, wanted) if wanted else sample
    return [None if rank is None else float(ordered[rank - 1]) for rank in ranks]


def rank_of(n: int, *, p: float) -> int:
    """⌈pn⌉ in exact arithmetic: 0.55 × 100 is 55, not the 55.000000000000007 of floating point."""
    return max(1, math.ceil(_exact(p) * n))


def percentile_interval(
    values: ArrayLike, p: float, *, confidence: float = 0.95
) -> tuple[float, float] | None:
    """Distribution-free interval for a percentile from two order statistics.

    The ranks r < s with P(Bin(n, p) ≤ r − 1) ≤ α/2 and P(Bin(n, p) ≥ s) ≤ α/2, the innermost such
    (David & Nagaraja, Order Statistics, §7.1). None where the sample cannot give that confidence:
    95 % needs n ≥ 6 for p50, 72 for p95, 368 for p99. Assumes independent values: within one run of
    a busy queue waits are not, so there it says too little.
    """
    sample = np.asarray(values, dtype=np.float64).ravel()
    ranks = interval_ranks(sample.size, p=p, confidence=confidence)
    if ranks is None:
        return None
    low, high = ranks
    ordered = np.partition(sample, (low - 1, high - 1))
    return float(ordered[low - 1]), float(ordered[high - 1])


def interval_ranks(n: int, *, p: float, confidence: float = 0.95) -> tuple[int, int] | None:
    """The ranks (1-based) of `percentile_interval`; None where there are none."""
    if n < 1:
        return None
    tail = (1 - confidence) / 2
    centre, spread = n * p, 10 * math.sqrt(n * p * (1 - p)) + 10
    start = max(0, math.floor(centre - spread))
    successes = np.arange(start, min(n, math.ceil(centre + spread)) + 1)
    at_most = _binomial_at_most(successes, n=n, p=p)
    low = start + int(np.searchsorted(at_most, tail, side="right"))
    high = start + int(np.searchsorted(at_most, 1 - tail, side="left")) + 1
    return (low, high) if low >= 1 and high <= n else None


def _rank_if_known(n: int, *, p: float) -> int | None:
    return rank_of(n, p=p) if n * (1 - _exact(p)) >= 1 else None


def _exact(p: float) -> Fraction:
    return Fraction(p).limit_denominator(1_000_000)


def _binomial_at_most(successes: NDArray[np.int64], *, n: int, p: float) -> NDArray[np.float64]:
    from scipy.special import bdtr  # why here: importing scipy costs 0.1 s, faces need none of it

    at_most: NDArray[np.float64] = bdtr(successes.astype(np.float64), n, p)
    return at_most
