"""What does our worker cost? Drains no-ops with it and with a bare arq worker, in turn.

    python bench/worker_drain.py [--tasks 20000] [--rounds 5]

Both are run by arq's own command line with equal settings (30 slots, a poll every 10 ms that reads
1000 ids, aborts allowed, msgpack by msgspec, quiet logs) against a Valkey of their own. The bare
one has a bare no-op and no hooks; ours has everything: heartbeats, the worker's name in each
result, counted tasks, pipelines that bear outages. The rate is tasks / (last finish − first start),
by the worker's own stamps, so starting up is not in it. Printed: the median of each and the ratio.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from arq.worker import func

from workers.client import MAX_PER_CALL, Batch, QueueClient
from workers.codec import TaskResult
from workers.ids import task_id
from workers.queues.serving import HEALTH_CHECK_INTERVAL_S, JOB_COMPLETION_WAIT_S
from workers.settings import queue_key, queue_settings, redis_settings

QUEUE = "load_test"
SETTINGS = {
    "LOADLAB_QUEUE_LOAD_TEST_MAX_JOBS": "30",
    "LOADLAB_QUEUE_LOAD_TEST_POLL_DELAY": "10ms",
    "LOADLAB_QUEUE_LOAD_TEST_QUEUE_READ_LIMIT": "1000",
}
QUIET: dict[str, Any] = {"version": 1, "loggers": {"arq": {"level": "CRITICAL"}}}
WORKERS = {
    "bare arq worker": "worker_drain.BareSettings",
    "loadlab worker": "workers.queues.load_test.WorkerSettings",
}


async def bare_noop(_ctx: dict[Any, Any], **_kwargs: object) -> None:
    """Nothing at all."""


class BareSettings:
    """A worker with nothing of ours but the settings."""

    _settings = queue_settings(QUEUE)
    functions = (func(bare_noop, name="noop"),)  # type: ignore[arg-type]
    queue_name = queue_key(QUEUE)
    redis_settings = redis_settings()
    max_jobs = _settings.max_jobs
    poll_delay = _settings.poll_delay_s
    queue_read_limit = _settings.queue_read_limit
    job_timeout = _settings.job_timeout_s
    keep_result = _settings.keep_result_s
    health_check_interval = HEALTH_CHECK_INTERVAL_S
    job_completion_wait = JOB_COMPLETION_WAIT_S
    allow_abort_jobs = True
    job_serializer = msgspec.msgpack.encode
    job_deserializer = msgspec.msgpack.decode


def main() -> None:
    """Alternate the two workers and print what they drain."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    # why here and not in tempfile's own place: the path of a unix socket holds 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="loadlab-bench-", dir="/tmp"))
    os.environ |= {"LOADLAB_VAR": str(folder), "REDIS_URL": "", **SETTINGS}
    from loadlab import embedded

    try:
        rates = _measure(tasks=asked.tasks, rounds=asked.rounds)
    finally:
        embedded.stop()
        shutil.rmtree(folder)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, found in rates.items():
        spread = f"{min(found):.0f} to {max(found):.0f}"
        print(f"{name:16} {medians[name]:7.0f} tasks/s   ({spread}, {len(found)} rounds)")
    bare, ours = medians.values()
    print(f"ratio            {ours / bare:7.3f}           (wanted: at least 0.95)")


def _measure(*, tasks: int, rounds: int) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in WORKERS}
    for number in range(rounds):
        # why A B B A: a machine that slows down slows both
        order = list(WORKERS) if number % 2 == 0 else list(reversed(WORKERS))
        for name in order:
            rates[name].append(_drain(WORKERS[name], tasks=tasks))
            print(f"round {number + 1}: {name} {rates[name][-1]:.0f} tasks/s", file=sys.stderr)
    return rates


def _drain(settings: str, *, tasks: int) -> float:
    run = f"lt_{time.time_ns()}"
    asyncio.run(_send(run, tasks=tasks))
    here = str(Path(__file__).parent)
    subprocess.run(
        [
            *(str(Path(sys.executable).with_name("arq")), settings, "--burst"),
            *("--custom-log-dict", "worker_drain.QUIET"),
        ],
        check=True,
        env={**os.environ, "PYTHONPATH": here},
    )
    return asyncio.run(_rate(run, tasks=tasks))


async def _send(run: str, *, tasks: int) -> None:
    async with QueueClient.connect() as client:
        await client.open_cursor(run, ttl_s=3600)
        for first in range(1, tasks + 1, MAX_PER_CALL):
            await client.send_batch(
                Batch(
                    test_id=run,
                    queue=QUEUE,
                    first=first,
                    count=min(MAX_PER_CALL, tasks + 1 - first),
                    function="noop",
                    kwargs={"seed": 0},
                    enqueued_ms=int(time.time() * 1000),
                    expires_ms=3_600_000,
                    cursor_ttl_s=3600,
                )
            )


async def _rate(run: str, *, tasks: int) -> float:
    started, finished = [], []
    async with QueueClient.connect() as client:
        for first in range(1, tasks + 1, MAX_PER_CALL):
            ids = [task_id(run, n) for n in range(first, min(first + MAX_PER_CALL, tasks + 1))]
            for result in await client.results(ids):
                if not isinstance(result, TaskResult) or not result.success:
                    raise SystemExit(f"a no-op did not succeed: {result}")
                started.append(result.started_ms)
                finished.append(result.finished_ms)
            await client.purge(QUEUE, ids)
        await client.forget_run(run)
    return tasks / (max(finished) - min(started)) * 1000


if __name__ == "__main__":
    main()
