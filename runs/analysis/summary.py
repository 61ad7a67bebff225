"""What happened in a run, in figures: its regime, rates, durations, timeline and utilisation.

A figure that the run cannot give is None; `notes` has the sentence that says why.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from runs.analysis.counting import Counting, peak_difference
from runs.analysis.figures import Distribution, TimeFigures
from runs.analysis.fleet import Fleet
from runs.analysis.little import LittleCheck, check_little
from runs.analysis.polls import PollCycle, poll_cycle, worker_polls
from runs.analysis.pressure import QueuePressure, queue_pressure, wait_ratio
from runs.analysis.regime import Regime, RegimeFinding, find_regime
from runs.analysis.samples import Samples
from runs.analysis.steady import SteadyFinding, SteadyState, offered_state, saturated_state
from runs.analysis.timeline import Flow, Timeline, timeline
from runs.analysis.within_run import MOST_UTILISATION, Interval, rate_interval, time_intervals
from runs.analysis.workload import Accounting, Workload

_NO_TIMES = TimeFigures(n=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything about one run that needs no other run; shares are fractions.

    `overall_throughput_per_s`: completed / (last finish − first send). `utilisation`: of the slots,
    in the steady span where there is one. `intervals`: 95 %, this run only, keyed and scaled as in
    the report. `workers_seen`: tasks per worker name. `offered_share`: tasks sent per second
    against those asked for. `settled`: whether the warm-up rule found an end of the warm-up.
    """

    accounting: Accounting
    n: int = 0
    execution: TimeFigures = _NO_TIMES
    queue_wait: TimeFigures = _NO_TIMES
    sojourn: TimeFigures = _NO_TIMES
    dispatch_lag: TimeFigures = _NO_TIMES
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    negative_waits: int = 0
    skew_s: float = 0.0
    skew_error_s: float = 0.0
    discarded: int = 0
    workers_seen: Mapping[str, int] = field(default_factory=dict)
    regime: RegimeFinding | None = None
    duration_s: float | None = None
    overall_throughput_per_s: float | None = None
    offered_share: float | None = None
    steady: SteadyState | None = None
    settled: bool = True
    utilisation: float | None = None
    peak_in_flight: int = 0
    wait_ratio: float | None = None
    pressure: QueuePressure | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    timeline: Timeline | None = None
    poll_cycle: PollCycle | None = None
    little: LittleCheck | None = None

    @property
    def steady_throughput_per_s(self) -> float | None:
        """Completed per second in the steady span; None where there was no steady state."""
        return None if self.steady is None else self.steady.goodput_per_s

    @property
    def throughput_per_s(self) -> float | None:
        """The best figure for the rate: the steady one, or else that of the whole run."""
        steady = self.steady_throughput_per_s
        return self.overall_throughput_per_s if steady is None else steady

    @property
    def kept_up(self) -> bool:
        """Whether the queue kept up throughout: only then do waits mean anything."""
        return self.regime is not None and self.regime.regime is Regime.KEEPING_UP

    @property
    def saturated(self) -> bool:
        """Whether more was offered than the queue serves."""
        return self.regime is not None and self.regime.regime is Regime.SATURATED

    @property
    def reached_its_limit(self) -> bool:
        """Whether more was offered than the queue serves, and for long enough to see how much."""
        return self.saturated and self.steady is not None


def summarise(
    samples: Samples, *, workload: Workload, fleet: Fleet, accounting: Accounting
) -> Summary:
    """Summarise one run; one without a finished task has nothing but its accounting."""
    if samples.n == 0:
        return Summary(accounting=accounting, discarded=samples.discarded)
    times = _Durations.of(samples)
    summary = _with_times(Summary(accounting=accounting), samples=samples, times=times)
    course = _Course.of(samples, workload=workload, fleet=fleet, times=summary.execution)
    summary = _with_course(summary, course=course, workload=workload)
    return replace(
        summary,
        intervals=_intervals(times, summary=summary, course=course),
        poll_cycle=poll_cycle(
            worker_polls(samples, fleet=fleet),
            slots=fleet.slots,
            span=course.span,
        ),
        little=check_little(
            course.flow,
            accounting=accounting,
            mean_time_in_system_s=float((times.wait_s + times.execution_s).mean()),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Durations:
    """The durations of the tasks, computed once: of a million tasks each takes 8 MB."""

    execution_s: NDArray[np.float64]
    wait_s: NDArray[np.float64]
    sojourn_s: NDArray[np.float64]
    finish_s: NDArray[np.float64]

    @classmethod
    def of(cls, samples: Samples) -> "_Durations":
        return cls(
            execution_s=samples.execution_time_s,
            wait_s=samples.queue_wait_s,
            sojourn_s=samples.sojourn_time_s,
            finish_s=samples.finish_s,
        )

    @property
    def shown(self) -> dict[str, NDArray[np.float64]]:
        """Those that a report shows in full, under their names there."""
        return {
            "execution_time": self.execution_s,
            "queue_wait": self.wait_s,
            "sojourn_time": self.sojourn_s,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """How the run went: its flow, regime and steady span, and what it was served by."""

    flow: Flow
    fleet: Fleet
    peak_in_flight: int
    regime: RegimeFinding
    steady: SteadyFinding

    @classmethod
    def of(
        cls, samples: Samples, *, workload: Workload, fleet: Fleet, times: TimeFigures
    ) -> "_Course":
        flow = _flow(samples)
        peak = peak_difference(flow.started, flow.finished)
        slots = fleet.slots or peak  # an unknown fleet has as many as were seen in use
        delay = fleet.poll_delay_s or 0.0
        regime = find_regime(
            flow,
            workload=workload,
            slots=slots,
            poll_delay_s=delay,
            mean_execution_s=times.avg_s or 0.0,
        )
        # why the execution time: a slot is refilled after a whole number of polls
        polls = max(1, math.ceil((times.p50_s or 0.0) / delay)) if delay > 0 else 0
        if regime.regime is Regime.SATURATED:
            steady = saturated_state(flow, slots=slots, period_s=polls * delay)
        else:
            steady = offered_state(flow, period_s=polls * delay)
        return cls(flow=flow, fleet=fleet, peak_in_flight=peak, regime=regime, steady=steady)

    @property
    def span(self) -> tuple[float, float]:
        """The steady span, or the whole run."""
        steady = self.steady.state
        if steady is None:
            return self.flow.first_send_s, self.flow.last_finish_s
        return steady.start_s, steady.end_s

    @property
    def utilisation(self) -> float | None:
        """Mean share of the fleet's slots that were executing in the span."""
        if self.fleet.slots == 0 or self.span[1] <= self.span[0]:
            return None
        return self.flow.in_flight_between(*self.span) / self.fleet.slots


def _flow(samples: Samples) -> Flow:
    finish = samples.finish_s
    return Flow(
        sent=Counting.of(samples.enqueued_s),
        started=Counting.of(samples.start_s),
        finished=Counting.of(finish),
        failed=Counting.of(finish[samples.failed]),
    )


def _with_times(summary: Summary, *, samples: Samples, times: _Durations) -> Summary:
    counts = np.bincount(samples.worker, minlength=len(samples.worker_names))
    bins = {name: Distribution.of(values) for name, values in times.shown.items()}
    return replace(
        summary,
        n=samples.n,
        execution=TimeFigures.of(times.execution_s),
        queue_wait=TimeFigures.of(times.wait_s),
        sojourn=TimeFigures.of(times.sojourn_s),
        dispatch_lag=TimeFigures.of(samples.dispatch_lag_s),
        distributions={name: each for name, each in bins.items() if each is not None},
        negative_waits=samples.negative_waits,
        skew_s=samples.largest_skew_s,
        skew_error_s=samples.skew_uncertainty_s,
        discarded=samples.discarded,
        workers_seen={
            name: int(count)
            for name, count in zip(samples.worker_names, counts, strict=True)
            if count
        },
    )


def _with_course(summary: Summary, *, course: _Course, workload: Workload) -> Summary:
    duration, utilisation = course.flow.duration_s, course.utilisation
    ratio = wait_ratio(
        mean_wait_s=summary.queue_wait.avg_s or 0.0,
        mean_execution_s=summary.execution.avg_s or 0.0,
        poll_delay_s=course.fleet.poll_delay_s,
    )
    asked, arrived = workload.offered_rate_per_s, course.regime.arrival_rate_per_s
    return replace(
        summary,
        regime=course.regime,
        duration_s=duration,
        overall_throughput_per_s=summary.accounting.completed / duration if duration > 0 else None,
        offered_share=arrived / asked if arrived is not None and asked else None,
        steady=course.steady.state,
        settled=course.steady.settled,
        utilisation=utilisation,
        peak_in_flight=course.peak_in_flight,
        wait_ratio=ratio,
        pressure=queue_pressure(regime=course.regime.regime, utilisation=utilisation, ratio=ratio),
        # why not always: clocks that are far apart can put the end before the beginning
        timeline=timeline(course.flow, poll_delay_s=course.fleet.poll_delay_s)
        if duration >= 0
        else None,
    )


def _intervals(times: _Durations, *, summary: Summary, course: _Course) -> dict[str, Interval]:
    """Intervals of the steady span's figures; of waits only where the queue was not pressed."""
    low, high = course.span
    inside = np.flatnonzero((times.finish_s >= low) & (times.finish_s <= high))
    ordered = inside[np.argsort(times.finish_s[inside], kind="stable")]
    shown = times.shown
    if not summary.kept_up or summary.utilisation is None or summary.utilisation > MOST_UTILISATION:
        shown = {"execution_time": times.execution_s}
    found: dict[str, Interval] = {}
    for name, values in shown.items():
        found |= time_intervals(values[ordered], name=name)
    if summary.steady is not None:
        rate = rate_interval(course.flow.finished, steady=summary.steady)
        if rate is not None:
            found["steady_state_throughput"] = rate
    return found
