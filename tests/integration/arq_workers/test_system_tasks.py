"""The system queue looks after Redis without touching what is not its own."""

import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from working import RUN, batch, ids

from workers.client import QueueClient
from workers.queues.system import WorkerSettings
from workers.settings import queue_key
from workers.tasks.system import health_check, redis_cleanup


@pytest.fixture
async def connection(redis_url: str) -> AsyncIterator[Redis]:
    made = Redis.from_url(redis_url)
    yield made
    await made.aclose()


async def everything(connection: Redis) -> dict[bytes, object]:
    found: dict[bytes, object] = {}
    for key in await connection.keys("*"):
        kind = await connection.type(key)
        found[key] = await (
            connection.zrange(key, 0, -1, withscores=True)
            if kind == b"zset"
            else connection.get(key)
        )
    return found


def test_the_system_queue_schedules_both() -> None:
    names = {job.name for job in WorkerSettings.cron_jobs}  # type: ignore[attr-defined]
    assert names == {"loadlab:health_check", "loadlab:redis_cleanup"}
    served = {function.name for function in WorkerSettings.functions}  # type: ignore[attr-defined]
    assert {"health_check", "redis_cleanup"} <= served


async def test_health_names_redis_and_every_queue(client: QueueClient, connection: Redis) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 3, queue="media"))
    found = await health_check({"redis": connection})
    assert found["redis_round_trip_ms"] > 0
    assert found["redis_used_memory_bytes"] > 0
    assert (found["queued_load_test"], found["queued_system"], found["queued_media"]) == (0, 0, 3)


async def test_clean_up_leaves_live_runs_and_strangers_alone(
    client: QueueClient, connection: Redis
) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    for first, queue in ((1, "load_test"), (4, "system"), (7, "media")):
        await client.send_batch(batch(first, 3, queue=queue))
    await connection.delete(f"arq:job:{ids(4, 4)[0]}")  # expired, but its run is alive
    strangers = {"somebodys-job": 1.0, ids(1, 1)[0]: time.time() * 1000}
    await connection.zadd("arq:abort", strangers)
    await connection.zadd(queue_key("system"), {"somebodys-bodiless-job": 1.0})
    before = await everything(connection)
    assert await redis_cleanup({"redis": connection}) == {
        "abort_requests_removed": 0,
        "bodiless_jobs_removed": 0,
    }
    assert await everything(connection) == before


async def test_clean_up_removes_what_dead_runs_left(client: QueueClient, connection: Redis) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 3, queue="system"))
    await client.send_batch(batch(4, 2, queue="media"))
    await connection.delete(*(f"arq:job:{task}" for task in ids(1, 2)), f"arq:job:{ids(4, 4)[0]}")
    await connection.zadd("arq:abort", {ids(1, 1)[0]: 1.0, ids(5, 5)[0]: 1.0})
    await client.forget_run(RUN)
    assert await redis_cleanup({"redis": connection}) == {
        "abort_requests_removed": 2,
        "bodiless_jobs_removed": 2,
    }
    assert await client.queued("system", ids(1, 3)) == [False, False, True]
    assert await client.queued("media", ids(4, 5)) == [True, True]  # not its own queue
