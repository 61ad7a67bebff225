"""What time is it by the one clock that every process of a run can read: Redis's?"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from workers.client import ClockOffset


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedClock:
    """Redis's clock, read once and carried on by this process's monotonic one.

    why: hosts disagree about what time it is, by an hour where somebody has set a clock wrong. A
    task stamped with such a clock would wait on the queue for that hour, and a run that a second
    dispatcher goes on sending would have two times. Nor may a run see this host's clock being set.
    """

    epoch_s: float  # what Redis's clock said when our monotonic one said 0
    error_s: float

    @classmethod
    def of(cls, read: ClockOffset) -> Self:
        """The clock as it was read just now."""
        ours_s = time.time() - time.monotonic()
        return cls(epoch_s=ours_s - read.offset_s, error_s=read.error_s)

    def now_s(self) -> float:
        """Seconds since 1970."""
        return self.epoch_s + time.monotonic()

    def now(self) -> datetime:
        """The same as an instant."""
        return datetime.fromtimestamp(self.now_s(), tz=UTC)

    def monotonic_s(self, instant: datetime) -> float:
        """What our monotonic clock says at this instant."""
        return instant.timestamp() - self.epoch_s
