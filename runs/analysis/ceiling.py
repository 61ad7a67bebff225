"""What is a ceiling? An upper bound on throughput, with its formula and its inputs' sources."""

from dataclasses import dataclass
from enum import StrEnum

from runs.analysis.constants import Constant, Constants
from runs.analysis.fleet import Fleet
from runs.analysis.service import ServiceTimes


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
    """What the laws are asked about: a fleet, its tasks, its machine, and the load offered.

    `is_forecast`: settings that did not make these measurements.
    """

    fleet: Fleet
    service: ServiceTimes
    constants: Constants
    offered_rate_per_s: float | None = None
    is_forecast: bool = False


def measured(name: str, constant: Constant | None, *, unit: str = "s") -> tuple[Input, ...]:
    """A constant as the input of a formula; none where it was not measured."""
    if constant is None:
        return ()
    return (Input(name=name, value=constant.value, unit=unit, source=constant.source),)
