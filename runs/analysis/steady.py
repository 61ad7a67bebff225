"""How fast did the queue work once it was in its stride, without warm-up and drain?

Two published rules, by the question that the run answered.

*Saturated*: the span in which at least as many tasks wait or run as there are slots, from the first
finish on. *Otherwise*: from the end of the warm-up, cut by MSER-5 on throughput per interval and
only within the first half of sending, to the last send; the drain is left out. In both the rate
is the mean over every placement of a window of whole polls (`Counting.rate_between`), so that
arq's waves are not counted one too few or too many.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from runs.analysis.counting import Counting
from runs.analysis.timeline import Flow

MSER_BATCH = 5
MOST_INTERVALS = 200
FEWEST_PERIODS = 2  # a shorter span holds not even two of arq's waves


class SteadyRule(StrEnum):
    """By which rule the steady span was found."""

    FULL_SLOTS = "full_slots"
    MSER_5 = "mser_5"


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyState:
    """The steady span, in seconds since the run's origin, and the rates in it.

    `throughput_per_s` counts tasks that finished, `goodput_per_s` those that did so without error.
    """

    rule: SteadyRule
    start_s: float
    end_s: float
    period_s: float
    finished: int
    throughput_per_s: float
    goodput_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """Where MSER-5 cuts: `cut` values from the head; `settled` unless it wanted to cut more."""

    cut: int
    statistic: float
    settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyFinding:
    """The steady state, or why there is none."""

    state: SteadyState | None
    settled: bool = True


def saturated_state(flow: Flow, *, slots: int, period_s: float) -> SteadyFinding:
    """While the slots were fully used: the rate is what the queue can serve."""
    span = _full_span(flow, slots=max(1, slots))
    if span is None:
        return SteadyFinding(state=None)
    state = _state(flow, rule=SteadyRule.FULL_SLOTS, span=span, period_s=period_s)
    return SteadyFinding(state=state)


def offered_state(flow: Flow, *, period_s: float) -> SteadyFinding:
    """While tasks were being sent, after the warm-up: the rate is what was offered and served."""
    span = flow.last_send_s - flow.first_send_s
    if span <= 0:
        return SteadyFinding(state=None)
    interval = span / MOST_INTERVALS
    if period_s > 0:
        interval = period_s * np.ceil(interval / period_s)
    edges = flow.first_send_s + interval * np.arange(int(span / interval) + 1)
    warm_up = mser5(np.diff(flow.finished.at(edges)))
    start = flow.first_send_s + interval * warm_up.cut
    state = _state(
        flow,
        rule=SteadyRule.MSER_5,
        span=(float(start), flow.last_send_s),
        period_s=period_s,
    )
    return SteadyFinding(state=state, settled=warm_up.settled)


def mser5(values: ArrayLike) -> WarmUp:
    """Where the warm-up of a series ends (White 1997; MSER-5, Spratt 1998).

    Means of batches of 5; the cut k minimises Σᵢ₌ₖ(xᵢ − x̄)² / (m − k)². Looked for in the first
    half only: a minimum at its end says that there is no steady state, and nothing is cut.
    """
    series = np.asarray(values, dtype=np.float64)
    batches = series.size // MSER_BATCH
    if batches < 2:
        return WarmUp(cut=0, statistic=0.0, settled=True)
    means = series[: batches * MSER_BATCH].reshape(batches, MSER_BATCH).mean(axis=1)
    left = np.arange(batches, 0, -1)
    tail_sums = np.cumsum(means[::-1])[::-1]
    tail_squares = np.cumsum((means**2)[::-1])[::-1]
    statistics = np.maximum(tail_squares - tail_sums**2 / left, 0) / left.astype(np.float64) ** 2
    candidates = statistics[: batches // 2 + 1]
    best = int(np.argmin(candidates))
    settled = best < batches // 2
    return WarmUp(
        cut=best * MSER_BATCH if settled else 0,
        statistic=float(candidates[best]),
        settled=settled,
    )


def _full_span(flow: Flow, *, slots: int) -> tuple[float, float] | None:
    """From the first finish to the last moment with as many tasks in the system as slots."""
    finishes = flow.finished.times_s
    inside = flow.sent.at(finishes) - np.arange(finishes.size)  # just before each finish
    full = np.flatnonzero(inside >= slots)
    return (float(finishes[full[0]]), float(finishes[full[-1]])) if full.size else None


def _state(
    flow: Flow, *, rule: SteadyRule, span: tuple[float, float], period_s: float
) -> SteadyState | None:
    start, end = span
    if end - start <= 0 or end - start < FEWEST_PERIODS * period_s:
        return None
    rate = flow.finished.rate_between(start, end, period_s=period_s)
    failed = _rate(flow.failed, span=span, period_s=period_s)
    return SteadyState(
        rule=rule,
        start_s=start,
        end_s=end,
        period_s=period_s,
        finished=int(flow.finished.at(end) - flow.finished.at(start)),
        throughput_per_s=rate,
        goodput_per_s=max(0.0, rate - failed),
    )


def _rate(events: Counting, *, span: tuple[float, float], period_s: float) -> float:
    return events.rate_between(*span, period_s=period_s) if events.n else 0.0
