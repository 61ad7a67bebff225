"""Use case: what limits a queue, by arq's laws alone, without sending it anything?"""

import importlib
import os
from collections.abc import Mapping
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
from runs.models import LoadTestRun
from workers.client import QueueClient
from workers.errors import WorkersError
from workers.settings import QUEUES, queue_settings

MOST_WORKERS = 1_000


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
    _refuse_nonsense(task_time_s=task_time_s, workers=workers, rate_per_s=rate_per_s)
    subject = (
        _of_class(settings_path, workers=workers or 1)
        if settings_path is not None
        else _of_queue(queue or QUEUES[0], workers=workers)
    )
    recent = _recent_run(queue or QUEUES[0]) if settings_path is None else None
    service, service_source = _service(task_time_s, recent=recent)
    constants = _constants(recent, fleet=subject.fleet)
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
        "task_time_source": service_source,
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


def _of_queue(queue: str, *, workers: int | None) -> Subject:
    if queue not in QUEUES:
        raise CannotExplain(f"queue is {queue!r}: it must be one of {', '.join(QUEUES)}.")
    alive = [] if workers is not None else async_to_sync(_alive)(queue)
    if alive:
        return Subject(name=queue, fleet=Fleet(workers=tuple(alive)), fleet_source="heartbeats")
    set_to = queue_settings(queue)
    settings = WorkerSettings(
        max_jobs=set_to.max_jobs,
        poll_delay_s=set_to.poll_delay_s,
        queue_read_limit=set_to.queue_read_limit,
        job_timeout_s=set_to.job_timeout_s,
        keep_result_s=set_to.keep_result_s,
        pool_processes=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1,
    )
    source = "settings" if workers is not None else "settings: no worker serves it now"
    return Subject(name=queue, fleet=_copies(settings, workers or 1), fleet_source=source)


async def _alive(queue: str) -> list[Worker]:
    import msgspec  # why here: only a live fleet needs it

    try:
        async with QueueClient.connect() as client:
            fleet = await client.fleet(queue)
    except (WorkersError, RedisError, OSError):
        return []
    return [
        worker_of(
            {**msgspec.to_builtins(report.description), "beat": msgspec.to_builtins(report.beat)}
        )
        for report in fleet
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


def _copies(settings: WorkerSettings, count: int) -> Fleet:
    host = HostClass(
        cpu_model="", cores=os.cpu_count() or 1, memory_bytes=psutil.virtual_memory().total
    )
    return Fleet(
        workers=tuple(
            Worker(worker_id=f"worker {n + 1}", host="here", settings=settings, host_class=host)
            for n in range(count)
        )
    )


def _recent_run(queue: str) -> LoadTestRun | None:
    """The last run on the queue whose machine's constants were measured."""
    finished = LoadTestRun.objects.filter(target_queue=queue, figures__has_key="constants")
    run: LoadTestRun | None = (
        finished.defer("report", "fleet", "observed", "notes").order_by("-pk").first()
    )
    return run


def _service(task_time_s: float | None, *, recent: LoadTestRun | None) -> tuple[ServiceTimes, str]:
    if task_time_s is not None:
        return ServiceTimes.fixed(task_time_s), "given"
    mean_ms = None
    if recent is not None:
        mean_ms = recent.figures["analysis"]["task_metrics"].get("avg_execution_time_ms")
    if recent is None or mean_ms is None:
        return ServiceTimes.fixed(0.0), "tasks that do nothing: give --task-time"
    return ServiceTimes.fixed(mean_ms / 1000), f"the mean of {recent.test_id}"


def _constants(recent: LoadTestRun | None, *, fleet: Fleet) -> Constants:
    """The machine's constants as the last run measured them; never those of another machine."""
    if recent is None:
        return Constants()
    hosts = {(each.host_class.cores, each.host_class.cpu_model) for each in fleet.workers}
    measured_on = recent.environment.get("host_class")
    if isinstance(measured_on, Mapping):
        here = (measured_on.get("cores"), measured_on.get("cpu_model"))
        known = {(cores, model or here[1]) for cores, model in hosts}
        if known != {here}:
            return Constants()
    stored = recent.figures["constants"]
    names = {each.name for each in fields(Constants)} - {"poll_phases"}
    measured: dict[str, Any] = {
        name: Constant(value=value, source=f"measured by {recent.test_id}")
        for name, value in stored.items()
        if name in names
    }
    return Constants(**measured)


def _refuse_nonsense(
    *, task_time_s: float | None, workers: int | None, rate_per_s: float | None
) -> None:
    if task_time_s is not None and not 0 <= task_time_s <= 86_400:
        raise CannotExplain(f"task time is {task_time_s:g} s: it must be from 0 to 86400 s.")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise CannotExplain(f"workers is {workers}: it must be from 1 to {MOST_WORKERS}.")
    if rate_per_s is not None and not rate_per_s > 0:
        raise CannotExplain(f"rate is {rate_per_s:g}/s: it must be above 0.")
