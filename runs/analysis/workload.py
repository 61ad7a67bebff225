"""What was asked of the queue, and did every task of it end up somewhere?"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runs.arrivals import ArrivalModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A run's configuration: which tasks, how many, and how they arrive.

    Batches of `batch_size` every `delay_s` seconds, or `rate_per_s` for `duration_s`.
    """

    task_type: str
    num_tasks: int
    queue: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    batch_size: int = 1
    delay_s: float = 0.0
    rate_per_s: float | None = None
    duration_s: float | None = None
    arrival: ArrivalModel = ArrivalModel.BATCHES
    seed: int = 0

    @property
    def burst(self) -> bool:
        """Everything at once: tasks have no due time of their own, sojourn counts from enqueued."""
        return self.arrival is ArrivalModel.BATCHES and self.delay_s == 0

    @property
    def offered_rate_per_s(self) -> float | None:
        """The arrival rate asked for; None for a burst, which has none."""
        if self.burst:
            return None
        if self.arrival is ArrivalModel.BATCHES:
            return self.batch_size / self.delay_s
        return self.rate_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """Where the tasks of a run are: sent = completed + failed + cancelled + lost + outstanding."""

    planned: int
    sent: int
    completed: int
    failed: int
    cancelled: int = 0
    lost: int = 0
    outstanding: int = 0
    retries: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every task sent is in exactly one place."""
        accounted = self.completed + self.failed + self.cancelled + self.lost + self.outstanding
        return self.sent == accounted

    @property
    def finished(self) -> int:
        """Tasks that ran to an end, with or without an error."""
        return self.completed + self.failed

    @property
    def completed_share(self) -> float | None:
        """completed / sent; None where nothing was sent."""
        return self.completed / self.sent if self.sent > 0 else None

    @property
    def failed_share(self) -> float | None:
        """failed / finished; None where nothing finished."""
        return self.failed / self.finished if self.finished > 0 else None

    @property
    def finished_share(self) -> float | None:
        """finished / sent; None where nothing was sent."""
        return self.finished / self.sent if self.sent > 0 else None
