"""Which durations do a run's instants give?

All instants are seconds since the run's origin, each on the clock of the host that took it:
intended and enqueued on the sender's, started and finished on the worker's. `skew_s` is the
worker's clock less the sender's, so that queue wait and sojourn time are differences on one clock;
each is as uncertain as `skew_error_s` (half a round trip to Redis, for either side). arq stamps
whole milliseconds: a single duration is uncertain by another millisecond, a mean is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
T = TypeVar("T", bound=np.generic)
# A wait below zero by no more than this is explained by stamps in whole milliseconds.
STAMP_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """A worker's clock less the sender's, in seconds, give or take `error_s`."""

    offset_s: float = 0.0
    error_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskInstants:
    """What is stored of the tasks that ran to an end: columns of equal length, instants raw.

    `worker` holds indices into `worker_names`. `pool_wait_s`: the part of the execution time that
    was spent waiting for the worker's process pool, where the task type reports it.
    """

    sequence: ArrayLike
    intended_s: ArrayLike
    enqueued_s: ArrayLike
    started_s: ArrayLike
    finished_s: ArrayLike
    failed: ArrayLike | None = None
    tries: ArrayLike | None = None
    worker: ArrayLike | None = None
    worker_names: tuple[str, ...] = ("",)
    pool_wait_s: ArrayLike | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """The tasks of one run that ran to an end, one array element each; build with `of`."""

    sequence: NDArray[np.int64]
    intended_s: Floats
    enqueued_s: Floats
    started_s: Floats
    finished_s: Floats
    failed: NDArray[np.bool_]
    tries: NDArray[np.int16]
    worker: NDArray[np.int16]
    worker_names: tuple[str, ...]
    burst: bool
    skew_s: Floats  # one per worker name
    skew_error_s: Floats
    pool_wait_s: Floats | None = None
    discarded: int = 0

    @classmethod
    def of(
        cls,
        tasks: TaskInstants,
        *,
        burst: bool,
        skews: Mapping[str, Skew] | None = None,
        longest_s: float = np.inf,
    ) -> "Samples":
        """Arrays of the stored columns; tasks whose instants cannot be are left out and counted.

        `burst`: everything was sent at once (`Workload.burst`). A worker without a skew has none.
        `longest_s`: no execution can have taken longer than the run: the clock was set meanwhile.
        """
        sequence = np.asarray(tasks.sequence, dtype=np.int64)
        instants = [
            np.asarray(values, dtype=np.float64)
            for values in (tasks.intended_s, tasks.enqueued_s, tasks.started_s, tasks.finished_s)
        ]
        keep = _possible(instants, longest_s=longest_s)
        skew = [(skews or {}).get(name, Skew()) for name in tasks.worker_names]
        return cls(
            sequence=sequence[keep],
            intended_s=instants[0][keep],
            enqueued_s=instants[1][keep],
            started_s=instants[2][keep],
            finished_s=instants[3][keep],
            failed=_or_zero(tasks.failed, like=sequence, dtype=np.bool_)[keep],
            tries=_or_zero(tasks.tries, like=sequence, dtype=np.int16)[keep],
            worker=_or_zero(tasks.worker, like=sequence, dtype=np.int16)[keep],
            worker_names=tasks.worker_names,
            burst=burst,
            skew_s=np.array([each.offset_s for each in skew], dtype=np.float64),
            skew_error_s=np.array([each.error_s for each in skew], dtype=np.float64),
            pool_wait_s=_pool_wait(tasks.pool_wait_s, keep=keep),
            discarded=int(np.count_nonzero(~keep)),
        )

    @property
    def n(self) -> int:
        """Tasks that ran to an end."""
        return int(self.sequence.size)

    @property
    def start_s(self) -> Floats:
        """Started, on the sender's clock."""
        return self.started_s - self.skew_s[self.worker]

    @property
    def finish_s(self) -> Floats:
        """Finished, on the sender's clock."""
        return self.finished_s - self.skew_s[self.worker]

    @property
    def queue_wait_s(self) -> Floats:
        """W = started − enqueued, skew-corrected; below zero where the skew is not known better."""
        return self.start_s - self.enqueued_s

    @property
    def execution_time_s(self) -> Floats:
        """S = finished − started of the last try, one clock."""
        return self.finished_s - self.started_s

    @property
    def sojourn_time_s(self) -> Floats:
        """T = finished − intended: what a user feels, our own lateness included.

        In a burst nothing is due at a time of its own, so there it counts from enqueued.
        """
        return self.finish_s - (self.enqueued_s if self.burst else self.intended_s)

    @property
    def dispatch_lag_s(self) -> Floats:
        """enqueued − intended: our own lateness, one clock."""
        return self.enqueued_s - self.intended_s

    @property
    def negative_waits(self) -> int:
        """Tasks that seem to have started before they were enqueued: never clamped, but counted.

        Whole-millisecond stamps explain up to 1 ms of it; anything more is clock error.
        """
        return int(np.count_nonzero(self.queue_wait_s < -STAMP_S))

    @property
    def largest_skew_s(self) -> float:
        """The largest clock difference that was corrected for."""
        return float(np.abs(self.skew_s).max(initial=0.0))

    @property
    def skew_uncertainty_s(self) -> float:
        """How wrong the correction may be, for the worst worker."""
        return float(self.skew_error_s.max(initial=0.0))


def _possible(instants: Sequence[Floats], *, longest_s: float) -> NDArray[np.bool_]:
    """Finite instants, and an end not before its start nor too late: they are of one clock."""
    finite = np.all([np.isfinite(values) for values in instants], axis=0)
    lasted = np.where(finite, instants[3] - instants[2], -1.0)
    keep: NDArray[np.bool_] = (lasted >= 0) & (lasted <= longest_s)
    return keep


def _or_zero(values: ArrayLike | None, *, like: NDArray[np.int64], dtype: type[T]) -> NDArray[T]:
    return np.zeros(like.size, dtype=dtype) if values is None else np.asarray(values, dtype=dtype)


def _pool_wait(values: ArrayLike | None, *, keep: NDArray[np.bool_]) -> Floats | None:
    """What a task reported about itself is hostile: no number, or less than nothing, is nothing."""
    if values is None:
        return None
    waited = np.asarray(values, dtype=np.float64)[keep]
    return np.where(np.isfinite(waited) & (waited > 0), waited, 0.0)
