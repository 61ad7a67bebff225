"""A worker process from its first heartbeat to its last, through outages, signals and kills."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from own_valkey import OwnValkey
from working import RUN, batch, executions, ids, until

from workers import running
from workers.client import QueueClient
from workers.codec import TaskResult
from workers.errors import WorkerStartError
from workers.heartbeat import stolen_s
from workers.ids import beat_key, description_key, fleet_key
from workers.running import WorkerProcess, local_workers


@pytest.fixture(autouse=True)
def own_task_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes know the counting task and poll often."""
    monkeypatch.setenv("LOADLAB_TASK_MODULES", "counting_tasks")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setenv("LOADLAB_QUEUE_LOAD_TEST_POLL_DELAY", "20ms")


def pid_of(worker_id: str) -> int:
    return int(worker_id.split(":")[1])


async def send(client: QueueClient, count: int, *, hold_ms: float = 0.0) -> None:
    await client.open_cursor(RUN, ttl_s=600)
    for first in range(1, count + 1, 500):
        part = batch(first, min(500, count + 1 - first), function="count_executions")
        await client.send_batch(replace(part, kwargs={"hold_ms": hold_ms, "seed": 0}))


async def all_done(client: QueueClient, count: int) -> bool:
    done = 0
    for first in range(1, count + 1, 500):
        results = await client.results(ids(first, min(first + 499, count)))
        done += sum(result is not None for result in results)
    return done == count


async def test_workers_report_and_leave(client: QueueClient) -> None:
    async with local_workers("load_test", 2) as worker_ids:
        reports = await client.fleet("load_test")
        assert {report.description.worker_id for report in reports} == set(worker_ids)
        description = reports[0].description
        assert description.queue == "load_test"
        assert description.settings.max_jobs == 30
        assert description.settings.poll_delay_s == 0.02
        assert description.settings.queue_read_limit == 150
        assert description.settings.in_progress_timeout_s == 610
        assert description.settings.retries_os_errors
        assert description.versions.keys() == {"python", "arq", "redis-py", "server", "loadlab"}
        assert description.versions["server"].startswith("valkey ")
        assert "count_executions" in description.functions
        assert description.host_class.cores >= 1
        assert await client.fleet("media") == []
        await send(client, 40)
        await until(lambda: all_done(client, 40))

        async def counted() -> bool:
            return sum(r.beat.jobs_done for r in await client.fleet("load_test")) == 40

        await until(counted)
        beat = (await client.fleet("load_test"))[0].beat
        assert beat.cpu_s > 0
        assert beat.rss_bytes > 1_000_000
        assert 0 < beat.round_trip_s < 1
        assert 0 <= beat.stolen_s <= stolen_s()
        assert abs(beat.clock_offset_s) <= beat.clock_error_s + 0.001
    assert await client.fleet("load_test") == []
    for worker_id in worker_ids:
        assert not psutil.pid_exists(pid_of(worker_id))
        keys = (description_key(worker_id), beat_key(worker_id), fleet_key("load_test"))
        assert await client._ask("EXISTS", *keys) == 0


async def test_a_flushed_redis_hears_of_the_workers_again(client: QueueClient) -> None:
    async with local_workers("load_test", 1) as worker_ids:
        await client._ask("FLUSHALL")

        async def reported() -> bool:
            fleet = await client.fleet("load_test")
            return [report.description.worker_id for report in fleet] == list(worker_ids)

        await until(reported)


async def test_a_forged_report_is_no_worker(client: QueueClient) -> None:
    await client._ask("ZADD", fleet_key("load_test"), time.time(), "forged")
    await client._ask("SET", description_key("forged"), b'{"worker_id": "forged"}')
    await client._ask("SET", beat_key("forged"), b"\xff")
    assert await client.fleet("load_test") == []


async def test_a_worker_that_cannot_start_says_why(
    client: QueueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOADLAB_TASK_MODULES", "no_such_tasks")
    with pytest.raises(WorkerStartError, match=r"code 1 before.*names 'no_such_tasks'"):
        async with local_workers("load_test", 1):
            pass


async def test_sigterm_lets_quick_tasks_finish_and_leaves_the_rest(client: QueueClient) -> None:
    await send(client, 100, hold_ms=300)
    worker = WorkerProcess.start("load_test")
    try:

        async def slots_are_full() -> bool:
            return (await client.depth("load_test")).running == 30

        await until(slots_are_full)
        worker.ask_to_stop()
        assert await asyncio.to_thread(worker.popen.wait, 20) == 0
    finally:
        worker.end()
    executed = await executions(client, ids(1, 100))
    results = await client.results(ids(1, 100))
    # what was begun was finished, and what was not begun is still on the queue
    assert [result is not None for result in results] == [count == 1 for count in executed]
    assert await client.queued("load_test", ids(1, 100)) == [count == 0 for count in executed]
    assert (await client.depth("load_test")).running == 0
    assert 30 <= sum(executed) < 100


async def test_a_worker_ends_when_its_starter_is_killed(client: QueueClient) -> None:
    code = (
        "import asyncio\n"
        "from workers.running import local_workers\n"
        "async def main():\n"
        "    async with local_workers('load_test', 2) as ids:\n"
        "        print(*ids, flush=True)\n"
        "        await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    pids = [pid_of(worker_id) for worker_id in (await starter.stdout.readline()).decode().split()]
    assert len(pids) == 2
    starter.kill()
    await starter.wait()

    async def gone() -> bool:
        return not any(psutil.pid_exists(pid) for pid in pids)

    await until(gone)


async def test_a_worker_waits_for_a_redis_that_is_not_there_yet(own_valkey: OwnValkey) -> None:
    own_valkey.stop()
    worker = WorkerProcess.start("load_test")
    try:
        await asyncio.sleep(1)
        assert worker.popen.poll() is None
        own_valkey.start()
        async with QueueClient.connect() as client:

            async def reported() -> bool:
                return len(await client.fleet("load_test")) == 1

            await until(reported)
    finally:
        worker.end()


async def test_a_stubborn_worker_is_killed(
    client: QueueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "STOP_S", 0.2)
    async with local_workers("load_test", 1) as (worker_id,):
        os.kill(pid_of(worker_id), signal.SIGSTOP)
    assert not psutil.pid_exists(pid_of(worker_id))


async def outlive(own: OwnValkey, *, tasks: int, outage: str) -> list[int]:
    """Flood a worker, take its Redis away for two seconds in the middle; executions per task."""
    async with QueueClient.connect() as client, local_workers("load_test", 1) as (worker_id,):
        await send(client, tasks)

        async def under_way() -> bool:
            return sum(await executions(client, ids(1, 500))) > 100

        await until(under_way)
        pid = own.pid
        os.kill(pid, signal.SIGSTOP if outage == "frozen" else signal.SIGKILL)
        await asyncio.sleep(2)
        if outage == "frozen":
            os.kill(pid, signal.SIGCONT)
        else:
            await asyncio.to_thread(own.start)
        assert psutil.pid_exists(pid_of(worker_id))
        await until(lambda: all_done(client, tasks), within_s=60)
        counts = []
        for first in range(1, tasks + 1, 500):
            results = await client.results(ids(first, min(first + 499, tasks)))
            assert all(isinstance(result, TaskResult) and result.success for result in results)
            counts += await executions(client, ids(first, min(first + 499, tasks)))
        assert [r.description.worker_id for r in await client.fleet("load_test")] == [worker_id]
        return counts


async def test_a_flooded_worker_outlives_a_redis_that_freezes(own_valkey: OwnValkey) -> None:
    assert await outlive(own_valkey, tasks=1_500, outage="frozen") == [1] * 1_500


async def test_a_flooded_worker_outlives_a_redis_that_is_killed(own_valkey: OwnValkey) -> None:
    counts = await outlive(own_valkey, tasks=1_500, outage="killed")
    # an INCR whose answer was lost is sent again, so one in flight may count double
    assert all(count >= 1 for count in counts)
    assert sum(counts) <= 1_500 + 30
