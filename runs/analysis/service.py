"""How long does a task hold a slot? The distribution that arq's laws are evaluated over."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_MOST_VALUES = 1024
PLACES = (np.arange(16) + 0.5) / 16
_STEP_S = 0.001  # arq stamps whole milliseconds: nothing is lost by counting them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServiceTimes:
    """Execution times with their shares; `source` says where they come from."""

    values_s: Floats
    shares: Floats
    source: str

    @classmethod
    def of(cls, execution_s: Floats, *, source: str = "this run's own tasks") -> "ServiceTimes":
        """The distinct milliseconds of a sample and how often each occurred.

        Where there are more than 1024 of them, as many equally likely quantiles stand for all.
        """
        steps = np.maximum(np.rint(execution_s / _STEP_S), 0)
        values, counts = np.unique(steps, return_counts=True)
        if values.size > _MOST_VALUES:
            places = (np.arange(_MOST_VALUES) + 0.5) / _MOST_VALUES
            values, counts = np.quantile(steps, places), np.ones(_MOST_VALUES, dtype=np.int64)
        return cls(values_s=values * _STEP_S, shares=counts / counts.sum(), source=source)

    @classmethod
    def fixed(cls, seconds: float, *, source: str = "assumed") -> "ServiceTimes":
        """Every task takes as long."""
        return cls(values_s=np.array([seconds]), shares=np.ones(1), source=source)

    @classmethod
    def exponential(cls, mean_s: float, *, source: str = "assumed") -> "ServiceTimes":
        """Exponential times, by 1000 equally likely quantiles scaled to the exact mean."""
        values = -np.log1p(-(np.arange(1000) + 0.5) / 1000)
        return cls(
            values_s=values / values.mean() * mean_s, shares=np.full(1000, 1e-3), source=source
        )

    @classmethod
    def lognormal(cls, mean_s: float, *, sigma: float, source: str = "assumed") -> "ServiceTimes":
        """Lognormal times, by 1000 equally likely quantiles exp(σ·z) scaled to the exact mean."""
        normal = NormalDist()
        values = np.exp([sigma * normal.inv_cdf((i + 0.5) / 1000) for i in range(1000)])
        return cls(
            values_s=values / values.mean() * mean_s, shares=np.full(1000, 1e-3), source=source
        )

    @classmethod
    def of_bins(
        cls, edges_s: Sequence[float], *, counts: Sequence[int], mean_s: float, source: str
    ) -> "ServiceTimes":
        """What a stored distribution keeps of a sample: tasks in the middles of their bins.

        The last bin holds the stragglers, however far out: they stand where the mean is right.
        """
        edges, number = np.asarray(edges_s, dtype=np.float64), np.asarray(counts, dtype=np.float64)
        values, shares = (edges[:-1] + edges[1:]) / 2, number / number.sum()
        if shares[-1] > 0:
            rest = (mean_s - float(values[:-1] @ shares[:-1])) / shares[-1]
            values[-1] = min(max(rest, edges[-2]), edges[-1])
        kept = shares > 0
        return cls(values_s=values[kept], shares=shares[kept], source=source)

    @property
    def mean_s(self) -> float:
        """E[S]."""
        return float(self.values_s @ self.shares)

    def largest_share_within(self, seconds: float) -> float:
        """The largest share of tasks whose times differ by no more than so much.

        Slots that were filled by one poll come free together for as many tasks as end between the
        same two polls: of equal tasks all, of exponential ones 1 − e^(−T/E[S]).
        """
        below = np.concatenate(([0.0], np.cumsum(self.shares)))
        until = np.searchsorted(self.values_s, self.values_s + seconds, side="right")
        return float((below[until] - below[:-1]).max())

    def later(self, seconds: float) -> "ServiceTimes":
        """The same tasks, each longer by so much."""
        return ServiceTimes(
            values_s=self.values_s + seconds, shares=self.shares, source=self.source
        )

    def mean_until_poll_s(self, period_s: float, *, walk_s: float = 0.0) -> float:
        """E[T·⌈(D + u·W)/T⌉]: how long a task keeps what only a poll can give to the next.

        T: time between polls. W: how long the starts of one poll take; a task starts at a random
        place u·W in it, u uniform on 0…1.
        """
        return self._mean(_until_poll(self.values_s, period_s=period_s, walk_s=walk_s))

    def mean_slot_s(self, period_s: float, *, walk_s: float = 0.0) -> float:
        """How long a task keeps its slot from the next: until a poll, or until a walk meets it.

        A slot that comes free while its worker is still starting tasks is taken at once: always
        within the walk that filled it, and within a later one as far as tasks do not all end
        together (of equal tasks none has ended when that walk would begin).
        """
        held = _until_poll(self.values_s, period_s=period_s, walk_s=walk_s)
        if walk_s <= 0:
            return self._mean(held)
        ends = self.values_s[:, None] + PLACES[None, :] * walk_s
        apart = 1 - self.largest_share_within(walk_s)
        met = np.where(ends < walk_s, 1.0, np.where(ends % period_s < walk_s, apart, 0.0))
        return self._mean(held - met * (held - np.minimum(self.values_s[:, None], held)))

    def _mean(self, held: Floats) -> float:
        return float(self.shares @ held.mean(axis=1))


def _until_poll(values_s: Floats, *, period_s: float, walk_s: float) -> Floats:
    """T·⌈(D + u·W)/T⌉ for each value and each of some places u in the walk."""
    places = PLACES * walk_s if walk_s > 0 else np.zeros(1)
    polls = np.ceil((values_s[:, None] + places[None, :]) / period_s - 1e-9)
    held: Floats = period_s * np.maximum(polls, 1)
    return held
