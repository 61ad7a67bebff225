"""Use case: what may be expected of a run, before anything is sent?

By the laws of `explain` and by what the same task type took before; nothing is measured anew.
"""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from asgiref.sync import async_to_sync
from redis.exceptions import RedisError

from runs.analysis.estimate_words import Outlook, say_estimate
from runs.dispatch import BYTES_PER_TASK
from runs.explain import explain
from runs.models import Daemon, LoadTestConfiguration, LoadTestRun
from runs.models.configuration import content_hash
from runs.models.daemon import DaemonRole
from runs.spec import Spec, validate, workload_of
from runs.states import ACTIVE, RunStatus
from workers.client import QueueClient
from workers.errors import WorkersError

PATIENCE_S = 1.0
HISTORY = 20
_MEAN = "figures__analysis__task_metrics__avg_execution_time_ms"
_RATE = "figures__metrics__overall_throughput"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisNow:
    """What Redis says of itself; `because`: why it does not."""

    free_bytes: int | None = None
    workers: int = 0
    because: str = ""


def estimate(spec: Spec, *, redis: RedisNow | None = None) -> dict[str, Any]:
    """The words of `runs.analysis.estimate_words`; InvalidSpec where nothing could be sent.

    `redis`: what is known of it already, by one who has just asked.
    """
    spec = validate(spec)
    content = workload_of(spec)
    configuration = LoadTestConfiguration(**content)
    arrivals = configuration.arrivals
    earlier = _earlier(content)
    mean_s = _task_time_s(content, earlier=earlier)
    server = redis if redis is not None else async_to_sync(_ask_redis)(spec.target_queue)
    found = _explained(spec, mean_s=mean_s, asked=not server.because)
    bottleneck = found.get("bottleneck") or {}
    capacity = _capacity(bottleneck)
    rates = [each[1] for each in earlier if each[1]]
    ahead = _ahead(spec.target_queue)
    words = say_estimate(
        Outlook(
            task_type=spec.task_type,
            queue=spec.target_queue,
            tasks=arrivals.tasks,
            slots=found["fleet"]["slots"],
            workers=server.workers,
            last_offset_s=arrivals.last_offset_s,
            task_time_s=mean_s,
            capacity_per_s=capacity[1] if mean_s is not None else None,
            limited_by=capacity[0],
            rate_per_s=spec.rate_per_s,
            fit=(found.get("rate") or {}).get("because", "") if mean_s is not None else "",
            earlier_runs=len(earlier),
            earlier_per_s=sum(rates) / len(rates) if rates else None,
            memory_bytes=arrivals.tasks * BYTES_PER_TASK,
            memory_free_bytes=server.free_bytes,
            redis_because=server.because,
            ahead=ahead,
            dispatcher_alive=Daemon.objects.alive(DaemonRole.DISPATCHER).exists(),
        )
    )
    return asdict(words)


def _earlier(content: dict[str, Any]) -> list[tuple[float | None, float | None]]:
    """Mean run time in ms and throughput of the last completed runs of this very workload."""
    runs = LoadTestRun.objects.filter(
        configuration__content_hash=content_hash(content), status=RunStatus.COMPLETED
    )
    return [*runs.order_by("-pk").values_list(_MEAN, _RATE)[:HISTORY]]


def _task_time_s(
    content: dict[str, Any], *, earlier: list[tuple[float | None, float | None]]
) -> float | None:
    """Of this workload's last run, else of the last run of the same tasks, whoever served them."""
    known = [mean for mean, _ in earlier if mean is not None]
    if not known:
        alike = LoadTestRun.objects.filter(
            configuration__task_type=content["task_type"],
            configuration__parameters=content["parameters"],
        ).exclude(figures={})
        known = [
            m for m in alike.order_by("-pk").values_list(_MEAN, flat=True)[:1] if m is not None
        ]
    return known[0] / 1000 if known else None


def _explained(spec: Spec, *, mean_s: float | None, asked: bool) -> dict[str, Any]:
    """The laws; of one worker with the queue's settings where Redis cannot be asked for them."""
    return explain(
        queue=spec.target_queue,
        task_time_s=mean_s or 0.0,
        workers=None if asked else 1,
        rate_per_s=spec.rate_per_s,
    )


def _capacity(bottleneck: dict[str, Any]) -> tuple[str, float | None]:
    """The lowest ceiling that is the queue's own, not the load's."""
    own = [each for each in bottleneck.get("ceilings") or () if each["name"] != "arrivals"]
    return (own[0]["name"], own[0]["throughput_per_s"]) if own else ("", None)


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
            fleet = await client.fleet(queue)
    except (WorkersError, RedisError, OSError, TimeoutError) as error:
        return RedisNow(because=str(error) or f"Redis has not answered within {PATIENCE_S:g} s.")
    free = max(0, server.maxmemory - server.used_memory) if server.maxmemory else None
    return RedisNow(free_bytes=free, workers=len(fleet))
