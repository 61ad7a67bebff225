"""Use case: what may be expected of a run, before anything is sent?

By the laws of `explain` and by what the same tasks took before; nothing is measured anew. It is
asked at every key stroke in a form, so it costs one connection to Redis and seven short queries.
"""

import asyncio
from dataclasses import asdict, dataclass, replace
from typing import Any

from asgiref.sync import async_to_sync
from redis.exceptions import RedisError

from runs.analysis import sections
from runs.analysis.ceiling import Ceiling, Situation
from runs.analysis.ceilings import ceilings_of
from runs.analysis.estimate_words import EstimateWords, Outlook, not_yet, say_estimate
from runs.analysis.fleet import Worker
from runs.analysis.service import ServiceTimes
from runs.dispatch import BYTES_PER_TASK
from runs.errors import InvalidSpec
from runs.explain import Subject, constants_for, subject_of_queue, workers_alive
from runs.known_times import times_by_content
from runs.models import Daemon, LoadTestConfiguration, LoadTestRun
from runs.models.configuration import content_hash
from runs.models.daemon import DaemonRole
from runs.spec import Spec, validate, workload_of
from runs.states import ACTIVE, RunStatus
from workers.client import QueueClient
from workers.errors import WorkersError

PATIENCE_S = 0.8  # with what a page costs besides, it opens within a second
HISTORY = 20
_RATE = "figures__metrics__overall_throughput"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisNow:
    """What Redis says of itself and of who serves the queue; `because`: why it does not."""

    free_bytes: int | None = None
    fleet: tuple[Worker, ...] = ()
    because: str = ""


def estimate(spec: Spec, *, redis: RedisNow | None = None) -> dict[str, Any]:
    """The words of `runs.analysis.estimate_words`, with the figures in them.

    Of a spec that is not valid yet it says so. `redis`: what is known of it already, by one who has
    just asked. `fits`: whether the queue keeps up with a rate; None for tasks sent at once.
    """
    try:
        spec = validate(spec)
    except InvalidSpec as wrong:
        return _document(not_yet(wrong.fields.values()), able=None, spec=None)
    server = redis if redis is not None else async_to_sync(_ask_redis)(spec.target_queue)
    subject = subject_of_queue(spec.target_queue, alive=server.fleet, workers=None)
    content = workload_of(spec)
    service = times_by_content(content)
    able = _capacity(subject, service=service)
    outlook = _outlook(spec, content=content, server=server, subject=subject)
    words = say_estimate(replace(outlook, **_by_the_laws(able, service=service)))
    return _document(words, able=able, spec=spec)


def _document(words: EstimateWords, *, able: Ceiling | None, spec: Spec | None) -> dict[str, Any]:
    fits = None
    if able is not None and spec is not None and spec.rate_per_s is not None:
        fits = spec.rate_per_s < able.throughput_per_s
    return {
        **asdict(words),
        "throughput_per_s": None if able is None else sections.rounded(able.throughput_per_s),
        "limited_by": None if able is None else able.name.value,
        "fits": fits,
    }


def _outlook(spec: Spec, *, content: dict[str, Any], server: RedisNow, subject: Subject) -> Outlook:
    """All that is known but for what the laws say."""
    arrivals = LoadTestConfiguration(**content).arrivals
    rates = _earlier_rates(content)
    return Outlook(
        task_type=spec.task_type,
        queue=spec.target_queue,
        tasks=arrivals.tasks,
        slots=subject.fleet.slots,
        workers=len(server.fleet),
        last_offset_s=arrivals.last_offset_s,
        rate_per_s=spec.rate_per_s,
        repeat=spec.repeat,
        timeout_s=spec.timeout_s,
        earlier_runs=len(rates),
        earlier_per_s=sum(rates) / len(rates) if rates else None,
        memory_bytes=arrivals.tasks * BYTES_PER_TASK,
        memory_free_bytes=server.free_bytes,
        redis_because=server.because,
        ahead=_ahead(spec.target_queue),
        dispatcher_alive=Daemon.objects.alive(DaemonRole.DISPATCHER).exists(),
    )


def _by_the_laws(able: Ceiling | None, *, service: ServiceTimes | None) -> dict[str, Any]:
    if able is None or service is None:
        return {}
    return {
        "task_time_s": service.mean_s,
        "capacity_per_s": able.throughput_per_s,
        "limited_by": able.name.value,
    }


def _capacity(subject: Subject, *, service: ServiceTimes | None) -> Ceiling | None:
    """The lowest ceiling; None where nobody knows how long the tasks take."""
    if service is None:
        return None
    constants = constants_for(subject.fleet, queue=subject.name, same_tasks=False)
    found = ceilings_of(Situation(fleet=subject.fleet, service=service, constants=constants))
    return found[0] if found else None


def _earlier_rates(content: dict[str, Any]) -> list[float]:
    """Throughputs of the last completed runs of this very workload."""
    runs = LoadTestRun.objects.filter(
        configuration__content_hash=content_hash(content), status=RunStatus.COMPLETED
    )
    found = runs.order_by("-pk").values_list(_RATE, flat=True)[:HISTORY]
    return [rate for rate in found if rate]


def _ahead(queue: str) -> str | None:
    """The run that one more on this queue would wait for."""
    waiting = LoadTestRun.objects.filter(
        target_queue=queue, status__in=[*ACTIVE, RunStatus.PENDING]
    ).order_by("-pk")
    found: str | None = waiting.values_list("test_id", flat=True).first()
    return found


async def _ask_redis(queue: str) -> RedisNow:
    try:
        async with asyncio.timeout(PATIENCE_S), QueueClient.connect() as client:
            server = await client.server_info()
            fleet = await workers_alive(client, queue)
    except (WorkersError, RedisError, OSError, TimeoutError) as error:
        return RedisNow(because=str(error) or f"Redis has not answered within {PATIENCE_S:g} s.")
    free = max(0, server.maxmemory - server.used_memory) if server.maxmemory else None
    return RedisNow(free_bytes=free, fleet=tuple(fleet))
