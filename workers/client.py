"""How are tasks sent, watched and taken back? The one module that runs load through Redis.

Every method is safe to repeat: a command whose answer was lost on the way can be sent again.
Redis's own errors (redis.exceptions, OSError) pass through; only `open` raises RedisUnreachable.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from arq.constants import (
    abort_jobs_ss,
    in_progress_key_prefix,
    job_key_prefix,
    result_key_prefix,
    retry_key_prefix,
)
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import NoScriptError, RedisError

from workers import codec
from workers.codec import TaskResult, Undecodable
from workers.errors import RedisUnreachable
from workers.fleet import WorkerReport, decode_report, report_keys
from workers.ids import CRON_PREFIX, cursor_key, fleet_key
from workers.scripts import CANCEL, CLOSE_CURSOR, SEND_BATCH, Script
from workers.settings import RETRIED_ERRORS, Target, redis_address, redis_url
from workers.wire import MAX_PER_CALL, Batch, ClockOffset, Cursor, Depth, Glance, ServerInfo

__all__ = ["MAX_PER_CALL", "Batch", "ClockOffset", "Cursor", "Depth", "QueueClient", "ServerInfo"]

HEAD_IDS = 1_000  # how much of a queue is looked at where all of it would be unbounded
MAX_WORKERS = 1_000

_CONNECT_S = 5.0
_CLOCK_READINGS = 5
_QUICK_S = 0.0002


class QueueClient:
    """A connection to the Redis of a target."""

    def __init__(self, redis: Redis, *, target: Target) -> None:
        self._redis: Any = redis  # why Any: redis-py types a command as "awaitable or not"
        self._target = target
        self.commands_sent = 0  # as Redis counts them: those inside scripts too

    @classmethod
    async def open(cls, target: Target | None = None) -> "QueueClient":
        """A client that has been answered once; RedisUnreachable within 5 s where there is none."""
        target = target or Target()
        # why a thread: the embedded server may have to be started, which takes its time
        url = target.redis_url or str(await asyncio.to_thread(redis_url))
        redis = Redis.from_url(
            url,
            socket_connect_timeout=2,
            socket_timeout=10,
            retry=_retry(0),
            retry_on_error=list(RETRIED_ERRORS),
        )
        try:
            async with asyncio.timeout(_CONNECT_S):
                await redis.ping()
        except (RedisError, OSError, TimeoutError) as error:
            await redis.aclose()
            reason = str(error) or f"no answer within {_CONNECT_S:g} s"
            raise RedisUnreachable(
                f"Redis at {redis_address(url)} cannot be used ({reason.rstrip('.')}): "
                "start it, or set REDIS_URL to the right one."
            ) from error
        redis.set_retry(_retry(8))
        return cls(redis, target=target)

    @classmethod
    @asynccontextmanager
    async def connect(cls, target: Target | None = None) -> AsyncIterator["QueueClient"]:
        """`open` and `close` around a block."""
        client = await cls.open(target)
        try:
            yield client
        finally:
            await client.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    def apart(self) -> "QueueClient":
        """A client on the same connections that counts its own commands; it need not be closed."""
        return QueueClient(self._redis, target=self._target)

    async def open_cursor(self, test_id: str, *, at: int = 0, ttl_s: int) -> None:
        """Make the cursor of a run where it has none; one that exists is not moved."""
        await self._ask("SET", cursor_key(test_id), at, "EX", ttl_s, "NX")

    async def cursor(self, test_id: str) -> int | Cursor:
        """The last sequence sent of a run."""
        return Cursor.read(await self._ask("GET", cursor_key(test_id)))

    async def close_cursor(self, test_id: str, *, ttl_s: int = 3600) -> int:
        """Refuse every batch of this run from now on; the last sequence that was sent.

        0 where Redis has lost the cursor.
        """
        return int(await self._run(CLOSE_CURSOR, keys=(cursor_key(test_id),), args=(ttl_s,)))

    async def forget_run(self, test_id: str) -> None:
        """Delete the cursor of a run that is over."""
        await self._ask("DEL", cursor_key(test_id))

    async def send_batch(self, batch: Batch) -> int | Cursor:
        """Queue the tasks of a batch that are beyond the cursor; the cursor afterwards."""
        job = {
            "t": None,
            "f": batch.function,
            "a": (),
            "k": dict(batch.kwargs),
            "et": batch.enqueued_ms,
        }
        answer = await self._run(
            SEND_BATCH,
            keys=(self._target.queue_key(batch.queue), cursor_key(batch.test_id)),
            args=(
                batch.first,
                batch.count,
                batch.enqueued_ms,
                batch.expires_ms,
                batch.test_id,
                batch.cursor_ttl_s,
                codec.dumps(job),
            ),
        )
        if answer < 0:
            self.commands_sent += 1
            return Cursor(answer)
        self.commands_sent += batch.count + 3
        return int(answer)

    async def results(self, task_ids: Sequence[str]) -> list[TaskResult | Undecodable | None]:
        """What the workers reported of these tasks, None for those that have no result yet."""
        if not task_ids:
            return []
        values = await self._ask("MGET", *(result_key_prefix + task_id for task_id in task_ids))
        return [
            None if raw is None else codec.decode_result(task_id, raw)
            for task_id, raw in zip(task_ids, values, strict=True)
        ]

    async def discard(self, task_ids: Sequence[str]) -> None:
        """Delete the results of these tasks: only once they are stored elsewhere."""
        if task_ids:
            await self._ask("UNLINK", *(result_key_prefix + task_id for task_id in task_ids))

    async def cancel(self, queue: str, task_ids: Sequence[str]) -> list[str]:
        """Take waiting tasks off the queue and have running ones aborted; the ids taken off."""
        removed: list[str] = []
        for start in range(0, len(task_ids), MAX_PER_CALL):
            chunk = task_ids[start : start + MAX_PER_CALL]
            answer = await self._run(
                CANCEL, keys=(self._target.queue_key(queue), abort_jobs_ss), args=chunk
            )
            self.commands_sent += 1 + 2 * len(chunk) + 2 * len(answer)
            removed += [task_id.decode() for task_id in answer]
        return removed

    async def purge(self, queue: str, task_ids: Sequence[str]) -> None:
        """Delete every trace of these tasks, results included."""
        prefixes = (job_key_prefix, retry_key_prefix, in_progress_key_prefix, result_key_prefix)
        for start in range(0, len(task_ids), MAX_PER_CALL):
            chunk = task_ids[start : start + MAX_PER_CALL]
            await self._ask_all(
                ("ZREM", self._target.queue_key(queue), *chunk),
                ("ZREM", abort_jobs_ss, *chunk),
                ("UNLINK", *(prefix + task_id for task_id in chunk for prefix in prefixes)),
            )

    async def glance(self, queue: str, *, test_id: str) -> Glance:
        """How far a run is sent and how far its queue is worked off, in one round trip."""
        key = self._target.queue_key(queue)
        cursor, queued, head = await self._ask_all(
            ("GET", cursor_key(test_id)), ("ZCARD", key), ("ZRANGE", key, 0, 0)
        )
        return Glance(
            cursor=Cursor.read(cursor), queued=queued, head=_text(head[0]) if head else None
        )

    async def oldest_age_s(self, queue: str) -> float | None:
        """How long ago the queue's first job was due, by Redis's clock; None for an empty queue."""
        first, now = await self._ask_all(
            ("ZRANGE", self._target.queue_key(queue), 0, 0, "WITHSCORES"), ("TIME",)
        )
        if not first:
            return None
        return max(0.0, int(now[0]) + int(now[1]) / 1e6 - float(first[1]) / 1000)

    async def queued(self, queue: str, task_ids: Sequence[str]) -> list[bool]:
        """Which of these tasks stand on the queue, waiting or running."""
        if not task_ids:
            return []
        scores = await self._ask("ZMSCORE", self._target.queue_key(queue), *task_ids)
        return [score is not None for score in scores]

    async def depth(self, queue: str) -> Depth:
        """How many jobs stand on the queue, and how many of them run."""
        key, now = self._target.queue_key(queue), int(time.time() * 1000)
        queued, due, ids = await self._ask_all(
            ("ZCARD", key), ("ZCOUNT", key, "-inf", now), ("ZRANGE", key, 0, MAX_PER_CALL - 1)
        )
        running = 0
        if ids:
            prefix = in_progress_key_prefix.encode()
            running = await self._ask("EXISTS", *(prefix + job_id for job_id in ids))
        return Depth(
            queued=queued,
            due=due,
            deferred=max(0, queued - due),
            running=None if running == len(ids) < queued else running,
        )

    async def foreign(self, queue: str, *, test_id: str) -> int:
        """How many of the first 1000 ids on the queue are neither of this run nor of our cron."""
        ids = await self._ask("ZRANGE", self._target.queue_key(queue), 0, HEAD_IDS - 1)
        ours = (f"{test_id}-".encode(), CRON_PREFIX.encode())
        return sum(not job_id.startswith(ours) for job_id in ids)

    async def fleet(self, queue: str) -> list[WorkerReport]:
        """Every worker of the queue whose last heartbeat is fresh, in the order of their ids."""
        key = fleet_key(queue)
        members = sorted(map(_text, await self._ask("ZREVRANGE", key, 0, MAX_WORKERS - 1)))
        if not members:
            return []
        values = await self._ask(
            "MGET", *(key for member in members for key in report_keys(member))
        )
        reports = (
            decode_report(member, description=values[2 * i], beat=values[2 * i + 1])
            for i, member in enumerate(members)
        )
        return [report for report in reports if report and report.description.queue == queue]

    async def server_info(self) -> ServerInfo:
        """Version, memory and counters of the server."""
        found = await self._ask("INFO")
        is_valkey = "valkey_version" in found
        return ServerInfo(
            version=str(found.get("valkey_version" if is_valkey else "redis_version", "")),
            kind="valkey" if is_valkey else "redis",
            maxmemory=int(found.get("maxmemory", 0)),
            maxmemory_policy=str(found.get("maxmemory_policy", "")),
            used_memory=int(found.get("used_memory", 0)),
            used_cpu_s=float(found.get("used_cpu_sys", 0)) + float(found.get("used_cpu_user", 0)),
            uptime_s=float(found.get("uptime_in_seconds", 0)),
            total_commands=int(found.get("total_commands_processed", 0)),
        )

    async def clock_offset(self) -> ClockOffset:
        """How far this process's clock is from Redis's: a quick reading, or the best of five."""
        best = ClockOffset(offset_s=0.0, error_s=float("inf"))
        for _ in range(_CLOCK_READINGS):
            before = time.time()
            seconds, microseconds = await self._ask("TIME")
            after = time.time()
            middle_s, error_s = (before + after) / 2, abs(after - before) / 2
            if error_s < best.error_s:
                redis_s = int(seconds) + int(microseconds) / 1e6
                best = ClockOffset(offset_s=middle_s - redis_s, error_s=error_s)
            if error_s <= _QUICK_S:
                break
        return best

    async def _ask(self, *command: Any) -> Any:
        self.commands_sent += 1
        return await self._redis.execute_command(*command)

    async def _ask_all(self, *commands: tuple[Any, ...]) -> list[Any]:
        self.commands_sent += len(commands)
        async with self._redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            answers: list[Any] = await pipe.execute()
        return answers

    async def _run(self, script: Script, *, keys: Sequence[str], args: Sequence[Any]) -> Any:
        try:
            return await self._ask("EVALSHA", script.sha, len(keys), *keys, *args)
        except NoScriptError:  # Redis has restarted or was flushed, or never saw it
            return await self._ask("EVAL", script.source, len(keys), *keys, *args)


def _retry(times: int) -> Retry:
    # why short: whoever calls decides how long an outage is waited for; this bridges a restart
    return Retry(ExponentialBackoff(cap=0.5, base=0.05), times, RETRIED_ERRORS)  # type: ignore[arg-type]


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
