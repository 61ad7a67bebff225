"""CPU and memory work leaves the event loop: one task at a time in each child process."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest

from workers.errors import PoolBroken, RemoteJobError
from workers.pool import CONTEXT_KEY, ProcessPool, run_apart, usable_cores
from workers.tasks import cpu, memory

TINY = {"fibonacci_n": 5, "primes_below": 10, "series_terms": 5, "string_rounds": 1}


# Functions that a child imports by this module's name.


def pid_of_the_child() -> dict[str, Any]:
    return {"pid": os.getpid()}


def hold(*, seconds: float) -> dict[str, Any]:
    started = time.monotonic()
    time.sleep(seconds)
    return {"from": started, "to": time.monotonic(), "pid": os.getpid()}


def speak() -> dict[str, Any]:
    print("a line that must not land among the answers")  # noqa: T201 - that it prints is the point
    return {"spoken": True}


def fail() -> dict[str, Any]:
    raise ValueError("bad input")


def die() -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


@pytest.fixture
async def pool(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ProcessPool]:
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))  # noqa: PTH120
    made = ProcessPool(processes=2)
    yield made
    await made.close()
    assert not made._alive


async def test_a_child_is_started_when_needed_and_used_again(pool: ProcessPool) -> None:
    assert pool.usage().rss_bytes == 0
    first = await pool.run(pid_of_the_child, {})
    again = await pool.run(pid_of_the_child, {})
    assert first.value["pid"] == again.value["pid"] != os.getpid()
    assert pool.usage().rss_bytes > 0
    assert pool.usage().cpu_s > 0


async def test_each_child_runs_one_task_at_a_time(pool: ProcessPool) -> None:
    done = await asyncio.gather(*(pool.run(hold, {"seconds": 0.05}) for _ in range(6)))
    by_child: dict[int, list[tuple[float, float]]] = {}
    for each in done:
        by_child.setdefault(each.value["pid"], []).append((each.value["from"], each.value["to"]))
    assert len(by_child) == 2
    for spans in by_child.values():
        ordered = sorted(spans)
        assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(ordered))
    # the last had to wait until two before it in its child were done
    assert max(each.wait_ms for each in done) >= 2 * 45


async def test_the_event_loop_stays_free(pool: ProcessPool) -> None:
    work = asyncio.create_task(pool.run(hold, {"seconds": 0.3}))
    ticks = 0
    while not work.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks > 5


async def test_what_a_task_prints_stays_out_of_the_way(pool: ProcessPool) -> None:
    assert (await pool.run(speak, {})).value == {"spoken": True}
    assert (await pool.run(speak, {})).value == {"spoken": True}


async def test_an_exception_in_a_child_is_the_tasks_own(pool: ProcessPool) -> None:
    with pytest.raises(RemoteJobError, match="ValueError: bad input") as failed:
        await pool.run(fail, {})
    assert "in fail" in failed.value.traceback
    assert (await pool.run(speak, {})).value == {"spoken": True}


async def test_a_child_that_dies_is_replaced(pool: ProcessPool) -> None:
    with pytest.raises(PoolBroken, match="ended with code -9"):
        await pool.run(die, {})
    assert (await pool.run(speak, {})).value == {"spoken": True}


async def test_cancelling_a_task_ends_its_work(pool: ProcessPool) -> None:
    pid = (await pool.run(pid_of_the_child, {})).value["pid"]
    work = asyncio.create_task(pool.run(hold, {"seconds": 60}))
    await asyncio.sleep(0.05)
    used = pool.usage().cpu_s
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert pool.usage().cpu_s >= used  # what it had used is not forgotten
    assert (await pool.run(speak, {})).value == {"spoken": True}


async def test_a_cancelled_wait_leaves_the_pool_whole(pool: ProcessPool) -> None:
    busy = [asyncio.create_task(pool.run(hold, {"seconds": 0.2})) for _ in range(2)]
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(pool.run(hold, {"seconds": 60}))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.gather(*busy)
    assert (await pool.run(speak, {})).value == {"spoken": True}


async def test_the_tasks_measure_in_the_child(pool: ProcessPool) -> None:
    ctx = {CONTEXT_KEY: pool}
    computed = await cpu.cpu_intensive(ctx, **TINY, seed=0)  # type: ignore[arg-type]
    allocated = await memory.memory_operations(ctx, structure_mb=0.2, entries=5, objects=4, seed=0)
    assert computed["fibonacci_result"] == 5
    assert computed["pool_wait_ms"] >= 0
    assert allocated["gc_collections"] >= 1
    again = await memory.memory_operations(ctx, structure_mb=0.2, entries=5, objects=4, seed=0)
    for figure in ("allocations_count", "estimated_peak_memory_mb"):
        assert again[figure] == allocated[figure]


async def test_without_a_pool_the_sentence_says_what_to_do() -> None:
    with pytest.raises(PoolBroken, match="block_event_loop=true"):
        await run_apart({}, speak, block_event_loop=False, parameters={})


def test_one_child_per_usable_core() -> None:
    assert ProcessPool().processes == usable_cores() >= 1
