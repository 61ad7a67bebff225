"""What limits the queue? Every ceiling of a fleet with its formula, its inputs and their source.

A ceiling is an upper bound on throughput, named by the knob that moves it; the smallest one binds.
The same laws serve a finished run (its own samples and constants) and a question without any load
(an assumed task time, no constants): what is not known is left out, and a note says so.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from runs.analysis.constants import Constant, Constants, value_of
from runs.analysis.fleet import Fleet
from runs.analysis.laws import FleetLaws
from runs.analysis.service import ServiceTimes

# Polling that costs less than this share of the slots is no limit of its own: max_jobs is.
LEAST_POLL_LOSS = 0.1
# Less than this per task is a pool at rest, not one that the task uses.
LEAST_POOL_CPU_S = 0.0001
# Of the cores: so much is left to the workers however busy loadlab itself was in a run of a moment.
LEAST_CORES = 0.1


class CeilingName(StrEnum):
    """The knob that moves a ceiling."""

    QUEUE_READ_LIMIT = "queue_read_limit"
    POLL_DELAY = "poll_delay"
    MAX_JOBS = "max_jobs"
    FLEET_QUEUE_READ_LIMIT = "fleet_queue_read_limit"
    START_ROUND_TRIPS = "start_round_trips"
    EVENT_LOOP = "event_loop"
    PROCESS_POOL = "process_pool"
    CPU = "cpu"
    REDIS = "redis"
    ARRIVALS = "arrivals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A number that a formula used; durations in seconds, "" for plain counts."""

    name: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """An upper bound on throughput. `interval`: where the polls' phases leave it open."""

    name: CeilingName
    throughput_per_s: float
    formula: str
    inputs: tuple[Input, ...]
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Situation:
    """What the laws are asked about: a fleet, its tasks, its machine, and the load offered."""

    fleet: Fleet
    service: ServiceTimes
    constants: Constants
    offered_rate_per_s: float | None = None


def ceilings_of(situation: Situation) -> tuple[Ceiling, ...]:
    """All ceilings that can be computed, ascending: the first one binds."""
    if not situation.fleet.workers:
        return ()
    laws = FleetLaws.of(situation.fleet, service=situation.service, constants=situation.constants)
    found = [
        *_slot_ceilings(situation, laws=laws),
        *_page_ceilings(situation, laws=laws),
        _start_ceiling(situation, laws=laws),
        _loop_ceiling(situation),
        _pool_ceiling(situation),
        _cpu_ceiling(situation),
        _redis_ceiling(situation),
        _arrivals(situation),
    ]
    known = [each for each in found if each is not None]
    return tuple(sorted(known, key=lambda each: each.throughput_per_s))


def _slot_ceilings(situation: Situation, *, laws: FleetLaws) -> list[Ceiling]:
    """`poll_delay`, where waiting for polls costs slots, and `max_jobs`.

    Where polls cost less than a tenth, the slots less that cost are `max_jobs`: a shorter delay
    would hardly help. Where slots come free while a worker is still starting tasks, they do not
    wait for polls at all.
    """
    inputs = _slot_inputs(situation)
    slots = laws.total(lambda each: each.max_jobs)
    polled = laws.total(lambda each: each.poll_limited if each.fills else each.max_jobs)
    free = Ceiling(
        name=CeilingName.MAX_JOBS, throughput_per_s=slots, formula="max_jobs / E[D]", inputs=inputs
    )
    waiting = Ceiling(
        name=CeilingName.POLL_DELAY,
        throughput_per_s=polled,
        formula="max_jobs / E[T·⌈(D + u·W)/T⌉]",
        inputs=(*inputs, *_period_inputs(situation, laws=laws)),
    )
    if polled >= slots:
        return [free]
    if polled > slots * (1 - LEAST_POLL_LOSS):
        return [replace(waiting, name=CeilingName.MAX_JOBS)]
    return [waiting, free]


def _page_ceilings(situation: Situation, *, laws: FleetLaws) -> list[Ceiling]:
    """`queue_read_limit`: what each worker reads per poll; and what the page lets the fleet run."""
    fleet = situation.fleet
    inputs = (
        Input(name="Q", value=fleet.read_limit or 0, unit="ids", source="worker settings"),
        *_period_inputs(situation, laws=laws),
    )
    each_page = Ceiling(
        name=CeilingName.QUEUE_READ_LIMIT,
        throughput_per_s=laws.total(lambda each: each.page_limited),
        formula="Q / E[T·⌈(D + u·W)/T⌉]" if fleet.processes == 1 else "Σ Q / E[T·⌈(D + u·W)/T⌉]",
        inputs=inputs,
    )
    if fleet.processes == 1:
        return [each_page]
    least, most = laws.fleet_page
    phases = situation.constants.poll_phases
    if phases is not None and len(phases) == fleet.processes:
        rate, interval = laws.page_rate(phases), None
    else:
        rate, interval = (most, None) if fleet.staggered else (least, (least, most))
    shared = Ceiling(
        name=CeilingName.FLEET_QUEUE_READ_LIMIT,
        throughput_per_s=rate,
        formula="Q / E[time until any worker polls after the task]",
        inputs=(*inputs, Input(name="k", value=fleet.processes, unit="workers", source="fleet")),
        interval=interval,
    )
    return [each_page, shared]


def _start_ceiling(situation: Situation, *, laws: FleetLaws) -> Ceiling | None:
    """`start_round_trips`: a worker starts one task after another, four round trips each."""
    rate, constants = laws.start_limited, situation.constants
    if rate is None:
        return None
    processes = situation.fleet.processes
    serial = processes / (
        value_of(constants.start_s) + (processes - 1) * value_of(constants.skip_s)
    )
    if rate < serial * 0.99:
        formula = "max_jobs / E[T·⌈D/T⌉] with T = J·s' + n·s"
    elif processes == 1:
        formula = "1 / s with s = 4·RTT + C"
    else:
        formula = "k / (s + (k - 1)·s') with s = 4·RTT + C"
    return Ceiling(
        name=CeilingName.START_ROUND_TRIPS,
        throughput_per_s=rate,
        formula=formula,
        inputs=(
            Input(name="k", value=processes, unit="workers", source="fleet"),
            *_measured("s", constants.start_s),
            *_measured("s'", constants.skip_s),
            *_measured("RTT", constants.round_trip_s),
        ),
    )


def _loop_ceiling(situation: Situation) -> Ceiling | None:
    """`event_loop`: one thread per worker; what blocks it, blocks every task of the worker."""
    constants = situation.constants
    if constants.blocking_s is None and constants.loop_cpu_s is None:
        return None
    inputs = (
        Input(name="k", value=situation.fleet.processes, unit="workers", source="fleet"),
        *_measured("C", constants.loop_cpu_s),
        *_measured("b", constants.blocking_s),
    )
    if constants.blocking_s is None:
        held, formula = value_of(constants.loop_cpu_s), "k / C"
    else:
        held = constants.blocking_s.value + value_of(constants.start_s)
        formula, inputs = "k / (s + b)", (*inputs, *_measured("s", constants.start_s))
    return Ceiling(
        name=CeilingName.EVENT_LOOP,
        throughput_per_s=situation.fleet.processes / held,
        formula=formula,
        inputs=inputs,
    )


def _pool_ceiling(situation: Situation) -> Ceiling | None:
    """`process_pool`: children that run one task at a time."""
    used = situation.constants.pool_cpu_s
    children = sum(each.pool_processes for each in situation.fleet.settings)
    if used is None or used.value < LEAST_POOL_CPU_S or children == 0:
        return None
    return Ceiling(
        name=CeilingName.PROCESS_POOL,
        throughput_per_s=children / used.value,
        formula="children / pool CPU per task",
        inputs=(
            Input(name="children", value=children, unit="processes", source="worker settings"),
            *_measured("pool CPU", used),
        ),
    )


def _cpu_ceiling(situation: Situation) -> Ceiling | None:
    """`cpu`: the cores of the workers' hosts, less what loadlab itself keeps busy of them."""
    constants, cores = situation.constants, situation.fleet.cores
    if constants.loop_cpu_s is None or cores == 0:
        return None
    parts = (constants.loop_cpu_s, constants.pool_cpu_s, constants.shared_cpu_s)
    taken = constants.observer_cores
    left = max(cores - value_of(taken), LEAST_CORES * cores)
    others = () if taken is None else (_input_of("observer", taken, unit="cores"),)
    return Ceiling(
        name=CeilingName.CPU,
        throughput_per_s=left / sum(value_of(each) for each in parts),
        formula="(cores - observer) / CPU per task" if others else "cores / CPU per task",
        inputs=(
            Input(name="cores", value=cores, unit="cores", source="workers' hosts"),
            *others,
            *_measured("C", constants.loop_cpu_s),
            *_measured("pool CPU", constants.pool_cpu_s),
            *_measured("Redis CPU", constants.shared_cpu_s),
        ),
    )


def _redis_ceiling(situation: Situation) -> Ceiling | None:
    """`redis`: it runs commands in one thread."""
    used = situation.constants.redis_cpu_s
    if used is None:
        return None
    return Ceiling(
        name=CeilingName.REDIS,
        throughput_per_s=1 / used.value,
        formula="1 / Redis CPU per task",
        inputs=_measured("Redis CPU", used),
    )


def _arrivals(situation: Situation) -> Ceiling | None:
    """`arrivals`: no more can finish than comes."""
    rate = situation.offered_rate_per_s
    if rate is None or rate <= 0:
        return None
    offered = Input(name="rate", value=rate, unit="/s", source="the load offered")
    return Ceiling(
        name=CeilingName.ARRIVALS, throughput_per_s=rate, formula="rate", inputs=(offered,)
    )


def _slot_inputs(situation: Situation) -> tuple[Input, ...]:
    service = situation.service
    return (
        Input(name="max_jobs", value=situation.fleet.slots, unit="slots", source="worker settings"),
        Input(name="E[S]", value=service.mean_s, unit="s", source=service.source),
        *_measured("D - S", situation.constants.overhead_s),
    )


def _period_inputs(situation: Situation, *, laws: FleetLaws) -> tuple[Input, ...]:
    walk = max(each.poll_walk_s for each in laws.workers)
    return (
        Input(
            name="d",
            value=situation.fleet.poll_delay_s or 0.0,
            unit="s",
            source="worker settings",
        ),
        *_measured("T - d", situation.constants.poll_lag_s),
        Input(name="W", value=walk, unit="s", source="the starts of one poll"),
    )


def _measured(name: str, constant: Constant | None) -> tuple[Input, ...]:
    return () if constant is None else (_input_of(name, constant, unit="s"),)


def _input_of(name: str, constant: Constant, *, unit: str) -> Input:
    return Input(name=name, value=constant.value, unit=unit, source=constant.source)
