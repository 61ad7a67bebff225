"""How many events have happened by then, and how many on average over a while?

A counting process N(t) and its area ∫N answer everything asked of a run's sends, starts and
finishes: differences of N are rates, differences of two areas are mean numbers waiting or running.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counting:
    """N(t): how many of some events have happened up to and including t."""

    times_s: Floats  # ascending
    sums_s: Floats  # sums_s[k]: the sum of the first k times

    @classmethod
    def of(cls, times_s: Floats) -> "Counting":
        """From times in any order."""
        ordered = np.sort(times_s)
        return cls(times_s=ordered, sums_s=np.concatenate(([0.0], np.cumsum(ordered))))

    @property
    def n(self) -> int:
        """All events."""
        return int(self.times_s.size)

    def at(self, times_s: ArrayLike) -> NDArray[np.int64]:
        """N(t), events at t itself included."""
        return np.searchsorted(self.times_s, times_s, side="right")

    def before(self, times_s: ArrayLike) -> NDArray[np.int64]:
        """N(t−), events at t itself left out."""
        return np.searchsorted(self.times_s, times_s, side="left")

    def area(self, times_s: ArrayLike) -> Floats:
        """∫ N up to t = Σ (t − tᵢ) over the events until t, in event-seconds."""
        times = np.asarray(times_s, dtype=np.float64)
        happened = self.at(times)
        area: Floats = times * happened - self.sums_s[happened]
        return area

    def mean_between(self, start_s: float, end_s: float) -> float:
        """Time average of N over [start, end]."""
        low, high = self.area([start_s, end_s])
        return float((high - low) / (end_s - start_s))

    def rate_between(self, start_s: float, end_s: float, *, period_s: float) -> float:
        """Events per second, free of a comb of the given period.

        The mean number of events in a window of length H over all its placements in the span:
        ∫ (N(t + H) − N(t)) dt / (H · (L − H)), with H the most whole periods in half the span. With
        H a whole number of periods every placement sees as many waves as any other, so it does not
        matter where in a wave the span begins and ends.
        """
        span = end_s - start_s
        periods = np.floor(span / 2 / period_s) if period_s > 0 else 0
        window = float(periods * period_s) if periods >= 1 else span / 2
        marks = [end_s, start_s + window, end_s - window, start_s]
        high, low, early, first = self.area(marks)
        return float((high - low - early + first) / (window * (span - window)))


def peak_difference(arrivals: Counting, departures: Counting) -> int:
    """The most that were inside at once, having arrived and not yet departed."""
    if arrivals.n == 0:
        return 0
    inside = np.arange(1, arrivals.n + 1) - departures.at(arrivals.times_s)
    return int(inside.max())
