"""What are the averages, percentiles and bins of a duration?"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runs.analysis.percentiles import nearest_ranks

Floats = NDArray[np.float64]
_BINS = 40  # about as many as a chart of a hand's width can show
_NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFigures:
    """One duration over the tasks of a run, in seconds; None where the sample cannot carry it."""

    n: int
    avg_s: float | None = None
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    min_s: float | None = None
    max_s: float | None = None

    @classmethod
    def of(cls, values_s: Floats) -> "TimeFigures":
        """The arithmetic mean and nearest-rank percentiles, each None below its own least n."""
        if values_s.size == 0:
            return cls(n=0)
        p50, p95, p99 = nearest_ranks(values_s, (0.5, 0.95, 0.99))
        return cls(
            n=int(values_s.size),
            avg_s=float(values_s.mean()),
            p50_s=p50,
            p95_s=p95,
            p99_s=p99,
            min_s=float(values_s.min()),
            max_s=float(values_s.max()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Tasks per bin: counts[i] lie in [edges_s[i], edges_s[i + 1]), the last bin closed."""

    edges_s: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values_s: Floats) -> "Distribution | None":
        """Up to 40 bins of equal, round width over all but the highest 0.5 %, which the last holds.

        Why: one straggler at 60 s would otherwise push every task of 0.2 s into the first bin.
        """
        if values_s.size == 0:
            return None
        low, high = float(values_s.min()), float(values_s.max())
        body = float(np.quantile(values_s, 0.995))
        width = _nice_width((body - low) / _BINS)
        first = math.floor(low / width) * width
        bins = max(1, math.floor((body - first) / width) + 1)
        edges = first + width * np.arange(bins + 1)
        edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
        # why clipped: a value next to an edge may lie beyond it by what rounding left
        counts, _ = np.histogram(np.clip(values_s, edges[0], edges[-1]), bins=edges)
        return cls(
            edges_s=tuple(round(float(edge), 6) for edge in edges),
            counts=tuple(int(count) for count in counts),
        )


def _nice_width(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 · 10ⁿ that is no less; 1 ms, the stamps' own, at least."""
    least = max(least, 0.001)
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _NICE_STEPS if step * power >= least * (1 - 1e-9))
