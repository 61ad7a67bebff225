"""Do the figures of a run agree with each other? Little's law, L = X·T, as a check of the data.

L is counted from the rows: the mean number of tasks in the system, sent and not yet finished. X is
taken from the run's accounting and T from the tasks' own durations. Little's law holds for any
system over a span that begins and ends empty (Little 1961; Stidham 1974), so a difference means
that rows are missing or doubled, or that clocks disagree: not that the queue is slow.
"""

from dataclasses import dataclass

from runs.analysis.timeline import Flow
from runs.analysis.workload import Accounting

TOLERANCE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class LittleCheck:
    """L counted, and X·T; they agree within 2 %."""

    counted: float
    expected: float

    @property
    def agrees(self) -> bool:
        """Whether both are the same within the tolerance, or within half a task."""
        return abs(self.counted - self.expected) <= max(TOLERANCE * self.expected, 0.5)


def check_little(
    flow: Flow, *, accounting: Accounting, mean_time_in_system_s: float
) -> LittleCheck | None:
    """L against X·T over the whole run; None for a run without length."""
    duration = flow.duration_s
    if duration <= 0:
        return None
    backlog = flow.backlog_between(flow.first_send_s, flow.last_finish_s)
    in_flight = flow.in_flight_between(flow.first_send_s, flow.last_finish_s)
    throughput = accounting.finished / duration
    return LittleCheck(counted=backlog + in_flight, expected=throughput * mean_time_in_system_s)
