"""Since which run has a figure been different?

Sup-F tests for shifts of the mean at unknown places (Worsley 1979 for one shift, Bai & Perron 1998
for several), applied to each segment in turn: binary segmentation with, as in Olshen & al. 2004, a
second test for a passing change (there and back), which no single split would show. Each place is
an exact F test for independent normal values; over all places the union bound keeps the error.

Why not a library: ruptures asks for a penalty, that is for the noise, which a dozen runs do not
tell; and permutation methods (E-divisive) call one in three autocorrelated series changed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from runs.analysis.effects import AUTOCORRELATION

LEAST_SEGMENT = 3  # runs; one bad run is no new level
# F is divided by what autocorrelation φ makes of a long mean's variance, (1 + φ)/(1 − φ), so that
# series with so much of it still give no more false alarms.
INFLATION = (1 + AUTOCORRELATION) / (1 - AUTOCORRELATION)
MIN_CHANGE = 0.01  # smaller shifts on the scale of the values (logarithms: 1 %) are no news


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """From `index` on the mean is another; the data showed it once run `detected` was in."""

    index: int
    detected: int
    before: float  # mean of the segment before
    after: float  # mean of the segment from index on


def shifts(
    values: Sequence[float], *, alpha: float = 0.05, least_variance: float = 0.0
) -> list[Shift]:
    """The shifts of the mean in a series, in order.

    An unchanging series gives any at all with probability ≤ alpha. `least_variance`: what measuring
    alone makes, so that rounding is no shift.
    """
    series = np.asarray(values, dtype=np.float64)
    starts = _starts(series, alpha=alpha, least_variance=least_variance)
    bounds = [0, *starts, series.size]
    means = [float(series[a:b].mean()) for a, b in pairwise(bounds) if b > a]
    return [
        Shift(
            index=start,
            detected=_detected(series, start=start, alpha=alpha, least_variance=least_variance),
            before=before,
            after=after,
        )
        for start, before, after in zip(starts, means, means[1:], strict=False)
    ]


def _detected(
    series: NDArray[np.float64], *, start: int, alpha: float, least_variance: float
) -> int:
    """The run with which the shift was first found, if not quite at its final place."""
    for end in range(start + LEAST_SEGMENT, series.size):
        seen = _starts(series[:end], alpha=alpha, least_variance=least_variance)
        if any(abs(place - start) < LEAST_SEGMENT for place in seen):
            return end - 1
    return series.size - 1


def _starts(series: NDArray[np.float64], *, alpha: float, least_variance: float) -> list[int]:
    """Where new levels begin: the series split, and each part in turn."""
    for shift_count in (1, 2):
        found = _best(series, shift_count=shift_count, least_variance=least_variance)
        if found is None or found.p_value > alpha / 2:
            continue
        bounds = [0, *found.places, series.size]
        starts: list[int] = []
        for low, high in pairwise(bounds):
            inner = _starts(series[low:high], alpha=alpha, least_variance=least_variance)
            starts += ([low] if low else []) + [low + place for place in inner]
        return starts
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    places: tuple[int, ...]
    p_value: float


def _best(series: NDArray[np.float64], *, shift_count: int, least_variance: float) -> _Split | None:
    """The split with the least squares within its parts, and the bound on its p-value.

    F = ((Q₀ − Q_k)/k) / (Q_k/(n − k − 1)), Q squares around the mean without and with k shifts.
    """
    n = series.size
    free = n - (shift_count + 1) * (LEAST_SEGMENT - 1)  # places, once every part has its least
    freedom = n - shift_count - 1
    if free <= shift_count:
        return None
    centred = series - series.mean()
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    places = _placements(n, shift_count=shift_count)
    edges = [np.zeros_like(places[0]), *places, np.full_like(places[0], n)]
    parts = list(pairwise(edges))
    explained = sum((sums[high] - sums[low]) ** 2 / (high - low) for low, high in parts)
    best = int(np.argmax(explained))
    chosen = tuple(int(place[best]) for place in places)
    if not _is_news(series, places=chosen):
        return None
    within = max(float(centred @ centred - explained[best]), n * least_variance, 1e-300)
    f = float(explained[best]) / shift_count / (within / freedom) / INFLATION
    return _Split(
        places=chosen,
        p_value=min(1.0, math.comb(free - 1, shift_count) * _f_above(f, shift_count, freedom)),
    )


def _placements(n: int, *, shift_count: int) -> list[NDArray[np.int64]]:
    """Every way to place the shifts so that each part has at least LEAST_SEGMENT values."""
    if shift_count == 1:
        return [np.arange(LEAST_SEGMENT, n - LEAST_SEGMENT + 1)]
    first, second = np.triu_indices(n + 1, k=LEAST_SEGMENT)
    fits = (first >= LEAST_SEGMENT) & (second <= n - LEAST_SEGMENT)
    return [first[fits], second[fits]]


def _is_news(series: NDArray[np.float64], *, places: tuple[int, ...]) -> bool:
    """Whether every shift of the split is large enough to speak of."""
    means = [part.mean() for part in np.split(series, places)]
    return all(abs(b - a) >= MIN_CHANGE for a, b in pairwise(means))


def _f_above(f: float, *freedoms: int) -> float:
    from scipy.special import fdtrc  # why here: importing scipy costs 0.1 s that faces do not owe

    return float(fdtrc(*freedoms, f))
