"""Which question did the run answer: how fast can it go, or how does it feel at this rate?

A queue that keeps up has the same backlog at the end of sending as at its beginning; one that does
not is saturated, and then waits only tell how long the test was. Measured once in waves of arq's
polls, the backlog is averaged over whole poll periods. After the sustained-load rule of capacity
searches: what is offered and what is served are compared over the last 80 % of the send window.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from runs.analysis.timeline import Flow
from runs.analysis.workload import Workload
from runs.arrivals import ArrivalModel

SETTLED_FROM = 0.2  # share of the send window after which the backlog is looked at
GROWTH_SHARE = 0.02  # of the tasks sent that stay behind: more is growth
FEWEST_POLLS = 5  # a shorter send window shows arq's comb, not a trend
PEAK_SLOTS = 4  # a backlog of so many times the slots (or of what a poll brings) is no ripple


class Regime(StrEnum):
    """Which of the two questions a run answered."""

    SATURATED = "saturated"  # the load exceeded what the queue serves: throughput is the answer
    KEEPING_UP = "keeping_up"  # the load was served as it came: sojourn time is the answer
    MIXED = "mixed"  # neither throughout


class RegimeReason(StrEnum):
    """What decided it."""

    BACKLOG_GREW = "backlog_grew"
    BACKLOG_STEADY = "backlog_steady"
    REFILLED = "refilled"  # everything at once, and more than the slots hold twice
    NEVER_REFILLED = "never_refilled"  # everything at once, hardly more than the slots hold
    LONG_DRAIN = "long_drain"  # sending was short, starting the rest was not
    TOO_SHORT = "too_short"  # sending ended before a trend could show
    CAUGHT_UP = "caught_up"  # fell far behind, and recovered
    MORE_OFFERED = "more_offered"  # tasks to fill more slots than there are, but not for long


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeFinding:
    """The regime and the figures that decided it.

    `arrival_rate_per_s`: tasks sent per second, None for a burst. `served_per_s`: tasks started per
    second in the same window. `backlog_early`, `backlog_late`: mean tasks waiting at the two ends
    of the last 80 % of sending. `offered_load` = λ·E[S], the slots that the arrivals demand.
    """

    regime: Regime
    reason: RegimeReason
    arrival_rate_per_s: float | None
    served_per_s: float | None
    backlog_early: float | None
    backlog_late: float
    send_span_s: float
    start_span_s: float  # from the last send to the last start
    offered_load: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trend:
    early: float
    late: float
    peak: float
    sent_per_s: float
    growth_per_s: float

    @property
    def growth(self) -> float:
        return self.late - self.early


def find_regime(
    flow: Flow, *, workload: Workload, slots: int, poll_delay_s: float, mean_execution_s: float
) -> RegimeFinding:
    """The regime of a run that finished at least one task."""
    rate = None if workload.burst else _arrival_rate(flow)
    trend = None if rate is None else _trend(flow, rate_per_s=rate, poll_delay_s=poll_delay_s)
    offered = None if rate is None else rate * mean_execution_s
    if rate is None:
        regime, reason = _of_burst(flow.sent.n, slots=slots)
    elif trend is None:
        regime, reason = _of_short(flow, slots=slots, poll_delay_s=poll_delay_s)
    else:
        poisson = workload.arrival is ArrivalModel.POISSON
        ripple = max(rate * poll_delay_s, slots, workload.batch_size, 1) * (2 if poisson else 1)
        regime, reason = _of_trend(trend, ripple=ripple, overload=0 < slots <= (offered or 0))
    return RegimeFinding(
        regime=regime,
        reason=reason,
        arrival_rate_per_s=rate,
        served_per_s=None if trend is None else trend.sent_per_s - trend.growth_per_s,
        backlog_early=None if trend is None else trend.early,
        backlog_late=_backlog_at_last_send(flow) if trend is None else trend.late,
        send_span_s=flow.last_send_s - flow.first_send_s,
        start_span_s=max(0.0, float(flow.started.times_s[-1]) - flow.last_send_s),
        offered_load=offered,
    )


def _arrival_rate(flow: Flow) -> float | None:
    """Tasks per second: those before the last send over the time until it."""
    span = flow.last_send_s - flow.first_send_s
    return float(flow.sent.before(flow.last_send_s)) / span if span > 0 else None


def _of_burst(sent: int, *, slots: int) -> tuple[Regime, RegimeReason]:
    if sent >= 2 * max(slots, 1):
        return Regime.SATURATED, RegimeReason.REFILLED
    return Regime.MIXED, RegimeReason.NEVER_REFILLED


def _of_short(flow: Flow, *, slots: int, poll_delay_s: float) -> tuple[Regime, RegimeReason]:
    """Too few polls for a trend: saturated only where the rest took longer than all of sending."""
    rest = float(flow.started.times_s[-1]) - flow.last_send_s
    sending = flow.last_send_s - flow.first_send_s
    if rest > max(2 * poll_delay_s, sending) and _backlog_at_last_send(flow) > slots:
        return Regime.SATURATED, RegimeReason.LONG_DRAIN
    return Regime.MIXED, RegimeReason.TOO_SHORT


def _of_trend(trend: _Trend, *, ripple: float, overload: bool) -> tuple[Regime, RegimeReason]:
    grew = trend.growth_per_s >= GROWTH_SHARE * trend.sent_per_s
    if grew and (trend.growth >= ripple or overload):
        return Regime.SATURATED, RegimeReason.BACKLOG_GREW
    if overload:
        return Regime.MIXED, RegimeReason.MORE_OFFERED
    if trend.peak > PEAK_SLOTS * ripple:
        return Regime.MIXED, RegimeReason.CAUGHT_UP
    return Regime.KEEPING_UP, RegimeReason.BACKLOG_STEADY


def _trend(flow: Flow, *, rate_per_s: float, poll_delay_s: float) -> _Trend | None:
    """Backlog over whole poll periods at both ends of the last 80 % of sending."""
    span = flow.last_send_s - flow.first_send_s
    if span < FEWEST_POLLS * poll_delay_s:
        return None
    wide = span / 10
    if poll_delay_s > 0:
        wide = poll_delay_s * max(1, np.floor(wide / poll_delay_s))
    first, last = flow.first_send_s + SETTLED_FROM * span, flow.last_send_s
    early = flow.backlog_between(first, first + wide)
    late = flow.backlog_between(last - wide, last)
    edges = np.arange(flow.first_send_s, last - wide * 0.999, wide)
    areas = [each.area(np.append(edges, edges[-1] + wide)) for each in (flow.sent, flow.started)]
    return _Trend(
        early=early,
        late=late,
        peak=float(np.diff(areas[0] - areas[1]).max() / wide),
        sent_per_s=rate_per_s,
        growth_per_s=(late - early) / (last - wide - first),
    )


def _backlog_at_last_send(flow: Flow) -> float:
    return float(flow.sent.n - flow.started.at(flow.last_send_s))
