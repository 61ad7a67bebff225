"""What do this machine's own parts of arq's laws cost? Measured, each with where it came from.

No constant is carried over from another machine. One that the run did not show is None, and what
needs it is left out, with a note.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from runs.analysis.counting import Counting
from runs.analysis.fleet import Fleet
from runs.analysis.polls import WorkerPolls, worker_polls
from runs.analysis.samples import STAMP_S, Samples
from runs.analysis.service import ServiceTimes

# Parts of a task's work, by the commands that arq 0.28 sends for it (worker.py): a start walks
# 4 round trips, taking the task up and finishing it one each; skipping an id walks the same 4.
START_TRIPS = 4
SLOT_TRIPS = 6
# CPU of skipping an id against that of a whole task: no transaction, no task, no result.
SKIP_CPU_SHARE = 0.4
FEWEST_GAPS = 20
LEAST_BLOCKING_S = 0.005  # shorter executions are arq's own work, not the task's
MOST_OVERLAP = 0.2  # tasks that block do not overlap, stamps in whole milliseconds aside
STEADY_PHASE = 0.7  # mean resultant length of the polls' phases, 1 where they do not drift
MOST_LAG_SHARE = 0.2  # of poll_delay: polls later than this are starved, not late
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A measured number, in seconds unless said otherwise, and its source in words."""

    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """The machine's parts of the laws, seconds per task unless said otherwise.

    `start_s`: serial time of one start in one worker (4 round trips and the CPU of a whole task,
    for a worker is one thread). `skip_s`: the same of an id that cannot be started. `overhead_s`:
    how long a slot is held besides the execution. `poll_lag_s`: how much later than poll_delay a
    poll comes. `loop_cpu_s`: CPU of the worker's main process. `blocking_s`: the part of it, or of
    the clock, for which one task blocks the event loop. `pool_cpu_s`: CPU of the process pool.
    `redis_cpu_s`: CPU of Redis. `shared_cpu_s`: the same, where it runs on the workers' host.
    `observer_cores`: cores of that host that loadlab itself keeps busy, whatever the rate.
    `poll_phases`: when the workers poll within one poll_delay, as shares of it.
    """

    start_s: Constant | None = None
    skip_s: Constant | None = None
    round_trip_s: Constant | None = None
    overhead_s: Constant | None = None
    poll_lag_s: Constant | None = None
    loop_cpu_s: Constant | None = None
    blocking_s: Constant | None = None
    pool_cpu_s: Constant | None = None
    redis_cpu_s: Constant | None = None
    shared_cpu_s: Constant | None = None
    observer_cores: Constant | None = None
    poll_phases: tuple[float, ...] | None = None


def loop_cpu_with_skips(constants: Constants, *, skips: float) -> Constant | None:
    """CPU of the workers' main processes per task, where each is passed by so many polls.

    c·(1 + 0.4·skips), c of a start by itself; what the run measured where that is more, for of that
    it is sure. None where it measured nothing.
    """
    measured, start, skip = constants.loop_cpu_s, constants.start_s, constants.skip_s
    if measured is None or start is None or skip is None or constants.blocking_s is not None:
        return measured
    walking = own_cpu_s(start=start, skip=skip) * (1 + SKIP_CPU_SHARE * skips)
    return replace(measured, value=max(measured.value, walking))


def own_cpu_s(*, start: Constant, skip: Constant) -> float:
    """c, the CPU of a start by itself: waiting is the same in both, s − s' = 0.6·c."""
    return (start.value - skip.value) / (1 - SKIP_CPU_SHARE)


def value_of(constant: Constant | None, *, default: float = 0.0) -> float:
    """The number of a constant that may be unknown."""
    return default if constant is None else constant.value


def measure_constants(samples: Samples, *, fleet: Fleet) -> Constants:
    """All constants that one run and its workers' heartbeats show."""
    polls = worker_polls(samples, fleet=fleet)
    heartbeats = "the workers' heartbeats"
    blocking = _blocking(samples, fleet=fleet, polls=polls)
    work = _work(polls, fleet=fleet, blocking_s=value_of(blocking))
    return Constants(
        start_s=None if work is None else work.start,
        skip_s=None if work is None else work.skip,
        round_trip_s=_constant(fleet.round_trip_s, source=heartbeats),
        overhead_s=None if work is None else work.overhead,
        poll_lag_s=_poll_lag(polls),
        loop_cpu_s=_constant(fleet.start_cpu_s, source=heartbeats),
        blocking_s=blocking,
        pool_cpu_s=_constant(fleet.pool_cpu_s, source=heartbeats),
        redis_cpu_s=_constant(fleet.redis_cpu_s, source="Redis's own count of its CPU"),
        shared_cpu_s=_constant(fleet.shared_cpu_s, source="Redis's own count of its CPU"),
        observer_cores=_constant(fleet.observer_cores, source="CPU of loadlab itself"),
        poll_phases=_phases(polls),
    )


def service_times(samples: Samples) -> ServiceTimes:
    """What the tasks themselves take: execution without waiting for the process pool."""
    if samples.pool_wait_s is None:
        return ServiceTimes.of(samples.execution_time_s)
    return ServiceTimes.of(samples.execution_time_s - samples.pool_wait_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The serial cost of a start and of a skip, and what a slot is held for besides."""

    start: Constant
    skip: Constant
    overhead: Constant

    @classmethod
    def of(cls, *, waiting_s: float, cpu_s: float, source: str) -> "_Work":
        """From a start's two parts: waiting for Redis in 4 round trips, and CPU.

        The slot is held for two more round trips, and for the CPU of three tasks, because the
        worker starts others and writes results in between (as measured: about 3 ms).
        """
        overhead = 2 * waiting_s / START_TRIPS + 3 * cpu_s
        return cls(
            start=Constant(value=waiting_s + cpu_s, source=source),
            skip=Constant(value=waiting_s + SKIP_CPU_SHARE * cpu_s, source=source),
            overhead=Constant(value=overhead, source=source),
        )


def _work(polls: list[WorkerPolls], *, fleet: Fleet, blocking_s: float) -> _Work | None:
    """Split a start into waiting and CPU.

    Between two starts of a burst a worker did one start and skipped what others had taken in the
    meantime: gap = w + c + σ·(w + 0.4·c). Its CPU per task is c·(1 + 0.4·skips). Where the
    heartbeats give no CPU the whole gap counts as waiting: then more workers promise no gain.
    """
    gap, cpu = _serial_gap(polls), fleet.start_cpu_s
    if gap is None:
        if cpu is None or fleet.round_trip_s is None:
            return None
        source = "4 round trips and the CPU of a task, by the workers' heartbeats"
        return _Work.of(waiting_s=START_TRIPS * fleet.round_trip_s, cpu_s=cpu, source=source)
    source = "the time between two starts in a row in this run"
    gap = max(gap - blocking_s, STAMP_S / 10)
    passed = _skips_between_starts(polls)
    if cpu is None:
        return _Work.of(waiting_s=gap / (1 + passed), cpu_s=0.0, source=source)
    skips = passed + _skips_at_head(polls)
    own_cpu = max(cpu - blocking_s, 0.0) / (1 + SKIP_CPU_SHARE * skips)
    own_cpu = min(own_cpu, gap / (1 + SKIP_CPU_SHARE * passed))
    waiting = (gap - own_cpu * (1 + SKIP_CPU_SHARE * passed)) / (1 + passed)
    return _Work.of(waiting_s=waiting, cpu_s=own_cpu, source=source)


def _serial_gap(polls: list[WorkerPolls]) -> float | None:
    """Mean time between two starts of one burst; None with fewer than 20 of them."""
    gaps = np.concatenate([each.serial_gaps_s for each in polls]) if polls else np.empty(0)
    return float(gaps.mean()) if gaps.size >= FEWEST_GAPS and gaps.mean() > 0 else None


def _skips_between_starts(polls: list[WorkerPolls]) -> float:
    """σ: how many tasks other workers started between two starts of one worker's burst."""
    if len(polls) < 2:
        return 0.0
    everyone = Counting.of(np.concatenate([each.started_s for each in polls]))
    between = []
    for each in polls:
        own = Counting.of(each.started_s)
        others = everyone.at(own.times_s) - own.at(own.times_s)
        between.append(np.diff(others)[each.in_burst])
    counts = np.concatenate(between)
    return float(counts.mean()) if counts.size else 0.0


def _skips_at_head(polls: list[WorkerPolls]) -> float:
    """Ids in progress at a poll, which it walks first, per task that it starts."""
    started = Counting.of(np.concatenate([each.started_s for each in polls]))
    finished = Counting.of(np.concatenate([each.finished_s for each in polls]))
    ticks = np.concatenate([each.ticks_s for each in polls])
    running = started.before(ticks) - finished.before(ticks)
    return float(np.maximum(running, 0).sum()) / started.n


def _poll_lag(polls: list[WorkerPolls]) -> Constant | None:
    """How late polls come: asyncio sleeps in whole milliseconds, rounded up."""
    lags = [each.period_s - each.poll_delay_s for each in polls if each.period_s is not None]
    if not lags:
        return None
    most = MOST_LAG_SHARE * max(each.poll_delay_s for each in polls)
    lag = min(max(float(np.median(lags)), 0.0), most)
    return Constant(value=lag, source="the polls seen in this run")


def _phases(polls: list[WorkerPolls]) -> tuple[float, ...] | None:
    """Where in one poll_delay each worker polls, relative to the first; None where that drifts."""
    delays = {each.poll_delay_s for each in polls}
    if len(polls) < 2 or len(delays) > 1 or any(each.ticks_s.size < 3 for each in polls):
        return None
    delay, first = delays.pop(), polls[0].ticks_s
    shares = [0.0]
    for each in polls[1:]:
        place = np.clip(np.searchsorted(first, each.ticks_s, side="right") - 1, 0, None)
        turns = np.exp(2j * np.pi * (each.ticks_s - first[place]) / delay).mean()
        if abs(turns) < STEADY_PHASE:
            return None
        shares.append(float(np.angle(turns) / (2 * np.pi)) % 1.0)
    return tuple(sorted(shares))


def _blocking(samples: Samples, *, fleet: Fleet, polls: list[WorkerPolls]) -> Constant | None:
    """For how long one task blocks the event loop; None where none is seen to.

    CPU: the main process spends at least half of an execution on a task. Otherwise, as a blocking
    call: no task of a worker begins while another runs, the loop comes late by at least half an
    execution, and so do the next starts. (A starved machine is late too, but there tasks overlap.)
    """
    execution = float(np.median(samples.execution_time_s)) if samples.n else 0.0
    if execution < LEAST_BLOCKING_S:
        return None
    cpu, lag, gap = fleet.start_cpu_s or 0.0, fleet.loop_lag_s or 0.0, _serial_gap(polls) or 0.0
    if cpu >= max(execution / 2, LEAST_BLOCKING_S):
        source = "CPU per task, by the workers' heartbeats"
        return Constant(value=min(cpu, execution), source=source)
    if min(lag, gap) >= execution / 2 and _overlap(polls) <= MOST_OVERLAP:
        source = "lag of the event loop and gaps between starts"
        return Constant(value=min(gap, execution), source=source)
    return None


def _overlap(polls: list[WorkerPolls]) -> float:
    """Tasks that a worker already runs when it starts another, on average."""
    running = [
        np.arange(each.started_s.size) - Counting.of(each.finished_s).at(each.started_s)
        for each in polls
    ]
    return float(np.concatenate(running).mean())


def _constant(value: float | None, *, source: str) -> Constant | None:
    return Constant(value=value, source=source) if value is not None and value > 0 else None
