"""Which figures of a run are judged, and on which scale?

The published family is small, because each further figure weakens the verdict on all: what the run
answers (throughput, or p95 sojourn time where the queue kept up), p50 and p95 execution time, and
the failure rate.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from runs.analysis.effects import Group, angle_of_share

CLOCK_STEP_MS = 1.0  # arq stamps whole milliseconds
FEWEST_STEPS = 5  # a time of fewer clock steps is too coarse to be judged
LEAST_RATE, MOST = 1e-9, 1e12  # beyond these a value is no measurement (and exp overflows)


class FigureScale(StrEnum):
    """What is compared."""

    RATIO = "ratio"  # positive values, by their logarithms
    SHARE = "share"  # a share of tasks, by angles


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFigure:
    """A figure of the family: `step` is the finest difference that its measurement can show."""

    name: str
    label: str
    unit: str
    higher_is_better: bool = False
    scale: FigureScale = FigureScale.RATIO
    step: float = 0.0


THROUGHPUT = JudgedFigure(
    name="overall_throughput", label="throughput", unit="/s", higher_is_better=True
)
STEADY_THROUGHPUT = JudgedFigure(
    name="steady_state_throughput", label="throughput", unit="/s", higher_is_better=True
)
P95_SOJOURN = JudgedFigure(
    name="p95_sojourn_time_ms", label="p95 sojourn time", unit=" ms", step=CLOCK_STEP_MS
)
P50_EXECUTION = JudgedFigure(
    name="p50_execution_time_ms", label="p50 execution time", unit=" ms", step=CLOCK_STEP_MS
)
P95_EXECUTION = JudgedFigure(
    name="p95_execution_time_ms", label="p95 execution time", unit=" ms", step=CLOCK_STEP_MS
)
FAILURE_RATE = JudgedFigure(
    name="failure_rate_percent", label="failure rate", unit=" %", scale=FigureScale.SHARE
)
ALL_JUDGED = (
    THROUGHPUT,
    STEADY_THROUGHPUT,
    P95_SOJOURN,
    P50_EXECUTION,
    P95_EXECUTION,
    FAILURE_RATE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """One finished run as far as it is compared; `values` are named as in the report."""

    run_id: str
    regime: str | None = None
    values: Mapping[str, float | None] = field(default_factory=dict)
    completed: int = 0
    failed: int = 0
    total_duration_s: float | None = None

    @property
    def ended(self) -> int:
        """Tasks that came to an end of their own, of which a share failed."""
        return self.completed + self.failed

    def value(self, figure: JudgedFigure) -> float | None:
        """The figure's value; None where the run has none that can be compared."""
        if figure.scale is FigureScale.SHARE:
            return 100 * self.failed / self.ended if self.ended > 0 else None
        value = self.values.get(figure.name)
        least = 0.0 if figure.step > 0 else LEAST_RATE
        return value if value is not None and least <= value <= MOST else None


def family_of(runs: Sequence[RunFigures]) -> tuple[JudgedFigure, ...]:
    """The figures that judge these runs against each other.

    Sojourn time only where every run kept up: in any other its length depends on how much load was
    sent. Throughput otherwise: a queue that no longer keeps up completes less than was offered. Of
    the steady state, where every run has one: how much of a run is warm-up and drain says nothing
    about the queue.
    """
    return (answer_of(runs), P50_EXECUTION, P95_EXECUTION, FAILURE_RATE)


Valued = tuple[tuple[RunFigures, float], ...]


def valued(runs: Sequence[RunFigures], *, figure: JudgedFigure) -> Valued:
    """The runs that have the figure, each with its value."""
    pairs = ((run, run.value(figure)) for run in runs)
    return tuple((run, value) for run, value in pairs if value is not None)


def answer_of(runs: Sequence[RunFigures]) -> JudgedFigure:
    """The figure that answers the question which these runs put."""
    if runs and all(run.regime == "keeping_up" for run in runs):
        return P95_SOJOURN
    if runs and all(run.value(STEADY_THROUGHPUT) is not None for run in runs):
        return STEADY_THROUGHPUT
    return THROUGHPUT


def group_of(having: Valued, *, figure: JudgedFigure) -> Group | None:
    """The runs that have a figure, on its scale; None where none has."""
    if not having:
        return None
    if figure.scale is FigureScale.SHARE:
        angles = [angle_of_share(run.failed, whole=run.ended) for run, _ in having]
        counting = sum(1 / (4 * run.ended + 2) for run, _ in having) / len(having)
        return Group.of(angles, least_variance=counting)
    # why half a step: what shows as 0 ms lies anywhere below one
    logs = [math.log(max(value, figure.step / 2)) for _, value in having]
    rounding = sum(_rounding(run, value=value, figure=figure) ** 2 for run, value in having)
    return Group.of(logs, least_variance=rounding / len(having))


def centre_of(having: Valued, *, group: Group | None, figure: JudgedFigure) -> float | None:
    """What stands for a group: the geometric mean, or all failures over all tasks, in percent."""
    if group is None:
        return None
    if figure.scale is FigureScale.SHARE:
        return 100 * sum(run.failed for run, _ in having) / sum(run.ended for run, _ in having)
    return having[0][1] if len(having) == 1 else math.exp(group.mean)


def _rounding(run: RunFigures, *, value: float, figure: JudgedFigure) -> float:
    """The relative standard deviation that whole milliseconds alone give to a value.

    A value rounded to a step is uncertain by step/√12; a span between two such stamps, and with it
    a throughput, by step/√6 of the span.
    """
    if figure.step > 0:
        return figure.step / max(value, figure.step / 2) / math.sqrt(12)
    if run.total_duration_s is None:
        return 0.0
    return 1 / max(1.0, 1000 * run.total_duration_s / CLOCK_STEP_MS) / math.sqrt(6)
