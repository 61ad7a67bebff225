"""How hard was the queue pressed?"""

from enum import StrEnum

from runs.analysis.regime import Regime

BUSY = 0.9  # of the slots: above it every further task waits
EASY = 0.7
LONG_WAIT = 2.0  # queue wait against execution time and one poll
SHORT_WAIT = 1.0


class QueuePressure(StrEnum):
    """Load against what the queue can take."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


def wait_ratio(
    *, mean_wait_s: float, mean_execution_s: float, poll_delay_s: float | None
) -> float | None:
    """Queue wait against execution time and one poll.

    A poll is added because arq lets an idle queue's tasks wait for it, half of it on average: that
    is no pressure. None where both are nothing.
    """
    unhurried = mean_execution_s + (poll_delay_s or 0.0)
    return mean_wait_s / unhurried if unhurried > 0 else None


def queue_pressure(
    *, regime: Regime, utilisation: float | None, ratio: float | None
) -> QueuePressure | None:
    """High where saturated, above 90 % of the slots, or waits twice as long as the work.

    Low below 70 % of the slots with waits shorter than the work; moderate between. None where
    neither utilisation nor wait is known.
    """
    if regime is Regime.SATURATED:
        return QueuePressure.HIGH
    if utilisation is None and ratio is None:
        return None
    busy, waited = utilisation or 0.0, ratio or 0.0
    if busy >= BUSY or waited >= LONG_WAIT:
        return QueuePressure.HIGH
    if busy < EASY and waited < SHORT_WAIT:
        return QueuePressure.LOW
    return QueuePressure.MODERATE
