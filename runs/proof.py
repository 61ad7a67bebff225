"""How can the change that a report proposes be tried on the very workload of its run?"""

import shlex
from collections.abc import Mapping
from typing import Any

from runs.analysis.changes import Change
from runs.arrivals import ArrivalModel
from runs.examination import Examination
from runs.models import LoadTestConfiguration
from runs.spec import Spec
from workers.tasks.registry import parse_parameters, task_types

PROVABLE = ("poll_delay", "queue_read_limit", "max_jobs", "processes")
REPEATS = 5
WORKER_START_S = 4.0  # workers of its own, started and stopped for every run


def how_to_prove(seen: Examination, *, change: Change) -> dict[str, Any] | None:
    """The command, and about how many seconds it takes; None for what `try` cannot change."""
    if change.setting not in PROVABLE:
        return None
    rates = (seen.summary.throughput_per_s, change.predicted_throughput_per_s)
    runs_s = sum(seen.accounting.sent / rate for rate in rates if rate)
    return {
        "command": _command(seen, change=change),
        "seconds": round(REPEATS * (runs_s + 2 * WORKER_START_S)),
    }


def _command(seen: Examination, *, change: Change) -> str:
    """What to type to try the change on this very workload; defaults are left out."""
    workload, usual = seen.workload, Spec()
    given = unusual_parameters(workload.task_type, workload.parameters)
    options = [
        ("--change", f"{change.setting}={change.new:g}", True),
        ("--type", workload.task_type, workload.task_type != usual.task_type),
        ("--queue", workload.queue, workload.queue != usual.target_queue),
        ("--tasks", workload.num_tasks, workload.rate_per_s is None),
        ("--batch", workload.batch_size, workload.rate_per_s is None and workload.batch_size != 10),
        ("--delay", f"{1000 * workload.delay_s:g}", workload.delay_s > 0),
        ("--rate", f"{workload.rate_per_s or 0:g}/s", workload.rate_per_s is not None),
        ("--duration", f"{workload.duration_s or 0:g}", workload.duration_s is not None),
        ("--arrival", workload.arrival.value, workload.arrival is ArrivalModel.POISSON),
        ("--seed", workload.seed, workload.seed != 0),
        *(("--param", f"{k}={_written(v)}", True) for k, v in given.items()),
        ("--workers", seen.fleet.processes, seen.fleet.processes > 1),
        ("--repeat", REPEATS, True),
    ]
    words = [word for name, value, said in options if said for word in (name, str(value))]
    return shlex.join(["loadlab", "try", *words])


def unusual_parameters(task_type: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters that are not the task type's defaults."""
    known = task_types().get(task_type)
    defaults = {} if known is None else parse_parameters(known, {})
    return {k: v for k, v in parameters.items() if defaults.get(k) != v}


def in_words(configuration: LoadTestConfiguration) -> str:
    """600 × sleep, duration_ms 150: what is sent, with what tells it from its like."""
    given = unusual_parameters(configuration.task_type, configuration.parameters)
    told = [f"{name} {_written(value)}" for name, value in given.items()]
    return ", ".join([configuration.in_words, *told])


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
