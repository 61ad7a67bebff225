"""When is each task of a run due?

An arrival plan turns a model and a seed into due times, in seconds since the run's origin;
sequences are 1-based. The same plan gives the same times on every machine and in every process, so
intended arrivals are never stored: whoever needs one computes it again.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# rate × duration that should be a whole number may come out a rounding error beside it.
_ROUNDING = 1e-9


class ArrivalModel(StrEnum):
    """How the due times are spaced."""

    BATCHES = "batches"  # batch_size tasks at once, delay_s between batches: the burst
    CONSTANT = "constant"  # evenly spaced at a rate
    POISSON = "poisson"  # at random at a rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Consecutive sequences to send together: `count` from `first` on, none before `offset_s`."""

    first: int
    count: int
    offset_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """An arrival plan; make one with `batches`, `constant` or `poisson`."""

    model: ArrivalModel
    tasks: int
    batch_size: int = 1
    delay_s: float = 0.0
    rate_per_s: float | None = None
    duration_s: float | None = None
    seed: int = 0

    @classmethod
    def batches(cls, tasks: int, *, batch_size: int, delay_s: float = 0.0) -> "Arrivals":
        """`batch_size` tasks every `delay_s` seconds; with no delay everything is due at once."""
        if tasks < 1 or batch_size < 1:
            raise ValueError(f"tasks and batch_size must be ≥ 1, not {tasks} and {batch_size}")
        if not 0 <= delay_s < math.inf:
            raise ValueError(f"delay_s must be a finite number ≥ 0, not {delay_s}")
        return cls(model=ArrivalModel.BATCHES, tasks=tasks, batch_size=batch_size, delay_s=delay_s)

    @classmethod
    def constant(cls, rate_per_s: float, *, duration_s: float) -> "Arrivals":
        """Task k is due at (k − 1)/rate; as many tasks as fall before `duration_s`."""
        return cls(
            model=ArrivalModel.CONSTANT,
            tasks=_tasks_offered(rate_per_s, duration_s=duration_s),
            rate_per_s=rate_per_s,
            duration_s=duration_s,
        )

    @classmethod
    def poisson(cls, rate_per_s: float, *, duration_s: float, seed: int = 0) -> "Arrivals":
        """A Poisson process given its number of arrivals: ⌈rate × duration⌉ tasks at random times.

        Given their number, the arrivals of a Poisson process are uniform order statistics (Ross,
        Introduction to Probability Models, theorem 5.2). Fixing the number offers exactly the rate
        asked for and makes runs of different seeds the same amount of work.
        """
        return cls(
            model=ArrivalModel.POISSON,
            tasks=_tasks_offered(rate_per_s, duration_s=duration_s),
            rate_per_s=rate_per_s,
            duration_s=duration_s,
            seed=seed,
        )

    @property
    def is_open(self) -> bool:
        """Whether tasks arrive at a rate: what a user feels then counts from the intended time."""
        return self.model is not ArrivalModel.BATCHES

    @property
    def last_offset_s(self) -> float:
        """When the last task is due."""
        return self.offset_s(self.tasks)

    def offset_s(self, sequence: int) -> float:
        """When task `sequence` (1-based) is due, in seconds since the run's origin."""
        return float(self.offsets_s(sequence, count=1)[0])

    def offsets_s(self, first: int, *, count: int) -> NDArray[np.float64]:
        """When the `count` tasks from `first` on are due."""
        if first < 1 or count < 0 or first - 1 + count > self.tasks:
            raise ValueError(f"tasks {first} … {first + count - 1} of 1 … {self.tasks}")
        before = np.arange(first - 1, first - 1 + count, dtype=np.float64)
        if self.rate_per_s is None or self.duration_s is None:
            return (before // self.batch_size) * self.delay_s
        if self.model is ArrivalModel.CONSTANT:
            return before / self.rate_per_s
        return _poisson_offsets(self.tasks, self.duration_s, self.seed)[first - 1 :][:count]

    def due(self, first: int = 1, *, window_s: float = 0.02, limit: int = 500) -> Iterator[Due]:
        """Groups of tasks to send together, from `first` to the last.

        Batches group what is due at the same instant. At a rate a group spans at most `window_s`
        and is due when its last member is, so that nothing is sent early. At most `limit` tasks.
        """
        while first <= self.tasks:
            last = min(self._last_within(first, window_s=window_s), first + limit - 1, self.tasks)
            yield Due(first=first, count=last - first + 1, offset_s=self.offset_s(last))
            first = last + 1

    def _last_within(self, first: int, *, window_s: float) -> int:
        if self.rate_per_s is None or self.duration_s is None:
            if self.delay_s == 0:
                return self.tasks
            return ((first - 1) // self.batch_size + 1) * self.batch_size
        if self.model is ArrivalModel.CONSTANT:
            return first + math.floor(window_s * self.rate_per_s + _ROUNDING)
        offsets = _poisson_offsets(self.tasks, self.duration_s, self.seed)
        return int(np.searchsorted(offsets, offsets[first - 1] + window_s, side="right"))


def _tasks_offered(rate_per_s: float, *, duration_s: float) -> int:
    for name, value in (("rate_per_s", rate_per_s), ("duration_s", duration_s)):
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be a finite number > 0, not {value}")
    return max(1, math.ceil(rate_per_s * duration_s - _ROUNDING))


@lru_cache(maxsize=2)  # 8 MB per million tasks; one dispatcher follows few plans at a time
def _poisson_offsets(tasks: int, duration_s: float, seed: int) -> NDArray[np.float64]:
    """n uniform order statistics on [0, duration): normalised sums of n + 1 exponential gaps.

    Why raw bits: numpy keeps the bit streams of its generators stable across versions, but not the
    distributions drawn from them (NEP 19), and a plan must be the same after an upgrade.
    """
    bits = np.random.PCG64(seed).random_raw(tasks + 1)
    uniform = (bits >> np.uint64(11)) * 2.0**-53  # 53 random bits: [0, 1)
    sums = np.cumsum(-np.log1p(-uniform))
    offsets: NDArray[np.float64] = sums[:-1] * (duration_s / sums[-1])
    offsets.setflags(write=False)
    return offsets
