"""What the page of a task shows: its instants on a line, what it measured, how it failed.

Everything here came from a worker and is hostile until proven otherwise: cut to a size, freed of
characters that are none, and escaped by the template.
"""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from runs.admin.charts.plot import Plot
from runs.admin.charts.scales import value_axis
from runs.admin.wording import by_name, duration_s, plain
from runs.models import TaskMetric
from workers.errors import TaskModuleError
from workers.tasks.registry import task_types

MOST_LETTERS = 20_000
MOST_METRICS = 200
_KEPT = "\n\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instant, and how long after the one before it."""

    name: str
    at: datetime
    after: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """The parts of the page."""

    steps: Sequence[Step]
    line: SafeString | str
    wait: str
    run_time: str
    metrics: Sequence[tuple[str, str, str]]
    arguments: Sequence[tuple[str, str]]
    result: str
    message: str
    traceback: str
    is_cut: bool


def task_report(task: TaskMetric) -> TaskReport:
    """The parts of the page of one task."""
    steps = _steps(task)
    metrics = task.metrics if isinstance(task.metrics, dict) else {}
    result, result_cut = cut(_pretty(task.metrics))
    message, message_cut = cut(task.error_message)
    traceback, traceback_cut = cut(task.traceback)
    waited = _between(task.enqueued_at, task.started_at)
    return TaskReport(
        steps=steps,
        line=_line(task),
        wait=duration_s(waited),
        run_time=duration_s(task.execution_time_s),
        metrics=_metrics(task, metrics),
        arguments=[(name, cut(plain(value))[0]) for name, value in _arguments(task).items()],
        result=result,
        message=message,
        traceback=traceback,
        is_cut=result_cut or message_cut or traceback_cut,
    )


def cut(text: str, *, most: int = MOST_LETTERS) -> tuple[str, bool]:
    """The beginning of a text, its control characters shown by their names; and whether it was cut.

    why named: a page that swallows them would show another text than there is.
    """
    kept = text[:most]
    if not kept.isprintable():
        kept = "".join(_shown(letter) for letter in kept)
    return kept, len(text) > most


def _shown(letter: str) -> str:
    if letter in _KEPT or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return letter
    return f"\\u{ord(letter):04x}"


def _steps(task: TaskMetric) -> list[Step]:
    found = (
        ("intended", task.intended_at, "when it was due"),
        ("enqueued", task.enqueued_at, "when Redis had it, by the sender's clock"),
        ("started", task.started_at, "by the worker's clock"),
        ("finished", task.finished_at, "by the worker's clock"),
    )
    steps: list[Step] = []
    before: datetime | None = None
    for name, at, meaning in found:
        if at is not None:
            after = "" if before is None else duration_s(_between(before, at))
            steps.append(Step(name=name, at=at, after=after, meaning=meaning))
            before = at
    return steps


def _between(first: datetime | None, second: datetime | None) -> float | None:
    return None if first is None or second is None else (second - first).total_seconds()


def _line(task: TaskMetric) -> SafeString | str:
    """Waiting and running on one axis, in seconds since the first instant."""
    first = task.intended_at or task.enqueued_at or task.started_at
    end = _between(first, task.finished_at)
    if first is None or not end or end <= 0:
        return ""
    plot = Plot(x=(0, end * 1000), y=(0, 1), height=84, top=30)
    plot.x_axis(value_axis(0, end * 1000), unit=" ms").level(0, kind="ax")
    started = _between(first, task.started_at)
    if started is not None and 0 <= started <= end:
        plot.steps([0.7], edges=[0, max(started, 1e-9) * 1000], kind="q")
        plot.steps([0.7], edges=[started * 1000, end * 1000], kind="a")
        plot.phases(
            started * 1000, f"waited {duration_s(started)}", f"ran {duration_s(end - started)}"
        )
    return plot.svg(f"Waited {duration_s(started)}, ran {duration_s(task.execution_time_s)}.")


def _metrics(task: TaskMetric, metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value, and the formula where the task type has declared one."""
    formulas: dict[str, str] = {}
    try:
        known = task_types().get(task.run.configuration.task_type)
    except TaskModuleError:
        known = None
    if known is not None:
        formulas = {metric.name: metric.formula for metric in known.metrics}
    return [
        (
            cut(str(name), most=200)[0],
            cut(by_name(str(name), value), most=500)[0],
            formulas.get(name, ""),
        )
        for name, value in list(metrics.items())[:MOST_METRICS]
    ]


def _arguments(task: TaskMetric) -> dict[str, Any]:
    """What every task of the run is given; its own number it learns from its id."""
    configuration = task.run.configuration
    return {**configuration.parameters, "seed": configuration.seed}


def _pretty(value: object) -> str:
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
