"""What is the limit, which one change lifts it most, and how near is a cliff?"""

from dataclasses import dataclass, replace

from runs.analysis.ceiling import Ceiling, CeilingName, Situation
from runs.analysis.ceilings import ceilings_of
from runs.analysis.changes import Change, best_change
from runs.analysis.constants import Constants
from runs.analysis.fleet import Fleet
from runs.analysis.laws import FleetLaws
from runs.analysis.service import ServiceTimes

CLIFF_STEPS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
CLIFF_SHARE = 0.05  # of a task's time: a cliff further off than this, and than 10 ms, is not near
CLIFF_DROP = 0.2  # of throughput
EXPLAINED = 0.2  # of the lowest ceiling: how near it a saturated run should come
BOUNDARY = (0.5, 2.0)  # M·s against a task's time: between the two regimes of the loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Cliff:
    """Tasks longer by `slower_s` (shorter if negative) would bring `throughput_per_s`."""

    slower_s: float
    throughput_per_s: float
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """The ceilings, ascending; the first one binds. `missing`: what could not be computed, why.

    `reached_per_s`: what a saturated run measured; `change` is None where the laws do not explain
    it, for what they promise then has no ground.
    """

    ceilings: tuple[Ceiling, ...] = ()
    change: Change | None = None
    cliff: Cliff | None = None
    chance: Cliff | None = None  # a little faster would gain as much
    at_boundary: bool = False
    missing: tuple[str, ...] = ()
    reached_per_s: float | None = None

    def beside(self, *, reached_per_s: float) -> "Bottleneck":
        """The same laws beside what a saturated run measured."""
        measured = replace(self, reached_per_s=reached_per_s)
        return measured if measured.explained else replace(measured, change=None)

    @property
    def reached_share(self) -> float | None:
        """Measured against the lowest ceiling; None where either is missing."""
        if self.reached_per_s is None or self.binding is None:
            return None
        return self.reached_per_s / self.binding.throughput_per_s

    @property
    def explained(self) -> bool:
        """Whether what was measured is near what the laws say, as far as anything was."""
        share = self.reached_share
        return share is None or abs(share - 1) <= EXPLAINED

    @property
    def binding(self) -> Ceiling | None:
        """The smallest ceiling."""
        return self.ceilings[0] if self.ceilings else None

    @property
    def capacity(self) -> Ceiling | None:
        """The smallest ceiling of the queue itself, whatever load was offered."""
        own = (each for each in self.ceilings if each.name is not CeilingName.ARRIVALS)
        return next(own, None)


def bottleneck(
    fleet: Fleet,
    *,
    service: ServiceTimes | None,
    constants: Constants,
    offered_rate_per_s: float | None = None,
) -> Bottleneck:
    """The laws of arq for a fleet and its tasks; `service` is None where no task ever finished."""
    if service is None or not fleet.workers:
        return Bottleneck(missing=_nothing_known(fleet))
    situation = Situation(
        fleet=fleet, service=service, constants=constants, offered_rate_per_s=offered_rate_per_s
    )
    ceilings = ceilings_of(situation)
    return Bottleneck(
        ceilings=ceilings,
        change=best_change(situation, ceilings=ceilings),
        cliff=_cliff(situation, direction=1),
        chance=_cliff(situation, direction=-1),
        at_boundary=_at_boundary(situation),
        missing=_missing(situation),
    )


def _cliff(situation: Situation, *, direction: int) -> Cliff | None:
    """The smallest near change of task time that costs, or gains, a fifth of the throughput.

    Slots are refilled only at polls: a task that ends just after one instead of just before waits
    a whole poll_delay longer.
    """
    able = replace(situation, offered_rate_per_s=None)
    now = ceilings_of(able)[0]
    mean = situation.service.mean_s
    if now.name not in {CeilingName.POLL_DELAY, CeilingName.MAX_JOBS}:
        return None
    near = [step for step in CLIFF_STEPS_S if step <= max(0.01, CLIFF_SHARE * mean)]
    for step in near:
        if step >= mean / 2:
            break
        slower = replace(able, service=situation.service.later(direction * step))
        rate = ceilings_of(slower)[0].throughput_per_s
        factor = rate / now.throughput_per_s
        if factor <= 1 - CLIFF_DROP or factor >= 1 / (1 - CLIFF_DROP):
            return Cliff(slower_s=direction * step, throughput_per_s=rate, factor=factor)
    return None


def _at_boundary(situation: Situation) -> bool:
    """Whether slots just fill or just do not: there throughput jumps between two values."""
    laws = FleetLaws.of(situation.fleet, service=situation.service, constants=situation.constants)
    ratios = [
        each.settings.max_jobs * each.start_s / each.service.mean_s
        for each in laws.workers
        if each.service.mean_s > 0
    ]
    return any(BOUNDARY[0] < ratio < BOUNDARY[1] for ratio in ratios)


def _nothing_known(fleet: Fleet) -> tuple[str, ...]:
    if not fleet.workers:
        return ("No worker described itself, so what limits this queue cannot be computed.",)
    return ("No task finished, so what limits this queue cannot be computed.",)


def _missing(situation: Situation) -> tuple[str, ...]:
    """A sentence for each ceiling that is left out for want of a measured constant."""
    constants, fleet = situation.constants, situation.fleet
    said = []
    if constants.start_s is None:
        said.append(
            "start_round_trips is left out: what one start costs was not seen; without it slots"
            " are taken to fill at every poll."
        )
    if constants.loop_cpu_s is None:
        said.append("cpu and event_loop are left out: no worker reported its CPU.")
    if constants.redis_cpu_s is None:
        said.append("redis is left out: its CPU per task was not measured.")
    if not fleet.uniform:
        said.append("The workers differ in their settings: ceilings are sums over them.")
    return tuple(said)
