"""What the `system` queue does by itself: is Redis well, and is anything of dead runs left in it?

Bounded commands only, never KEYS. Touches the system queue's own jobs and what belongs to runs of
ours whose cursor is gone, never another queue's keys, nor a live run's.
"""

import time
from typing import Any

from arq.constants import abort_jobs_ss, in_progress_key_prefix, job_key_prefix
from arq.cron import CronJob, cron
from arq.worker import Function, func
from redis.asyncio import Redis

from workers import ids
from workers.settings import QUEUES, queue_key

LOOK_AT = 500  # members of a sorted set that one clean-up looks at
QUEUE = "system"


async def health_check(ctx: dict[Any, Any]) -> dict[str, Any]:
    """How quickly Redis answers, what it holds, how long our queues are."""
    redis: Any = ctx["redis"]
    started = time.perf_counter()
    await redis.ping()
    round_trip_ms = (time.perf_counter() - started) * 1000
    memory = await redis.info("memory")
    return {
        "redis_round_trip_ms": round_trip_ms,
        "redis_used_memory_bytes": int(memory.get("used_memory", 0)),
        "redis_maxmemory_bytes": int(memory.get("maxmemory", 0)),
        **{f"queued_{queue}": await redis.zcard(queue_key(queue)) for queue in QUEUES},
    }


async def redis_cleanup(ctx: dict[Any, Any]) -> dict[str, int]:
    """Remove abort requests of runs that are over, and their system jobs without a body."""
    redis = ctx["redis"]
    return {
        "abort_requests_removed": await _remove_old_abort_requests(redis),
        "bodiless_jobs_removed": await _remove_bodiless_jobs(redis),
    }


def functions() -> list[Function]:
    """The tasks, to be queued by whoever wants one now."""
    return [func(health_check, name="health_check"), func(redis_cleanup, name="redis_cleanup")]


def cron_jobs() -> list[CronJob]:
    """The schedule: health every minute, clean-up every ten."""
    return [
        cron(health_check, name=f"{ids.CRON_PREFIX}health_check", second=0),
        cron(
            redis_cleanup,
            name=f"{ids.CRON_PREFIX}redis_cleanup",
            minute={0, 10, 20, 30, 40, 50},
            second=30,
        ),
    ]


async def _remove_old_abort_requests(redis: Redis) -> int:
    """arq leaves an abort request for good where its job never starts again."""
    members = await redis.zrange(abort_jobs_ss, 0, LOOK_AT - 1)
    over = await _of_runs_that_are_over(redis, members)
    return int(await redis.zrem(abort_jobs_ss, *over)) if over else 0


async def _remove_bodiless_jobs(redis: Redis) -> int:
    """An id whose body has expired could only fail: arq would claim it, find nothing and say so."""
    key = queue_key(QUEUE)
    members = await redis.zrange(key, 0, LOOK_AT - 1)
    removed = 0
    for member in await _of_runs_that_are_over(redis, members):
        bodies = await redis.exists(
            job_key_prefix.encode() + member, in_progress_key_prefix.encode() + member
        )
        if not bodies:
            removed += int(await redis.zrem(key, member))
    return removed


async def _of_runs_that_are_over(redis: Redis, members: list[bytes]) -> list[bytes]:
    """Those ids that a run of ours made whose cursor is gone; nobody else's."""
    runs = {member: ids.test_id_of(member.decode(errors="replace")) for member in members}
    ours = [(member, test_id) for member, test_id in runs.items() if test_id is not None]
    if not ours:
        return []
    cursors = await redis.mget([ids.cursor_key(test_id) for _, test_id in ours])
    return [member for (member, _), cursor in zip(ours, cursors, strict=True) if cursor is None]
