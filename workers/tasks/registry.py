"""Which task types are there? The built-in ones and the user's own, by name.

from loadlab import load_task

@load_task("custom_load_test", queue="load_test")
async def custom_load_test(ctx, *, rows: int = 10) -> dict: ...
"""

import difflib
import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from workers.errors import InvalidTaskType, TaskModuleError, UnknownQueue, UnknownTaskType
from workers.settings import QUEUES, task_modules
from workers.tasks.counting import counted
from workers.tasks.parameters import (
    Between,
    Meaning,
    Parameter,
    Value,
    declared_by,
    parse_all,
    takes_seed,
)

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine
    from arq.worker import Function

__all__ = [
    "Between",
    "Meaning",
    "Metric",
    "Parameter",
    "TaskType",
    "analysis_for",
    "analysis_of",
    "arq_functions",
    "load_task",
    "parse_parameters",
    "task_type",
    "task_types",
]

BUILT_IN_MODULES = tuple(
    f"workers.tasks.{name}" for name in ("cpu", "io", "memory", "sleep", "noop", "failure")
)

Coroutine = Callable[..., Awaitable[Any]]
Analysis = Callable[[list[dict[str, Any]]], dict[str, Any]]
_F = TypeVar("_F", bound=Coroutine)
_A = TypeVar("_A", bound=Analysis)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure that every result of a task type carries, and how it comes about."""

    name: str
    unit: str
    formula: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType:
    """A kind of load: `function` is its name for arq, `queue` where it is sent by default."""

    name: str
    function: str
    parameters: tuple[Parameter, ...]
    metrics: tuple[Metric, ...]
    summary: str
    queue: str
    timeout_s: float | None
    default_tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Registered:
    task_type: TaskType
    coroutine: Coroutine
    home: str


_registered: dict[str, _Registered] = {}
_analyses: dict[str, Analysis] = {}
_loaded: set[str] = set()
_loading = threading.RLock()


def load_task(
    name: str,
    *,
    queue: str = "load_test",
    timeout_s: float | None = None,
    metrics: Sequence[Metric] = (),
    summary: str = "",
    function: str | None = None,
    default_tasks: int = 100,
) -> Callable[[_F], _F]:
    """Make a coroutine a task type; its keyword parameters are what a run may set.

    `timeout_s` overrides the queue's job_timeout for this type. The coroutine comes back as it is.
    """
    if queue not in QUEUES:
        raise UnknownQueue(
            f"Task type {name!r} names queue {queue!r}; the queues are {', '.join(QUEUES)}."
        )

    def register(coroutine: _F) -> _F:
        if not _is_coroutine_function(coroutine):
            raise InvalidTaskType(f"Task type {name!r} must be a coroutine: async def.")
        kind = TaskType(
            name=name,
            function=function or name,
            parameters=declared_by(coroutine),
            metrics=tuple(metrics),
            summary=summary or _first_line(coroutine),
            queue=queue,
            timeout_s=timeout_s,
            default_tasks=default_tasks,
        )
        _register(kind, coroutine=coroutine)
        return coroutine

    return register


def analysis_for(name: str) -> Callable[[_A], _A]:
    """Make a function `list[dict] -> dict` the analysis of a type: it gets every task's value."""

    def register(analysis: _A) -> _A:
        _analyses[name] = analysis
        return analysis

    return register


def task_types() -> dict[str, TaskType]:
    """Every task type by name; the modules that hold them are loaded at the first call."""
    _load_modules()
    return {name: entry.task_type for name, entry in _registered.items()}


def task_type(name: str) -> TaskType:
    """The task type of that name."""
    types = task_types()
    if name not in types:
        near = difflib.get_close_matches(name, types, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UnknownTaskType(
            f"Task type {name!r} is unknown{hint}; the types are {', '.join(types)}."
        )
    return types[name]


def parse_parameters(task_type: TaskType, given: Mapping[str, object]) -> dict[str, Value]:
    """All parameters of a task type with their values, from those given and the defaults."""
    return parse_all(task_type.parameters, given=given, of=task_type.name)


def arq_functions() -> list["Function"]:
    """Every task type as the function that an arq worker registers."""
    from arq.worker import func  # why here: the registry serves faces that run no worker

    _load_modules()
    return [
        func(
            cast(
                "WorkerCoroutine",
                counted(entry.coroutine, with_seed=takes_seed(entry.coroutine)),
            ),
            name=entry.task_type.function,
            timeout=entry.task_type.timeout_s,
        )
        for entry in _registered.values()
    ]


def analysis_of(name: str) -> Analysis | None:
    """The user's own analysis of a task type, if there is one."""
    _load_modules()
    return _analyses.get(name)


def _is_coroutine_function(candidate: object) -> bool:
    return inspect.iscoroutinefunction(candidate)


def _register(kind: TaskType, *, coroutine: Coroutine) -> None:
    home = f"{coroutine.__module__}.{coroutine.__qualname__}"
    for entry in _registered.values():
        taken = entry.task_type.name == kind.name or entry.task_type.function == kind.function
        if taken and entry.home != home:
            raise InvalidTaskType(
                f"Task type {kind.name!r} of {home} is already taken by {entry.home}: rename one."
            )
    _registered[kind.name] = _Registered(task_type=kind, coroutine=coroutine, home=home)


def _load_modules() -> None:
    with _loading:
        for module in (*BUILT_IN_MODULES, *task_modules()):
            if module not in _loaded:
                _load(module)
                _loaded.add(module)


def _load(module: str) -> None:
    # why: unlike `python -m` and arq's CLI, a console script does not look into this folder
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        importlib.import_module(module)
    except Exception as error:  # why any: a user's module may fail in any way
        raise TaskModuleError(
            f"LOADLAB_TASK_MODULES names {module!r}, which cannot be used: "
            f"{type(error).__name__}: {error}"
        ) from error


@functools.cache
def _first_line(coroutine: Coroutine) -> str:
    return (inspect.getdoc(coroutine) or "").partition("\n")[0]
