"""Use case: how are the queues and who serves them, right now?"""

import asyncio
from typing import Any

import msgspec
from asgiref.sync import async_to_sync
from redis.exceptions import RedisError

from runs.models import LoadTestRun
from workers.client import QueueClient
from workers.errors import WorkersError
from workers.settings import QUEUES, queue_key

PATIENCE_S = 0.8  # with what a page costs besides, it opens within a second


def queues_overview() -> list[dict[str, Any]]:
    """Every queue with its depth and workers; where Redis is away each says so within a second."""
    active = {
        run.target_queue: run.test_id
        for run in LoadTestRun.objects.active().only("test_id", "target_queue")
    }
    seen = async_to_sync(_look)()
    return [
        {"queue": name, "key": queue_key(name), "active_run": active.get(name), **seen[name]}
        for name in QUEUES
    ]


async def _look() -> dict[str, dict[str, Any]]:
    try:
        async with asyncio.timeout(PATIENCE_S), QueueClient.connect() as client:
            return {name: await _queue(client, name) for name in QUEUES}
    except (WorkersError, RedisError, OSError, TimeoutError) as error:
        because = str(error) or f"Redis has not answered within {PATIENCE_S:g} s."
        return {name: _unknown(because) for name in QUEUES}


async def _queue(client: QueueClient, name: str) -> dict[str, Any]:
    depth = await client.depth(name)
    fleet = await client.fleet(name)
    return {
        "reachable": True,
        "because": "",
        "queued": depth.queued,
        "due": depth.due,
        "deferred": depth.deferred,
        "running": depth.running,
        "oldest_job_age_s": await client.oldest_age_s(name),
        "workers": [
            {**msgspec.to_builtins(worker.description), "beat": msgspec.to_builtins(worker.beat)}
            for worker in fleet
        ],
    }


def _unknown(because: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("queued", "due", "deferred", "running", "oldest_job_age_s"))
    return {"reachable": False, "because": because, **nothing, "workers": []}
