"""How fast is loadlab at sending and collecting, beside the obvious way of doing each?

Sending: the whole dispatch path (claim, cursor, script, progress in PostgreSQL) against sequential
`enqueue_job`. Collecting: the whole collect path (MGET, decode, COPY, count, delete) against
`all_job_results` and `bulk_create`. Both in turn, several rounds; medians and the ratio. The rate
of `enqueue_job` is taken from fewer tasks, for it does not depend on how many there are.

    .venv/bin/python bench/dispatch_and_collect.py [--tasks 100000] [--rounds 5] [--memory 1000000]
"""

import argparse
import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

FOLDER = Path(__file__).resolve().parent.parent


def main() -> None:
    """Measure in servers of our own, in a folder that is removed afterwards."""
    options = _options()
    if options.memory_of:
        _set_up()
        asyncio.run(_send_once(options.memory_of))
        return
    folder = tempfile.mkdtemp(prefix="loadlab-bench-", dir="/tmp")
    os.environ |= {"LOADLAB_VAR": folder, "DATABASE_URL": "", "REDIS_URL": ""}
    try:
        _set_up()
        asyncio.run(_measure(options.tasks, rounds=options.rounds))
        if options.memory:
            _memory(options.memory)
    finally:
        from loadlab import embedded

        embedded.stop()
        shutil.rmtree(folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, default=1_000_000, help="0 leaves it out")
    parser.add_argument("--memory-of", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "loadlab.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


async def _measure(tasks: int, *, rounds: int) -> None:
    rates: dict[str, list[float]] = {"dispatch": [], "enqueue_job": [], "collect": [], "naive": []}
    for turn in range(rounds):
        for name, measure in (
            ("dispatch", _dispatch),
            ("enqueue_job", _enqueue_one_by_one),
            ("collect", _collect),
            ("naive", _collect_naively),
        ):
            rates[name].append(await measure(tasks))
            print(f"round {turn + 1}: {name:12} {rates[name][-1]:>9.0f}/s", flush=True)
    middle = {name: median(values) for name, values in rates.items()}
    print(f"\nsending {tasks} noop tasks, medians of {rounds} interleaved rounds")
    print(
        f"  loadlab {middle['dispatch']:.0f}/s, enqueue_job {middle['enqueue_job']:.0f}/s:", end=""
    )
    print(f" {middle['dispatch'] / middle['enqueue_job']:.1f} times (aim: 20)")
    print(f"collecting {tasks} results into PostgreSQL")
    print(f"  loadlab {middle['collect']:.0f}/s, all_job_results + bulk_create", end="")
    print(f" {middle['naive']:.0f}/s: {middle['collect'] / middle['naive']:.1f} times (aim: 5)")


async def _dispatch(tasks: int) -> float:
    """Tasks per second of the whole dispatch path."""
    from workers.client import QueueClient

    run = await _claimed(tasks)
    async with QueueClient.connect() as client:
        took = await _timed(lambda: _dispatched(run, client))
    await _forget(run)
    return tasks / took


async def _enqueue_one_by_one(tasks: int) -> float:
    """Tasks per second of awaiting `enqueue_job` in a loop."""
    from arq import create_pool

    from workers import codec
    from workers.settings import redis_settings

    some = max(1, tasks // 20)
    pool = await create_pool(redis_settings(), job_serializer=codec.dumps)

    async def send() -> None:
        for number in range(some):
            await pool.enqueue_job("noop", _job_id=f"bench-{number:07d}", seed=0)

    took = await _timed(send)
    await pool.flushall()
    await pool.aclose()
    return some / took


async def _collect(tasks: int) -> float:
    """Results per second of the whole collect path."""
    from asgiref.sync import sync_to_async

    from runs.collect import collect
    from runs.models import LoadTestRun
    from workers.client import QueueClient

    run = await _claimed(tasks)
    async with QueueClient.connect() as client:
        await _dispatched(run, client)
        await _answer_all(run, client)
        await sync_to_async(LoadTestRun.objects.claim_to_collect)(owner="bench", only=run.pk)
        took = await _timed(lambda: collect(run, client=client, owner="bench"))
    await sync_to_async(run.refresh_from_db)()
    assert run.completed_count == tasks, run.completed_count
    await _forget(run)
    return tasks / took


async def _collect_naively(tasks: int) -> float:
    """Results per second of `all_job_results` and one `bulk_create`."""
    from arq import create_pool
    from asgiref.sync import sync_to_async

    from runs.models import TaskMetric
    from workers import codec
    from workers.client import QueueClient
    from workers.settings import redis_settings

    some = max(1, tasks // 5)
    run = await _claimed(some)
    async with QueueClient.connect() as client:
        await _dispatched(run, client)
        await _answer_all(run, client)
    pool = await create_pool(redis_settings(), job_deserializer=codec.loads)

    async def read_and_store() -> None:
        results = await pool.all_job_results()
        rows = [
            TaskMetric(
                task_id=result.job_id,
                run=run,
                sequence=int(result.job_id[-7:]),
                state="completed",
                enqueued_at=result.enqueue_time,
                started_at=result.start_time,
                finished_at=result.finish_time,
                metrics=result.result,
            )
            for result in results
        ]
        await sync_to_async(TaskMetric.objects.bulk_create)(rows, batch_size=1000)
        await pool.delete(*(f"arq:result:{row.task_id}" for row in rows))

    took = await _timed(read_and_store)
    await pool.aclose()
    await _forget(run)
    return some / took


async def _claimed(tasks: int):
    from asgiref.sync import sync_to_async

    from runs.models import LoadTestRun
    from runs.spec import Spec
    from runs.start import start_runs

    spec = Spec(task_type="noop", num_tasks=tasks, batch_size=500)
    [run] = await sync_to_async(start_runs)(spec=spec, held_by="bench")
    return await sync_to_async(LoadTestRun.objects.claim_to_dispatch)(owner="bench", only=run.pk)


async def _dispatched(run, client) -> None:
    from runs.dispatch import dispatch

    await dispatch(run, client=client, owner="bench")


async def _answer_all(run, client) -> None:
    """Write every result as a worker would, and empty the queue."""
    from workers import codec
    from workers.ids import task_id

    now = time.time_ns() // 1_000_000
    for start in range(1, run.planned_count + 1, 1000):
        pipe = client._redis.pipeline(transaction=False)
        for sequence in range(start, min(start + 1000, run.planned_count + 1)):
            name = task_id(run.test_id, sequence)
            result = {
                "t": 1, "f": "noop", "a": (), "k": {"seed": 0}, "et": now, "s": True,
                "r": {"slept_ms": 1.5}, "st": now + sequence, "ft": now + sequence + 1,
                "q": "arq:queue:load_test", "id": name,
            }  # fmt: skip
            pipe.set(f"arq:result:{name}", codec.dumps(result), px=3_600_000)
            pipe.delete(f"arq:job:{name}")
        await pipe.execute()
    await client._redis.delete("arq:queue:load_test")


async def _forget(run) -> None:
    from asgiref.sync import sync_to_async
    from redis.asyncio import Redis

    from workers.settings import redis_url

    def delete() -> None:
        run.tasks.all().delete()
        type(run).objects.filter(pk=run.pk).update(status="cancelled")

    await sync_to_async(delete)()
    async with Redis.from_url(redis_url()) as redis:
        await redis.flushall()


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def _send_once(tasks: int) -> None:
    """In a process of its own: how much the sending process grew, in MiB."""
    small = await _claimed(1_000)
    from workers.client import QueueClient

    async with QueueClient.connect() as client:
        await _dispatched(small, client)
        await _forget(small)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        run = await _claimed(tasks)
        await _dispatched(run, client)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"sending {tasks} tasks grew the process by {grown:.1f} MiB (aim: at most 64)")
    await _forget(run)


def _memory(tasks: int) -> None:
    command = [sys.executable, __file__, "--memory-of", str(tasks)]
    subprocess.run(command, check=True, cwd=FOLDER, timeout=600)


if __name__ == "__main__":
    main()
