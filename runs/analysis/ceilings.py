"""What limits the queue? Every ceiling of a fleet with its formula, its inputs and their source.

A ceiling is an upper bound on throughput, named by the knob that moves it; the smallest one binds.
The same laws serve a finished run (its own samples and constants) and a question without any load
(an assumed task time, no constants): what is not known is left out, and a note says so.
"""

from dataclasses import replace

from runs.analysis.ceiling import Ceiling, CeilingName, Input, Situation, measured
from runs.analysis.constants import value_of
from runs.analysis.laws import FleetLaws
from runs.analysis.machine_ceilings import machine_ceilings

# Polling that costs less than this share of the slots is no limit of its own: max_jobs is.
LEAST_POLL_LOSS = 0.1


def ceilings_of(situation: Situation) -> tuple[Ceiling, ...]:
    """All ceilings that can be computed, ascending: the first one binds."""
    if not situation.fleet.workers:
        return ()
    laws = laws_of(situation)
    found = [
        *_slot_ceilings(situation, laws=laws),
        *_page_ceilings(situation, laws=laws),
        _start_ceiling(situation, laws=laws),
        *machine_ceilings(situation),
        _arrivals(situation),
    ]
    known = [each for each in found if each is not None]
    lowest: dict[CeilingName, Ceiling] = {}
    for each in sorted(known, key=lambda each: each.throughput_per_s):
        lowest.setdefault(each.name, each)
    return tuple(lowest.values())


def laws_of(situation: Situation) -> FleetLaws:
    """The laws of its fleet."""
    return FleetLaws.of(
        situation.fleet,
        service=situation.service,
        constants=situation.constants,
        is_forecast=situation.is_forecast,
    )


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
    """`start_round_trips`: a worker starts one task after another, four round trips each.

    Where that only makes polls a little rarer than full slots would bear, it is `max_jobs`.
    """
    rate, constants = laws.start_limited, situation.constants
    if rate is None:
        return None
    processes = situation.fleet.processes
    serial = processes / (
        value_of(constants.start_s) + (processes - 1) * value_of(constants.skip_s)
    )
    name, slots = CeilingName.START_ROUND_TRIPS, laws.total(lambda each: each.max_jobs)
    if rate < serial * 0.99:
        name = CeilingName.MAX_JOBS if rate > slots * (1 - LEAST_POLL_LOSS) else name
        formula = "max_jobs / E[T·⌈D/T⌉] with T = J·s' + n·s"
    elif processes == 1:
        formula = "1 / s with s = 4·RTT + C"
    else:
        formula = "k / (s + (k - 1)·s') with s = 4·RTT + C"
    return Ceiling(
        name=name,
        throughput_per_s=rate,
        formula=formula,
        inputs=(
            *(_slot_inputs(situation) if name is CeilingName.MAX_JOBS else ()),
            Input(name="k", value=processes, unit="workers", source="fleet"),
            *measured("s", constants.start_s),
            *measured("s'", constants.skip_s),
            *measured("RTT", constants.round_trip_s),
        ),
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
        *measured("D - S", situation.constants.overhead_s),
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
        *measured("T - d", situation.constants.poll_lag_s),
        Input(name="W", value=walk, unit="s", source="the starts of one poll"),
    )
