"""Which one change of the settings lifts throughput, to what, and at what cost?

Every candidate is judged by computing all ceilings again under the changed setting: the prediction
is the next ceiling, not a guess; a little less where workers that share cores come near theirs.
"""

import math
from dataclasses import dataclass, replace

from runs.analysis.ceiling import Ceiling, CeilingName, Situation
from runs.analysis.ceilings import ceilings_of, laws_of
from runs.analysis.constants import SKIP_CPU_SHARE, own_cpu_s, value_of
from runs.analysis.fleet import Fleet, Worker, WorkerSettings
from runs.analysis.machine_ceilings import on_shared_cores
from runs.analysis.numbers import number, percent

LEAST_GAIN = 0.05  # below it no change is worth its cost
# Where the machine limits afterwards: those laws are true within 20 %, so less may be none.
LEAST_GAIN_OF_THE_MACHINE = 0.3
OWN_KNOB_GAIN = 0.2  # from here on the knob that binds is preferred to any other
NEARLY_BEST = 0.8  # of the best there is: the cheapest that gives it is proposed
POLL_DELAYS_S = (0.05, 0.02, 0.01)  # the first costs an idle worker about 2 % CPU
READ_LIMITS = (200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting from one value to another, for every worker; `gain` 1.0 doubles throughput."""

    setting: str
    old: float
    new: float
    predicted_throughput_per_s: float
    gain: float
    limited_by: CeilingName  # what limits after it
    cost: str


# From the cheapest to the dearest for whoever runs the queue.
KNOBS = ("poll_delay", "queue_read_limit", "max_jobs", "processes", "pool_processes")
_MOVED_BY = {
    CeilingName.POLL_DELAY: "poll_delay",
    CeilingName.MAX_JOBS: "max_jobs",
    CeilingName.QUEUE_READ_LIMIT: "queue_read_limit",
    CeilingName.FLEET_QUEUE_READ_LIMIT: "queue_read_limit",
    CeilingName.START_ROUND_TRIPS: "processes",
    CeilingName.EVENT_LOOP: "processes",
    CeilingName.PROCESS_POOL: "pool_processes",
}


_OF_THE_MACHINE = {
    CeilingName.START_ROUND_TRIPS,
    CeilingName.EVENT_LOOP,
    CeilingName.CPU,
    CeilingName.REDIS,
}


def best_change(situation: Situation, *, ceilings: tuple[Ceiling, ...]) -> Change | None:
    """The change of the knob that binds, where it lifts by a fifth; else the best of all knobs.

    Why its own knob first: more slots or workers also lift a queue that waits for its polls, but
    by having more of them wait. Of several knobs that lift nearly as much the cheapest is taken, in
    the order of `KNOBS`. None where the load offered is the limit, or nothing lifts by 5 %, or by
    30 % where the machine limits afterwards.
    """
    if not ceilings or ceilings[0].name is CeilingName.ARRIVALS:
        return None
    now = ceilings[0].throughput_per_s
    offers = [
        offer
        for knob in KNOBS
        if (offer := _best_of_knob(situation, knob=knob, now=now)) is not None
    ]
    own = _MOVED_BY.get(ceilings[0].name)
    worth_it = [each for each in offers if each.gain >= _least_gain(each)]
    preferred = [each for each in worth_it if each.setting == own and each.gain >= OWN_KNOB_GAIN]
    most = max((each.gain for each in worth_it), default=0.0)
    enough = [each for each in worth_it if each.gain >= NEARLY_BEST * most]
    return next(iter(preferred or enough), None)


def _least_gain(change: Change) -> float:
    return LEAST_GAIN_OF_THE_MACHINE if change.limited_by in _OF_THE_MACHINE else LEAST_GAIN


def predict(
    situation: Situation, *, setting: str, old: float, new: float, now: float, cost: str = ""
) -> Change | None:
    """What a situation with a setting already changed promises; None where nothing is known."""
    ceilings = ceilings_of(situation)
    # why not by the load offered: a change cannot lift that, and here it is asked what it could
    able = [each for each in ceilings if each.name is not CeilingName.ARRIVALS]
    if not able or now <= 0:
        return None
    reached = on_shared_cores(able, situation=situation)
    return Change(
        setting=setting,
        old=old,
        new=new,
        predicted_throughput_per_s=reached,
        gain=reached / now - 1,
        limited_by=able[0].name,
        cost=cost,
    )


def with_change(situation: Situation, *, setting: str, value: float) -> Situation:
    """The same situation with one setting changed on every worker; polls' phases are forgotten.

    `processes` gives so many workers, copies of the first beyond those there are. With max_jobs
    goes a queue_read_limit that is arq's own multiple of it. More polls and more workers pass more
    often by a task in progress, which costs CPU: so much as the laws say against now.
    """
    fleet = situation.fleet
    if setting == "processes":
        workers = _with_processes(fleet, processes=int(value))
    else:
        workers = tuple(
            replace(each, settings=_changed(each.settings, setting=setting, value=value))
            for each in fleet.workers
        )
    changed = replace(
        situation,
        fleet=replace(fleet, workers=workers),
        constants=replace(situation.constants, poll_phases=None),
        is_forecast=True,
    )
    return _with_its_skips(changed, before=situation)


def _with_its_skips(changed: Situation, *, before: Situation) -> Situation:
    """CPU per task grows by 0.4·c for each further poll that passes by it and cannot start it."""
    known = before.constants
    loop, start, skip = known.loop_cpu_s, known.start_s, known.skip_s
    if loop is None or start is None or skip is None or known.blocking_s is not None:
        return changed
    own = own_cpu_s(start=start, skip=skip)
    more = laws_of(changed).skips_per_task - laws_of(before).skips_per_task
    loop = replace(loop, value=max(own, loop.value + SKIP_CPU_SHARE * own * more))
    return replace(changed, constants=replace(changed.constants, loop_cpu_s=loop))


def _with_processes(fleet: Fleet, *, processes: int) -> tuple[Worker, ...]:
    first, more = fleet.workers[0], processes - fleet.processes
    copies = tuple(replace(first, worker_id=f"{first.worker_id}+{i + 1}") for i in range(more))
    return (*fleet.workers, *copies)[:processes]


def _changed(settings: WorkerSettings, *, setting: str, value: float) -> WorkerSettings:
    if setting == "poll_delay":
        return replace(settings, poll_delay_s=value)
    if setting == "queue_read_limit":
        return replace(settings, queue_read_limit=int(value))
    if setting == "pool_processes":
        return replace(settings, pool_processes=int(value))
    own = settings.read_limit == replace(settings, queue_read_limit=None).read_limit
    limit = None if own else settings.queue_read_limit
    return replace(settings, max_jobs=int(value), queue_read_limit=limit)


def _best_of_knob(situation: Situation, *, knob: str, now: float) -> Change | None:
    """Of the values proposed for a knob the first that gives nearly what the best gives."""
    tried = [
        change
        for value in _values(situation, knob=knob)
        if (change := _tried(situation, knob=knob, value=value, now=now)) is not None
    ]
    most = max((each.predicted_throughput_per_s for each in tried), default=0.0)
    enough = (each for each in tried if each.predicted_throughput_per_s >= NEARLY_BEST * most)
    return next(enough, None)


def _tried(situation: Situation, *, knob: str, value: float, now: float) -> Change | None:
    changed = with_change(situation, setting=knob, value=value)
    return predict(
        changed,
        setting=knob,
        old=current_value(situation.fleet, setting=knob),
        new=value,
        now=now,
        cost=_cost(situation, knob=knob, value=value),
    )


def current_value(fleet: Fleet, *, setting: str) -> float:
    """What a setting is now; the largest where workers differ."""
    if setting == "processes":
        return fleet.processes
    fields = {
        "poll_delay": lambda each: each.poll_delay_s,
        "queue_read_limit": lambda each: each.read_limit,
        "max_jobs": lambda each: each.max_jobs,
        "pool_processes": lambda each: each.pool_processes,
    }
    return max((fields[setting](each) for each in fleet.settings), default=0)


def _values(situation: Situation, *, knob: str) -> list[float]:
    """What is proposed for a knob, the cheapest first."""
    fleet = situation.fleet
    now = current_value(fleet, setting=knob)
    if knob == "poll_delay":
        return [value for value in POLL_DELAYS_S if value <= now / 2]
    if knob == "queue_read_limit":
        return [value for value in READ_LIMITS if value > now]
    if knob == "max_jobs":
        return [2 * now]
    if knob == "processes":
        return [now + 1]
    cores = max((each.host_class.cores for each in fleet.workers), default=0)
    return [cores] if 0 < now < cores else []


def _cost(situation: Situation, *, knob: str, value: float) -> str:
    if knob == "poll_delay":
        return _polling_cost(situation, poll_delay_s=value)
    if knob == "queue_read_limit":
        return f"each poll may read {number(value)} ids"
    if knob == "max_jobs":
        slots = sum(each.max_jobs for each in situation.fleet.settings)
        return f"{number(2 * slots)} tasks at once instead of {number(slots)}, for all they call"
    if knob == "processes":
        return "one more process, and each worker skips the others' tasks"
    return f"{number(value)} cores busy"


def _polling_cost(situation: Situation, *, poll_delay_s: float) -> str:
    """A poll costs about the CPU of one start."""
    constants = situation.constants
    if constants.loop_cpu_s is None:
        return f"{number(1 / poll_delay_s)} polls per second and idle worker"
    start = min(constants.loop_cpu_s.value, value_of(constants.start_s, default=math.inf))
    return f"about {percent(start / poll_delay_s)} CPU per idle worker"
