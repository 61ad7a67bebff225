"""Where does CPU and memory work run? In child processes, one per core, one task at a time each.

In the event loop such work would stop every other task (measured: threads make the loop 191 ms
late at p99, a pool 5 ms), and figures of a whole process mean something only where it runs one
task. A child is started when the first task needs it. It ends with the end of its standard input,
so none outlives its worker, however that ended. A task that is cancelled ends its child with it.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import psutil

from workers import failures
from workers.errors import PoolBroken
from workers.settings import CHECKOUT

CONTEXT_KEY = "process_pool"
LENGTH_BYTES = 4
MAX_ANSWER_BYTES = 64 * 2**20

_CLOSE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a function returned, and how long its task waited until a child took it."""

    value: dict[str, Any]
    wait_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUsage:
    """CPU seconds of all children since the pool's start, resident memory of those alive."""

    cpu_s: float
    rss_bytes: int


def usable_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pool_of(ctx: Mapping[Any, Any]) -> "ProcessPool":
    """The pool of the worker that runs this task."""
    pool = ctx.get(CONTEXT_KEY)
    if not isinstance(pool, ProcessPool):
        raise PoolBroken(
            "This worker has no process pool: run a settings class of workers.queues, "
            "or set block_event_loop=true."
        )
    return pool


async def run_apart(
    ctx: Mapping[Any, Any],
    function: Callable[..., dict[str, Any]],
    *,
    block_event_loop: bool,
    parameters: Mapping[str, Any],
) -> dict[str, Any]:
    """The function's metrics with `pool_wait_ms`; run in the event loop where that is asked for."""
    if block_event_loop:
        return {**function(**parameters), "pool_wait_ms": 0.0}
    done = await pool_of(ctx).run(function, parameters)
    return {**done.value, "pool_wait_ms": done.wait_ms}


class ProcessPool:
    """Child processes that run importable functions: `processes` at a time, in the order asked."""

    def __init__(self, *, processes: int | None = None) -> None:
        self.processes = processes or usable_cores()
        self._free = asyncio.Semaphore(self.processes)
        self._idle: list[asyncio.subprocess.Process] = []
        self._alive: dict[int, psutil.Process] = {}
        self._cpu_s_of_the_dead = 0.0

    async def run(
        self, function: Callable[..., dict[str, Any]], parameters: Mapping[str, Any]
    ) -> Done:
        """Run a module's function in a child; its exception comes back as RemoteJobError."""
        asked = time.perf_counter()
        async with self._free:
            child = self._idle.pop() if self._idle else await self._start()
            wait_ms = (time.perf_counter() - asked) * 1000
            try:
                answer = await _call(child, function, parameters)
            except BaseException:
                # why: cancelled or broken, the child is in the middle of something
                self._end(child)
                raise
            self._idle.append(child)
        if "error" in answer:
            raise failures.unpack(memoryview(answer["error"]))
        return Done(value=answer["value"], wait_ms=wait_ms)

    def usage(self) -> PoolUsage:
        """What the children have used."""
        cpu_s, rss_bytes = self._cpu_s_of_the_dead, 0
        for process in self._alive.values():
            try:
                cpu_s += _cpu_s(process)
                rss_bytes += process.memory_info().rss
            except psutil.Error:
                continue  # it has just ended
        return PoolUsage(cpu_s=cpu_s, rss_bytes=rss_bytes)

    async def close(self) -> None:
        """Let the idle children end, and wait for them."""
        while self._idle:
            child = self._idle.pop()
            assert child.stdin is not None  # noqa: S101 - made with a pipe
            child.stdin.close()
            try:
                await asyncio.wait_for(child.wait(), _CLOSE_S)
            except TimeoutError:
                child.kill()
                await child.wait()
            self._alive.pop(child.pid, None)

    async def _start(self) -> asyncio.subprocess.Process:
        path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH", ""))))
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workers.pool_child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # why: Ctrl-C is for the worker, which ends its children
        )
        self._alive[child.pid] = psutil.Process(child.pid)
        return child

    def _end(self, child: asyncio.subprocess.Process) -> None:
        process = self._alive.pop(child.pid, None)
        try:
            if process is not None:
                self._cpu_s_of_the_dead += _cpu_s(process)
            child.kill()
        except (psutil.Error, ProcessLookupError):
            pass  # it has ended by itself


async def _call(
    child: asyncio.subprocess.Process,
    function: Callable[..., dict[str, Any]],
    parameters: Mapping[str, Any],
) -> dict[str, Any]:
    assert child.stdin is not None  # noqa: S101 - made with pipes
    assert child.stdout is not None  # noqa: S101
    request = msgspec.msgpack.encode(
        {"module": function.__module__, "name": function.__qualname__, "parameters": parameters}
    )
    try:
        child.stdin.write(len(request).to_bytes(LENGTH_BYTES, "big") + request)
        await child.stdin.drain()
        length = int.from_bytes(await child.stdout.readexactly(LENGTH_BYTES), "big")
        if length > MAX_ANSWER_BYTES:
            raise PoolBroken(f"A pool process answered {length} bytes: return less from the task.")
        answer: dict[str, Any] = msgspec.msgpack.decode(await child.stdout.readexactly(length))
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        code = await child.wait()
        raise PoolBroken(
            f"A pool process ended with code {code} while it worked on a task: "
            "look for a lack of memory or a crash in native code."
        ) from error
    return answer


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
