"""A worker process describes itself once and says every second how it is; never per job."""

import asyncio
import logging
import math
import os
import platform
import socket
import subprocess
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import psutil
from redis.asyncio import Redis

from workers import fleet, ids
from workers.pool import ProcessPool, usable_cores
from workers.settings import environment
from workers.tasks.counting import COUNTS

BEAT_S = 1.0
TICK_S = 0.1
ROUND_TRIPS = 3
COMMANDS_PER_BEAT = ROUND_TRIPS + 5  # the clock is read, then two documents and the fleet written
LEAVE_S = 2.0

_CLOCK_MEMORY = 60  # beats

logger = logging.getLogger("loadlab.workers")


@dataclass(slots=True, kw_only=True)
class Heart:
    """The heartbeat of one worker process on one queue."""

    redis: Redis
    queue: str
    settings: fleet.FleetSettings
    functions: tuple[str, ...]
    pool: ProcessPool
    description: bytes = b""
    _task: asyncio.Task[None] | None = None
    _clocks: list[tuple[float, float]] = field(default_factory=list)
    _measured: tuple[float, float] = (0.0, 0.0)

    async def start(self) -> None:
        """Describe the process and beat for the first time, then every second in the background."""
        self._measured = (time.monotonic(), self._cpu_s())
        try:
            self.description = msgspec.json.encode(await self._describe())
            await self._beat(lag_s=0.0)
        except Exception:  # a worker that cannot report still works
            logger.exception("worker_cannot_report queue=%s", self.queue)
        self._task = asyncio.create_task(self._beat_on())

    async def stop(self) -> None:
        """Stop beating and leave the fleet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._leave()
        except Exception:  # why any: shutting down must go on; the reports expire by themselves
            logger.warning("worker_left_unheard worker=%s", ids.worker_id(), exc_info=True)

    async def _beat_on(self) -> None:
        silent = False
        while True:
            lag_s = await _worst_lateness(over_s=BEAT_S)
            try:
                if not self.description:
                    self.description = msgspec.json.encode(await self._describe())
                await self._beat(lag_s=lag_s)
                silent = False
            except Exception:  # why any: a heartbeat must never end a worker
                if not silent:
                    logger.warning("worker_cannot_report queue=%s", self.queue, exc_info=True)
                silent = True

    async def _beat(self, *, lag_s: float) -> None:
        """Write both documents: the description too, so that a flushed Redis has it again."""
        worker_id = ids.worker_id()
        description_key, beat_key = fleet.report_keys(worker_id)
        beat = await self._measure(lag_s=lag_s)
        redis_now = beat.at - beat.clock_offset_s
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.set(description_key, self.description, ex=fleet.TIME_TO_LIVE_S)
            pipe.set(beat_key, msgspec.json.encode(beat), ex=fleet.TIME_TO_LIVE_S)
            pipe.zadd(ids.fleet_key(self.queue), {worker_id: redis_now})
            pipe.zremrangebyscore(
                ids.fleet_key(self.queue), "-inf", redis_now - fleet.TIME_TO_LIVE_S
            )
            pipe.expire(ids.fleet_key(self.queue), fleet.TIME_TO_LIVE_S)
            await pipe.execute()

    async def _leave(self) -> None:
        worker_id = ids.worker_id()
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.delete(*fleet.report_keys(worker_id))
            pipe.zrem(ids.fleet_key(self.queue), worker_id)
            await pipe.execute()

    async def _measure(self, *, lag_s: float) -> fleet.Beat:
        round_trip_s, offset_s, error_s = await self._read_clock()
        now, cpu_s = time.monotonic(), self._cpu_s()
        usage = self.pool.usage()
        before, cpu_s_before = self._measured
        used_s = max(0.0, cpu_s - cpu_s_before)
        self._measured = (now, cpu_s)
        return fleet.Beat(
            at=time.time(),
            jobs_running=max(0, COUNTS.running),
            jobs_done=COUNTS.done,
            jobs_failed=COUNTS.failed,
            cpu_s=time.process_time(),
            pool_cpu_s=usage.cpu_s,
            cpu_percent=100 * used_s / max(now - before, 1e-3),
            rss_bytes=psutil.Process().memory_info().rss + usage.rss_bytes,
            round_trip_s=round_trip_s,
            loop_lag_s=lag_s,
            clock_offset_s=offset_s,
            clock_error_s=error_s,
            stolen_s=stolen_s(),
        )

    async def _read_clock(self) -> tuple[float, float, float]:
        """This beat's quickest round trip; our clock − Redis's and its error, best of a minute."""
        quickest = math.inf
        for _ in range(ROUND_TRIPS):
            wall, before = time.time(), time.perf_counter()
            seconds, microseconds = await self.redis.time()
            took = time.perf_counter() - before
            if took < quickest:
                quickest = took
                reading = (took / 2, wall + took / 2 - (int(seconds) + int(microseconds) / 1e6))
        # why a minute: under load a reading waits for the event loop, and clocks drift slowly
        self._clocks = [*self._clocks[-_CLOCK_MEMORY + 1 :], reading]
        error_s, offset_s = min(self._clocks)
        return quickest, offset_s, error_s

    def _cpu_s(self) -> float:
        return time.process_time() + self.pool.usage().cpu_s

    async def _describe(self) -> fleet.WorkerDescription:
        server: dict[str, Any] = await self.redis.info("server")
        kind = "valkey" if "valkey_version" in server else "redis"
        loop = asyncio.get_running_loop()
        return fleet.WorkerDescription(
            worker_id=ids.worker_id(),
            host=socket.gethostname()[:300],
            pid=os.getpid(),
            queue=self.queue,
            started_at=time.time(),
            settings=self.settings,
            host_class=fleet.HostClass(
                cpu_model=await asyncio.to_thread(cpu_model),
                cores=usable_cores(),
                memory_bytes=psutil.virtual_memory().total,
            ),
            versions={
                "python": platform.python_version(),
                "arq": version("arq"),
                "redis-py": version("redis"),
                "server": f"{kind} {server.get(f'{kind}_version', '')}",
                "loadlab": _own_version(),
            },
            revision=await asyncio.to_thread(revision),
            loop=type(loop).__module__.partition(".")[0],
            functions=list(self.functions),
        )


async def _worst_lateness(*, over_s: float) -> float:
    """How late the event loop woke a ticking task at worst, over about this span."""
    loop = asyncio.get_running_loop()
    end, worst_s = loop.time() + over_s, 0.0
    while (now := loop.time()) < end:
        await asyncio.sleep(TICK_S)
        worst_s = max(worst_s, loop.time() - now - TICK_S)
    return worst_s


def stolen_s() -> float:
    """Seconds, the mean of all cores, that the hypervisor gave to others; 0 where none is told."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0) / (psutil.cpu_count() or 1))


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    try:
        for line in (
            Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        ):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()[:300]
    except OSError:
        pass  # not Linux
    return (platform.processor() or platform.machine())[:300]


def revision() -> str:
    """LOADLAB_REVISION, else the git commit of the working directory, else nothing."""
    given = environment("LOADLAB_REVISION")
    if given:
        return given[:300]
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()[:300]


def _own_version() -> str:
    try:
        return version("loadlab")
    except PackageNotFoundError:
        return ""  # run from a checkout that was never installed
