"""What happened when? Tasks sent, finished, failed, waiting and running over a run's time."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runs.analysis.counting import Counting

MOST_POINTS = 500
LEAST_INTERVAL_S = 1.0
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Bins of `interval_s` since the first send. Backlog and in flight are means over the bin."""

    interval_s: float
    sent: tuple[int, ...]
    finished: tuple[int, ...]
    failed: tuple[int, ...]
    backlog: tuple[float, ...]
    in_flight: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The sends, starts, finishes and failures of one run, all on the sender's clock."""

    sent: Counting
    started: Counting
    finished: Counting
    failed: Counting

    @property
    def first_send_s(self) -> float:
        """When the run began, as throughput counts it."""
        return float(self.sent.times_s[0])

    @property
    def last_send_s(self) -> float:
        """When sending ended and draining began."""
        return float(self.sent.times_s[-1])

    @property
    def last_finish_s(self) -> float:
        """When the run ended, as throughput counts it."""
        return float(self.finished.times_s[-1])

    @property
    def duration_s(self) -> float:
        """last finish − first send."""
        return self.last_finish_s - self.first_send_s

    def backlog_between(self, start_s: float, end_s: float) -> float:
        """Mean number of tasks sent and not started."""
        return self.sent.mean_between(start_s, end_s) - self.started.mean_between(start_s, end_s)

    def in_flight_between(self, start_s: float, end_s: float) -> float:
        """Mean number of tasks started and not finished."""
        started = self.started.mean_between(start_s, end_s)
        return started - self.finished.mean_between(start_s, end_s)


def interval_for(duration_s: float, *, poll_delay_s: float | None) -> float:
    """A whole multiple of poll_delay, at least 1 s, giving at most 500 bins.

    Finer bins, or bins that are no multiple, show arq's comb instead of the load: starts come in
    bursts, one a poll.
    """
    step = poll_delay_s or LEAST_INTERVAL_S
    least = math.ceil(LEAST_INTERVAL_S / step - 1e-9)
    fitting = math.floor(duration_s / (MOST_POINTS * step) * (1 + 1e-6)) + 1
    return round(step * max(1, least, fitting), 9)


def timeline(flow: Flow, *, poll_delay_s: float | None) -> Timeline:
    """Counts and means per bin, from the first send to the last finish."""
    interval = interval_for(flow.duration_s, poll_delay_s=poll_delay_s)
    bins = math.floor(flow.duration_s / interval) + 1
    edges: Floats = flow.first_send_s + interval * np.arange(bins + 1, dtype=np.float64)
    areas = [each.area(edges) for each in (flow.sent, flow.started, flow.finished)]
    return Timeline(
        interval_s=interval,
        sent=_per_bin(flow.sent, edges=edges),
        finished=_per_bin(flow.finished, edges=edges),
        failed=_per_bin(flow.failed, edges=edges),
        backlog=_means(areas[0] - areas[1], interval_s=interval),
        in_flight=_means(areas[1] - areas[2], interval_s=interval),
    )


def _per_bin(events: Counting, *, edges: Floats) -> tuple[int, ...]:
    """Events in [edge, next edge); what the clocks put before the first send is in the first."""
    until = events.before(edges)
    until[0] = 0
    return tuple(int(count) for count in np.diff(until))


def _means(area: Floats, *, interval_s: float) -> tuple[float, ...]:
    return tuple(round(float(mean), 3) for mean in np.diff(area) / interval_s)
