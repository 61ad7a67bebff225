"""Runs as a quiet arq worker would have carried them out: slots refill only at polls.

Their tasks are stored and evaluated by the product's own code, so their reports are real ones; only
the clock and the machine are made up. One run takes some tenths of a second, whatever its length.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Any

from runs.evaluate import evaluate
from runs.models import FleetSample, LoadTestConfiguration, LoadTestRun, TaskMetric
from runs.models.ingest import IncomingTask, ingest
from runs.states import RunStatus, TaskState
from workers.ids import task_id

OVERHEAD_S = 0.004
START_S = 0.0005
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What serves a simulated run."""

    slots: int = 30
    poll_delay_s: float = 0.5
    queue_read_limit: int = 150
    median_ms: float = 171.0
    p95_ms: float = 251.2
    revision: str = "9d2f31a"
    versions: dict[str, str] = field(
        default_factory=lambda: {
            "arq": "0.28.0",
            "python": "3.12.7",
            "redis-py": "5.3.1",
            "server": "valkey 9.1.0",
            "loadlab": "0.1.0",
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One simulated task; seconds since the run's start."""

    sequence: int
    sent_s: float
    started_s: float
    finished_s: float
    failed: bool


def simulated_run(
    configuration: LoadTestConfiguration,
    *,
    at: datetime,
    machine: Machine | None = None,
    seed: int = 0,
    failing: Sequence[int] = (),
    status: RunStatus = RunStatus.COMPLETED,
    came_back: int | None = None,
    **fields: Any,
) -> LoadTestRun:
    """An evaluated run of the configuration, started at `at`.

    `came_back`: of how many tasks there is a result; the others are cancelled, or lost.
    """
    machine = machine or Machine()
    tasks = list(simulated_tasks(configuration, machine=machine, seed=seed, failing=failing))
    run = begun_run(configuration, at=at, machine=machine, seed=seed, tasks=tasks, **fields)
    tasks = tasks[:came_back]
    end_s = max((task.finished_s for task in tasks), default=1.0)
    store(run, tasks, at=at)
    _look(run, tasks, at=at, end_s=end_s)
    if came_back is not None:
        missing = TaskState.CANCELLED if status is RunStatus.CANCELLED else TaskState.LOST
        TaskMetric.objects.account_for_rest(
            run_id=run.pk, up_to=configuration.num_tasks, state=missing
        )
    run.refresh_from_db()
    run.finished_at = at + timedelta(seconds=end_s + 0.2)
    evaluate(run, status=status)
    run.refresh_from_db()
    return run


def begun_run(
    configuration: LoadTestConfiguration,
    *,
    at: datetime,
    machine: Machine,
    seed: int,
    tasks: Sequence[Task],
    **fields: Any,
) -> LoadTestRun:
    """A run all of whose tasks are sent."""
    name = f"{random.Random(f'{configuration.pk} {seed} {at}').randrange(2**24):06x}"
    end_s = max(task.finished_s for task in tasks)
    run = LoadTestRun.objects.create(
        test_id=f"lt_{at:%Y%m%dT%H%M%S}_{name}",
        configuration=configuration,
        target_queue=configuration.target_queue,
        planned_count=configuration.num_tasks,
        status=RunStatus.RUNNING.value,
        started_at=at,
        sent_at=at + timedelta(seconds=max(task.sent_s for task in tasks)),
        deadline_at=at + timedelta(seconds=600 + configuration.arrivals.last_offset_s),
        fleet=[_worker(machine, at=at, end_s=end_s, done=len(tasks))],
        observed=_observed(len(tasks)),
        **fields,
    )
    LoadTestRun.objects.filter(pk=run.pk).update(created_at=at)
    return run


def store(run: LoadTestRun, tasks: Sequence[Task], *, at: datetime) -> None:
    """Their results, as the collector stores them."""
    origin_us = int(at.timestamp() * 1_000_000)
    ingest(run.pk, [_row(run, task, origin_us=origin_us) for task in tasks])


def simulated_tasks(
    configuration: LoadTestConfiguration,
    *,
    machine: Machine,
    seed: int = 0,
    failing: Sequence[int] = (),
) -> Iterator[Task]:
    """arq's loop: at each poll free slots take what has come, first in first out."""
    rng = random.Random(seed)
    total = configuration.num_tasks
    arrivals = configuration.arrivals
    sent = [arrivals.offset_s(n) + 0.001 for n in range(1, total + 1)]
    work = _work_s(total, machine=machine, rng=rng)
    poll, head, busy = rng.uniform(0.05, 0.95) * machine.poll_delay_s, 0, [0.0] * 0
    while head < total:
        busy = [end for end in busy if end > poll]
        began = poll
        while head < total and len(busy) < machine.slots and sent[head] <= poll:
            end = began + work[head] + OVERHEAD_S
            busy.append(end)
            yield Task(
                sequence=head + 1,
                sent_s=sent[head],
                started_s=began,
                finished_s=end,
                failed=head + 1 in failing,
            )
            head, began = head + 1, began + START_S
        poll += machine.poll_delay_s


def _work_s(total: int, *, machine: Machine, rng: random.Random) -> list[float]:
    sigma = math.log(machine.p95_ms / machine.median_ms) / 1.645
    work = [
        machine.median_ms / 1000 * math.exp(sigma * _NORMAL.inv_cdf((i + 0.5) / total))
        for i in range(total)
    ]
    rng.shuffle(work)
    return [each * rng.uniform(0.998, 1.002) for each in work]


def _row(run: LoadTestRun, task: Task, *, origin_us: int) -> IncomingTask:
    def us(seconds: float) -> int:
        return origin_us + round(seconds * 1000) * 1000  # arq stamps whole milliseconds

    state = TaskState.FAILED if task.failed else TaskState.COMPLETED
    took_ms = 1000 * (task.finished_s - task.started_s)
    return IncomingTask(
        task_id=task_id(run.test_id, task.sequence),
        run_id=run.pk,
        sequence=task.sequence,
        state=state.value,
        intended_us=us(task.sent_s - 0.001),
        enqueued_us=us(task.sent_s),
        started_us=us(task.started_s),
        finished_us=us(task.finished_s),
        retries=0,
        worker="worker-1:4127",
        metrics=None
        if task.failed
        else (
            f'{{"io_efficiency_percent": {97.5 + task.sequence % 17 / 10:.1f},'
            f' "total_io_time_ms": {2.4 * took_ms:.1f}, "elapsed_ms": {took_ms:.1f},'
            f' "parallel_speedup": {2.3 + task.sequence % 13 / 50:.2f}}}'
        ),
        error_type="ValueError" if task.failed else "",
        error_message="bad input" if task.failed else "",
        traceback=_TRACEBACK if task.failed else "",
    )


_TRACEBACK = """Traceback (most recent call last):
  File "/srv/shop/tasks.py", line 41, in send_confirmation
    address = parse(order["address"])
  File "/srv/shop/addresses.py", line 17, in parse
    raise ValueError("bad input")
ValueError: bad input
"""


def _look(run: LoadTestRun, tasks: Sequence[Task], *, at: datetime, end_s: float) -> None:
    """What the collector would have seen, once a second."""
    rng = random.Random(run.pk)
    samples = []
    for second in range(math.ceil(end_s)):
        now = second + 0.5
        samples.append(
            FleetSample(
                run=run,
                at=at + timedelta(seconds=now),
                queued=sum(task.sent_s <= now < task.started_s for task in tasks),
                running=sum(task.started_s <= now < task.finished_s for task in tasks),
                workers=1,
                worker_cpu_percent=round(8.2 + rng.uniform(-0.5, 0.5), 1),
                worker_rss_mb=round(61 + rng.uniform(0, 0.6), 1),
                redis_cpu_percent=round(1.3 + rng.uniform(-0.2, 0.3), 1),
            )
        )
    FleetSample.objects.bulk_create(samples)


def _worker(machine: Machine, *, at: datetime, end_s: float, done: int) -> dict[str, Any]:
    def beat(after_s: float, jobs: int) -> dict[str, Any]:
        return {
            "at": at.timestamp() + after_s,
            "jobs_running": 0,
            "jobs_done": jobs,
            "jobs_failed": 0,
            "cpu_s": 1.0 + 0.0012 * jobs,
            "pool_cpu_s": 0.0,
            "cpu_percent": 8.0,
            "rss_bytes": 61_000_000,
            "round_trip_s": 0.00005,
            "loop_lag_s": 0.001,
            "clock_offset_s": 0.0,
            "clock_error_s": 0.0003,
        }

    return {
        "worker_id": "worker-1:4127",
        "host": "worker-1",
        "pid": 4127,
        "queue": "load_test",
        "started_at": at.timestamp() - 3600,
        "settings": {
            "max_jobs": machine.slots,
            "poll_delay_s": machine.poll_delay_s,
            "queue_read_limit": machine.queue_read_limit,
            "job_timeout_s": 600.0,
            "keep_result_s": 3600.0,
            "max_tries": 5,
            "pool_processes": 2,
            "health_check_interval_s": 10.0,
            "keep_result_forever": False,
            "allow_abort_jobs": True,
            "retries_os_errors": True,
            "in_progress_timeout_s": 610.0,
        },
        "host_class": {
            "cpu_model": "AMD EPYC 9B14",
            "cores": 2,
            "memory_bytes": 24 * 2**30,
        },
        "versions": dict(machine.versions),
        "revision": machine.revision,
        "loop": "uvloop",
        "functions": ["io_simulation_task"],
        "first_beat": beat(0.1, 0),
        "beat": beat(end_s, done),
        "round_trips_s": [0.00005] * 5,
        "worst_loop_lag_s": 0.001,
    }


def _observed(tasks: int) -> dict[str, Any]:
    return {
        "sender_clock_offset_s": 0.0,
        "sender_clock_error_s": 0.0001,
        "redis_cpu_s_at_start": 10.0,
        "redis_cpu_s_at_end": 10.0 + 0.00021 * tasks,
        "redis_commands_at_start": 1_000,
        "redis_commands_at_end": 1_000 + 9 * tasks,
        "observer_commands": tasks // 6,
        "foreign_jobs_before": 0,
        "foreign_jobs_during": 0,
        "shares_host": True,
        "server_kind": "valkey",
        "server_version": "9.1.0",
    }


def days_ago(days: float, *, hour: int = 2, minute: int = 0) -> datetime:
    """An instant some days before today, at an hour of that day."""
    day = datetime.now(tz=UTC) - timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=3, microsecond=0)
