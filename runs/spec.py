"""What may be asked for: a spec, its defaults, and one sentence for each field that cannot be."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings

from runs.analysis.thresholds import ThresholdError, parse_threshold
from runs.arrivals import ArrivalModel, Arrivals
from runs.chosen_baseline import what_is_wrong
from runs.errors import InvalidSpec
from workers.errors import InvalidParameter, TaskModuleError
from workers.settings import QUEUES
from workers.tasks.registry import parse_parameters, task_types

MAX_REPEAT = 100
MAX_DURATION_S = 86_400.0
MAX_DELAY_MS = 3_600_000.0
MAX_SEED = 2**63 - 1
MAX_LABEL = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What somebody asks for; None means: the default.

    `baseline`: auto, none, the id of a run or of a group; or the name of a report file, whose
    reports are then `baseline_document` (`report_files.baseline_of`).
    """

    task_type: str = "io_simulation"
    parameters: Mapping[str, object] = field(default_factory=dict)
    num_tasks: int | None = None
    batch_size: int | None = None
    delay_ms: float | None = None
    rate_per_s: float | None = None
    duration_s: float | None = None
    arrival: str | None = None
    seed: int = 0
    target_queue: str = "load_test"
    label: str = ""
    timeout_s: float = 600.0
    baseline: str = "auto"
    baseline_document: tuple[Mapping[str, Any], ...] | None = None
    thresholds: tuple[str, ...] = ()
    repeat: int = 1


def validate(spec: Spec) -> Spec:
    """The same spec with every default filled in; InvalidSpec names each field that is wrong."""
    problems: dict[str, str] = {}
    spec = _with_shape(spec, problems)
    spec = _with_parameters(spec, problems)
    for name, sentence in _limits(spec):
        problems.setdefault(name, sentence)
    for expression in spec.thresholds:
        try:
            parse_threshold(expression)
        except ThresholdError as error:
            problems.setdefault("thresholds", str(error))
    if wrong := what_is_wrong(spec.baseline, documents=spec.baseline_document):
        problems.setdefault("baseline", wrong)
    if problems:
        raise InvalidSpec(problems)
    return spec


def workload_of(spec: Spec) -> dict[str, Any]:
    """The content of the configuration that a valid spec asks for."""
    return {
        "task_type": spec.task_type,
        "parameters": dict(spec.parameters),
        "num_tasks": spec.num_tasks,
        "batch_size": spec.batch_size,
        "delay_ms": float(spec.delay_ms or 0),
        "rate_per_s": None if spec.rate_per_s is None else float(spec.rate_per_s),
        "duration_s": None if spec.duration_s is None else float(spec.duration_s),
        "arrival": spec.arrival,
        "seed": spec.seed,
        "target": "default",
        "target_queue": spec.target_queue,
    }


def _with_shape(spec: Spec, problems: dict[str, str]) -> Spec:
    """Either batches or a rate, never both, with what follows from the one that was chosen."""
    open_fields = {"rate_per_s": spec.rate_per_s, "duration_s": spec.duration_s}
    if spec.arrival == ArrivalModel.BATCHES or all(v is None for v in open_fields.values()):
        if spec.arrival not in {None, ArrivalModel.BATCHES}:
            problems["arrival"] = (
                f"arrival {spec.arrival!r} needs rate_per_s and duration_s, such as 40/s for 30s"
            )
        return _batches(spec, problems)
    return _open(spec, problems)


def _batches(spec: Spec, problems: dict[str, str]) -> Spec:
    known = task_types().get(spec.task_type)
    tasks = spec.num_tasks
    if tasks is None:
        tasks = known.default_tasks if known is not None else 100
    if spec.rate_per_s is not None or spec.duration_s is not None:
        problems["arrival"] = "arrival 'batches' takes no rate and no duration"
    return replace(
        spec,
        arrival=ArrivalModel.BATCHES.value,
        num_tasks=tasks,
        batch_size=10 if spec.batch_size is None else spec.batch_size,
        delay_ms=0.0 if spec.delay_ms is None else spec.delay_ms,
    )


def _open(spec: Spec, problems: dict[str, str]) -> Spec:
    arrival = spec.arrival or ArrivalModel.CONSTANT.value
    if arrival not in {ArrivalModel.CONSTANT, ArrivalModel.POISSON}:
        problems["arrival"] = f"arrival is {arrival!r}: it must be batches, constant or poisson"
    # why these values pass: a spec that was validated before has them
    for name, none in (("delay_ms", 0), ("batch_size", 1)):
        if getattr(spec, name) not in {None, none}:
            problems[name] = f"{name} and rate_per_s contradict each other: a rate sends no batches"
    rate, duration = spec.rate_per_s, spec.duration_s
    if rate is not None and duration is None and spec.num_tasks and _is_positive(rate):
        duration = spec.num_tasks / rate
    missing = [n for n, v in (("rate_per_s", rate), ("duration_s", duration)) if v is None]
    for name in missing:
        problems[name] = "rate_per_s needs duration_s and the other way round, such as 40/s for 30s"
    for name, value, limit in (
        ("rate_per_s", rate, float(settings.LOADLAB_MAX_RATE)),
        ("duration_s", duration, MAX_DURATION_S),
    ):
        if value is not None and not (_is_positive(value) and value <= limit):
            problems[name] = f"{name} is {value:g}: it must be above 0 and at most {limit:g}"
    if problems or rate is None or duration is None:
        return replace(spec, arrival=arrival, num_tasks=spec.num_tasks or 1, batch_size=1)
    tasks = Arrivals.constant(rate, duration_s=duration).tasks
    if spec.num_tasks not in {None, tasks}:
        problems["num_tasks"] = (
            f"num_tasks is {spec.num_tasks}, but {rate:g}/s for {duration:g} s are {tasks}: "
            "give the rate with either the tasks or the duration"
        )
    return replace(
        spec, arrival=arrival, num_tasks=tasks, duration_s=duration, batch_size=1, delay_ms=0.0
    )


def _with_parameters(spec: Spec, problems: dict[str, str]) -> Spec:
    try:
        known = task_types()
        if spec.task_type in known:
            given = parse_parameters(known[spec.task_type], spec.parameters)
            return replace(spec, parameters=given)
        problems["task_type"] = (
            f"task_type is {spec.task_type!r}: it must be one of {', '.join(sorted(known))}"
        )
    except InvalidParameter as error:
        problems["parameters"] = str(error)
    except TaskModuleError as error:
        problems["task_type"] = str(error)
    return spec


def _limits(spec: Spec) -> list[tuple[str, str]]:
    """The sentence for each plain field outside its limits."""
    most = int(settings.LOADLAB_MAX_TASKS)
    checks: list[tuple[str, object, Callable[[Any], bool], str]] = [
        ("num_tasks", spec.num_tasks, *_whole(1, most)),
        ("batch_size", spec.batch_size, *_whole(1, most)),
        ("seed", spec.seed, *_whole(0, MAX_SEED)),
        ("repeat", spec.repeat, *_whole(1, MAX_REPEAT)),
        (
            "delay_ms",
            spec.delay_ms,
            lambda value: 0 <= value <= MAX_DELAY_MS,
            f"from 0 to {MAX_DELAY_MS:.0f} ms",
        ),
        (
            "timeout_s",
            spec.timeout_s,
            lambda value: 0 < value <= MAX_DURATION_S,
            f"above 0 and at most {MAX_DURATION_S:.0f} s",
        ),
        (
            "label",
            spec.label,
            lambda value: len(value) <= MAX_LABEL and (not value or value.isprintable()),
            f"at most {MAX_LABEL} printable characters",
        ),
        (
            "target_queue",
            spec.target_queue,
            lambda value: value in QUEUES,
            f"one of {', '.join(QUEUES)}",
        ),
    ]
    return [
        (name, f"{name} is {_shown(value)}: it must be {allowed}")
        for name, value, holds, allowed in checks
        if value is not None and not (_is_finite(value) and holds(value))
    ]


def _whole(least: int, most: int) -> tuple[Callable[[Any], bool], str]:
    return (lambda value: least <= value <= most), f"a whole number from {least} to {most}"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _is_finite(value: object) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _is_positive(value: float) -> bool:
    return math.isfinite(value) and value > 0
