"""Use case: what limits a queue, by arq's laws alone, without sending it anything?"""

import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import psutil
from arq.utils import to_seconds
from arq.worker import get_kwargs
from asgiref.sync import async_to_sync
from redis.exceptions import RedisError

from runs.analysis import sections
from runs.analysis.bottleneck import Bottleneck, bottleneck
from runs.analysis.constants import Constant, Constants
from runs.analysis.fleet import Fleet, HostClass, Worker, WorkerSettings
from runs.analysis.limit_words import change_sentence, fit_sentence, limited_by
from runs.analysis.service import ServiceTimes
from runs.errors import LoadLabError
from runs.evidence import worker_of
from runs.known_times import times_of_queue
from runs.models import LoadTestRun
from workers.client import QueueClient
from workers.errors import WorkersError
from workers.settings import QUEUES, queue_settings

MOST_WORKERS = 1_000
ENOUGH_TASKS = 200  # of fewer the fixed costs of a run are a large part of what each seems to cost
_OF_THE_TASKS = {"blocking_s", "pool_cpu_s"}
_OF_THE_RUN = {"poll_phases", "observer_cores"}


class CannotExplain(LoadLabError):
    """What was asked about is not there, or cannot be."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom the laws are asked about, and where each part of it came from."""

    name: str
    fleet: Fleet
    fleet_source: str


def explain(
    *,
    queue: str | None = None,
    settings_path: str | None = None,
    task_time_s: float | None = None,
    workers: int | None = None,
    rate_per_s: float | None = None,
) -> dict[str, Any]:
    """Ceilings, the binding one, the best change, and whether a rate fits.

    The workers that serve the queue now are asked; where none does, or `workers` is given, that
    many with the queue's settings. `settings_path`: any arq settings class, `package.module.Class`.
    """
    _refuse_nonsense(queue=queue, task_time_s=task_time_s, workers=workers, rate_per_s=rate_per_s)
    queue = queue or QUEUES[0]
    if settings_path is not None:
        subject = _of_class(settings_path, workers=workers or 1)
        service, constants = None, Constants()
    else:
        alive = [] if workers is not None else async_to_sync(_alive)(queue)
        subject = subject_of_queue(queue, alive=alive, workers=workers)
        service = times_of_queue(queue) if task_time_s is None else None
        constants = constants_for(subject.fleet, queue=queue, same_tasks=service is not None)
    if service is None:
        service = _assumed(task_time_s)
    found = bottleneck(subject.fleet, service=service, constants=constants)
    return {
        "subject": subject.name,
        "fleet": {
            "processes": subject.fleet.processes,
            "slots": subject.fleet.slots,
            "source": subject.fleet_source,
            "settings": [asdict(each) for each in subject.fleet.settings[:1]],
        },
        "task_time_ms": sections.milliseconds(service.mean_s),
        "task_time_source": service.source,
        "bottleneck": sections.bottleneck_section(found),
        "headline": limited_by(found, reached=False),
        "action": None if found.change is None else change_sentence(found.change),
        "missing": list(found.missing),
        "rate": None if rate_per_s is None else _fits(rate_per_s, found=found),
    }


def _fits(rate_per_s: float, *, found: Bottleneck) -> dict[str, Any]:
    capacity = found.capacity
    if capacity is None:
        return {
            "rate_per_s": rate_per_s,
            "fits": None,
            "utilisation_percent": None,
            "because": fit_sentence(rate_per_s, found=found),
        }
    share = rate_per_s / capacity.throughput_per_s
    return {
        "rate_per_s": rate_per_s,
        "fits": share < 1,
        "utilisation_percent": sections.percent(share),
        "because": fit_sentence(rate_per_s, found=found),
        "limited_by": capacity.name.value,
        "capacity_per_s": sections.rounded(capacity.throughput_per_s),
    }


def subject_of_queue(queue: str, *, alive: Sequence[Worker], workers: int | None) -> Subject:
    """A queue with the workers that serve it; where none does, as many with its settings."""
    if alive:
        return Subject(name=queue, fleet=Fleet(workers=tuple(alive)), fleet_source="heartbeats")
    set_to = queue_settings(queue)
    settings = WorkerSettings(
        max_jobs=set_to.max_jobs,
        poll_delay_s=set_to.poll_delay_s,
        queue_read_limit=set_to.queue_read_limit,
        job_timeout_s=set_to.job_timeout_s,
        keep_result_s=set_to.keep_result_s,
        pool_processes=_cores(),
    )
    source = "settings" if workers is not None else "settings: no worker serves it now"
    return Subject(name=queue, fleet=_copies(settings, workers or 1), fleet_source=source)


async def _alive(queue: str) -> list[Worker]:
    try:
        async with QueueClient.connect() as client:
            return await workers_alive(client, queue)
    except (WorkersError, RedisError, OSError):
        return []


async def workers_alive(client: QueueClient, queue: str) -> list[Worker]:
    """The workers that serve a queue now, as the laws take them."""
    import msgspec  # why here: only a live fleet needs it

    return [
        worker_of(
            {**msgspec.to_builtins(report.description), "beat": msgspec.to_builtins(report.beat)}
        )
        for report in await client.fleet(queue)
    ]


def _of_class(path: str, *, workers: int) -> Subject:
    """Any arq settings class, with arq 0.28's own defaults for what it does not set."""
    module_name, _, name = path.rpartition(".")
    try:
        settings_class = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CannotExplain(f"{path!r} is no arq settings class: {error}.") from error
    given: Mapping[str, Any] = get_kwargs(settings_class)
    settings = WorkerSettings(
        max_jobs=int(given.get("max_jobs", 10)),
        poll_delay_s=to_seconds(given.get("poll_delay", 0.5)) or 0.5,
        queue_read_limit=given.get("queue_read_limit"),
        job_timeout_s=to_seconds(given.get("job_timeout", 300)),
        keep_result_s=to_seconds(given.get("keep_result", 3600)) or 0.0,
        max_tries=int(given.get("max_tries", 5)),
        keep_result_forever=bool(given.get("keep_result_forever", False)),
        allow_abort_jobs=bool(given.get("allow_abort_jobs", False)),
    )
    return Subject(name=path, fleet=_copies(settings, workers), fleet_source="settings class")


def _cores() -> int:
    """Those that a worker started here may use, as its description has them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _copies(settings: WorkerSettings, count: int) -> Fleet:
    host = HostClass(cpu_model="", cores=_cores(), memory_bytes=psutil.virtual_memory().total)
    return Fleet(
        workers=tuple(
            Worker(worker_id=f"worker {n + 1}", host="here", settings=settings, host_class=host)
            for n in range(count)
        )
    )


def _assumed(task_time_s: float | None) -> ServiceTimes:
    if task_time_s is None:
        return ServiceTimes.fixed(0.0, source="tasks that do nothing: give --task-time")
    return ServiceTimes.fixed(task_time_s, source="given")


def constants_for(fleet: Fleet, *, queue: str, same_tasks: bool) -> Constants:
    """The machine's constants as the last run on the queue that shows them measured them.

    The last of enough tasks, if there is one. Never those of another machine; nor, unless the tasks
    are the same, what they themselves cost; nor where tasks failed, for arq then writes a
    traceback between two starts.
    """
    shown = LoadTestRun.objects.filter(
        target_queue=queue, failed_count=0, figures__constants__has_key="start_s"
    )
    recent = shown.order_by("-pk").values_list("test_id", "environment", "figures__constants")
    found = recent.filter(completed_count__gte=ENOUGH_TASKS).first() or recent.first()
    if found is None:
        return Constants()
    test_id, environment, stored = found
    if not _is_of_these_hosts(environment.get("host_class"), fleet=fleet):
        return Constants()
    names = {each.name for each in fields(Constants)} - _OF_THE_RUN
    if not same_tasks:
        names -= _OF_THE_TASKS
    measured: dict[str, Any] = {
        name: Constant(value=value, source=f"measured by {test_id}")
        for name, value in stored.items()
        if name in names
    }
    return Constants(**measured)


def _is_of_these_hosts(measured_on: object, *, fleet: Fleet) -> bool:
    if not isinstance(measured_on, Mapping):
        return False
    here = (measured_on.get("cores"), measured_on.get("cpu_model"))
    hosts = {(each.host_class.cores, each.host_class.cpu_model) for each in fleet.workers}
    return {(cores, model or here[1]) for cores, model in hosts} == {here}


def _refuse_nonsense(
    *, queue: str | None, task_time_s: float | None, workers: int | None, rate_per_s: float | None
) -> None:
    if task_time_s is not None and not 0 <= task_time_s <= 86_400:
        raise CannotExplain(f"task time is {task_time_s:g} s: it must be from 0 to 86400 s.")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise CannotExplain(f"workers is {workers}: it must be from 1 to {MOST_WORKERS}.")
    if queue is not None and queue not in QUEUES:
        raise CannotExplain(f"queue is {queue!r}: it must be one of {', '.join(QUEUES)}.")
    if rate_per_s is not None and not rate_per_s > 0:
        raise CannotExplain(f"rate is {rate_per_s:g}/s: it must be above 0.")
