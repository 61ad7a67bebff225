"""How is a job taken back that a Celery client names? By arq's abort, with an honest answer."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from arq.constants import abort_jobs_ss
from redis.asyncio import Redis
from redis.exceptions import RedisError

from workers.errors import RedisUnreachable
from workers.settings import redis_address

MAX_IDS = 500
TIMEOUT_S = 5.0

_SCRIPT = Path(__file__).with_name("revoke.lua").read_text(encoding="utf-8")


class Fate(StrEnum):
    """What becomes of a job that was asked to be revoked."""

    TERMINATED = "terminated"  # it runs; its worker cancels it at its next poll
    REVOKED = "revoked"  # it waits; whoever picks it up ends it unrun
    RUNNING = "running"  # it runs, and only waiting jobs were to be revoked
    UNKNOWN = "unknown"  # it is not on this queue: never was, or has ended


async def revoke(
    redis: Redis, job_ids: Sequence[str], *, queue_key: str, terminate: bool
) -> dict[str, Fate]:
    """Revoke jobs of a queue; every worker may be asked at once, the first does it."""
    ids = list(job_ids)[:MAX_IDS]
    client: Any = redis  # why Any: redis-py types a command as "awaitable or not"
    answer = await client.eval(
        _SCRIPT, 2, queue_key, abort_jobs_ss, "1" if terminate else "0", *ids
    )
    return {job_id: Fate(fate.decode()) for job_id, fate in zip(ids, answer, strict=True)}


async def revoke_at(
    url: str, job_ids: Sequence[str], *, queue_key: str, terminate: bool = True
) -> dict[str, Fate]:
    """The same from a process that is no worker; RedisUnreachable where Redis does not answer."""
    fates: dict[str, Fate] = {}
    client = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
    try:
        for start in range(0, len(job_ids), MAX_IDS):
            ids = job_ids[start : start + MAX_IDS]
            fates |= await revoke(client, ids, queue_key=queue_key, terminate=terminate)
    except (RedisError, OSError) as error:
        raise RedisUnreachable(
            f"Redis at {redis_address(url)} cannot be asked ({error}): start it and try again."
        ) from error
    finally:
        await client.aclose()
    return fates


def in_words(fates: dict[str, Fate], *, queue: str) -> str:
    """The answer for a person: what was done with which job."""
    phrases = {
        Fate.TERMINATED: "terminate",
        Fate.REVOKED: "flagged as revoked",
        Fate.RUNNING: "running, only --terminate ends them",
        Fate.UNKNOWN: f"tasks unknown to {queue}",
    }
    parts = []
    for fate, phrase in phrases.items():
        named = [job_id for job_id, its in fates.items() if its is fate]
        if named:
            parts.append(f"{phrase}: {', '.join(named)}")
    return "; ".join(parts) or f"tasks unknown to {queue}"
