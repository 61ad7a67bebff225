"""What does it cost to judge a run of a million tasks? CPU seconds and peak memory.

    python bench/evaluate_million.py [--tasks 1000000] [--type sleep] [--workers 3]

The rows are made in PostgreSQL by one statement: waves of arq's polls, lognormal times of 0.17 s,
one task in a thousand failed. Then a process of its own judges the run as the product does,
`runs.evaluate`: rows in, report stored. Another takes the same way in its parts, so that reading
the rows and the pure core are seen apart. Peak memory is the whole process's, Django and numpy
included; CPU is this process's, PostgreSQL's is printed beside it.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from _real_runs import own_servers

MOST_CPU_S, MOST_MIB = 3.0, 512.0
ORIGIN = datetime(2026, 11, 23, 9, 45, tzinfo=UTC)
SLOTS, POLL_DELAY_S = 30, 0.5
METRICS = {"sleep": ("slept_ms", "overshoot_ms"), "noop": ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a part of the way took."""

    name: str
    cpu_s: float
    wall_s: float
    database_cpu_s: float

    @property
    def line(self) -> str:
        """For people."""
        return (
            f"  {self.name:34} {self.cpu_s:6.2f} s CPU {self.wall_s:6.2f} s wall"
            f"  (PostgreSQL {self.database_cpu_s:5.2f} s CPU)"
        )


def main() -> int:
    """Fill, judge, print."""
    options = _options()
    with own_servers():
        run_id = _filled(tasks=options.tasks, task_type=options.type, workers=options.workers)
        _close()  # a forked connection is nobody's; children are spawned and open their own
        whole, peak = _apart(_judge_whole, run_id)
        parts, peak_of_parts = _apart(_judge_in_parts, run_id)
    print(f"\njudging a run of {options.tasks} tasks of {options.type}, {options.workers} workers")
    for each in (*whole, *parts):
        print(each.line)
    print(f"  peak memory {peak:.0f} MiB, in parts {peak_of_parts:.0f} MiB")
    held = whole[0].cpu_s <= MOST_CPU_S and peak <= MOST_MIB
    print(
        f"runs.evaluate: {whole[0].cpu_s:.2f} s of CPU (aim {MOST_CPU_S:.0f}), {peak:.0f} MiB"
        f" (aim {MOST_MIB:.0f}): {'held' if held else 'MISSED'}"
    )
    return 0


def _filled(*, tasks: int, task_type: str, workers: int) -> int:
    """A run whose tasks are all accounted for, as the collector leaves it."""
    from django.db import connection

    from runs.models import LoadTestConfiguration, LoadTestRun
    from runs.models.run import new_test_id
    from runs.states import RunStatus

    lasts_s = tasks / (SLOTS * workers) * POLL_DELAY_S + 10
    configuration = LoadTestConfiguration.objects.holding(
        task_type=task_type,
        parameters={},
        num_tasks=tasks,
        batch_size=500,
        delay_ms=0.0,
        rate_per_s=None,
        duration_s=None,
        arrival="batches",
        seed=0,
        target="default",
        target_queue="load_test",
    )
    failed = tasks // 1000
    run = LoadTestRun.objects.create(
        test_id=new_test_id(),
        configuration=configuration,
        target_queue="load_test",
        planned_count=tasks,
        sent_count=tasks,
        completed_count=tasks - failed,
        failed_count=failed,
        status=RunStatus.RUNNING.value,
        started_at=ORIGIN,
        deadline_at=ORIGIN + timedelta(seconds=lasts_s),
        finished_at=ORIGIN + timedelta(seconds=lasts_s),
        fleet=[_described(f"w{n + 1}", jobs=tasks // workers) for n in range(workers)],
        observed={"shares_host": True, "own_workers": workers}
        | {"observer_cpu_s": 0.1 * lasts_s, "observed_s": lasts_s}
        | {"redis_cpu_s_at_start": 0.0, "redis_cpu_s_at_end": tasks * 2e-4},
    )
    names = ", ".join(f"'{name}', 170 + (s %% 97)" for name in METRICS[task_type])
    metrics = f"jsonb_build_object({names})" if names else "'{}'::jsonb"
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0)")
        cursor.execute(
            _FILL.format(metrics=metrics),
            {"run": run.pk, "tasks": tasks, "slots": SLOTS, "workers": workers}
            | {"delay": POLL_DELAY_S, "origin": ORIGIN},
        )
        cursor.execute("VACUUM ANALYZE runs_taskmetric")
    print(f"{tasks} rows made in {time.monotonic() - began:.0f} s", flush=True)
    return int(run.pk)


def _judge_whole(run_id: int) -> list[Spent]:
    """The way of the product."""
    from runs.evaluate import evaluate
    from runs.models import LoadTestRun
    from runs.states import RunStatus

    run = LoadTestRun.objects.select_related("configuration").get(pk=run_id)
    _warm_up()
    spent: list[Spent] = []
    _timed("runs.evaluate, whole", spent, lambda: evaluate(run, status=RunStatus.COMPLETED))
    print(f"  {run.headline}", flush=True)
    return spent


def _judge_in_parts(run_id: int) -> list[Spent]:
    """The same, step by step; each part is what `runs.examination.examine` does."""
    from runs.analysis.bottleneck import bottleneck
    from runs.analysis.constants import measure_constants, service_times
    from runs.analysis.summary import summarise
    from runs.evidence import accounting_of, fleet_of, measured_of, samples_of, workload_of
    from runs.models import LoadTestRun
    from runs.models.measured import failures_of

    run = LoadTestRun.objects.select_related("configuration").get(pk=run_id)
    _warm_up()
    spent: list[Spent] = []
    workload, fleet, counts = workload_of(run.configuration), fleet_of(run), accounting_of(run)
    tasks = _timed("rows -> arrays", spent, lambda: measured_of(run))
    _timed("failures", spent, lambda: failures_of(run.pk))
    samples = _timed("arrays -> samples", spent, lambda: samples_of(run, tasks))
    constants = _timed("constants", spent, lambda: measure_constants(samples, fleet=fleet))
    service = _timed("service times", spent, lambda: service_times(samples))
    _timed(
        "summary",
        spent,
        lambda: summarise(samples, workload=workload, fleet=fleet, accounting=counts),
    )
    _timed("laws", spent, lambda: bottleneck(fleet, service=service, constants=constants))
    core = spent[2:]
    return [
        *spent,
        Spent(
            name="pure core together",
            cpu_s=sum(each.cpu_s for each in core),
            wall_s=sum(each.wall_s for each in core),
            database_cpu_s=0.0,
        ),
    ]


def _warm_up() -> None:
    """What a daemon has done long before: load the task types, connect."""
    from workers.tasks.registry import task_types

    task_types()
    _database_cpu_s()


def _timed(name: str, spent: list[Spent], work: Callable[[], Any]) -> Any:
    database, wall, cpu = _database_cpu_s(), time.monotonic(), time.process_time()
    found = work()
    spent.append(
        Spent(
            name=name,
            cpu_s=time.process_time() - cpu,
            wall_s=time.monotonic() - wall,
            database_cpu_s=_database_cpu_s() - database,
        )
    )
    return found


def _database_cpu_s() -> float:
    """Of all processes of this PostgreSQL, with those that have ended."""
    import psutil
    from django.db import connection

    connection.ensure_connection()
    server = psutil.Process(connection.connection.info.backend_pid).parent()
    if server is None:
        return 0.0
    own = server.cpu_times()
    alive = [child.cpu_times() for child in server.children()]
    return float(
        own.children_user + own.children_system + sum(each.user + each.system for each in alive)
    )


def _apart(work: Callable[[int], list[Spent]], run_id: int) -> tuple[list[Spent], float]:
    """In a process of its own; with the most memory that it ever held, in MiB."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_in_django, (work, run_id))


def _in_django(work: Callable[[int], list[Spent]], run_id: int) -> tuple[list[Spent], float]:
    import django

    django.setup()
    spent = work(run_id)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _close()
    return spent, peak / (2**20 if sys.platform == "darwin" else 2**10)


def _close() -> None:
    from django.db import connections

    connections.close_all()


def _described(worker_id: str, *, jobs: int) -> dict[str, Any]:
    """What the collector keeps of one worker process."""
    began = ORIGIN.timestamp() - 10
    first = {"at": began, "jobs_done": 0, "jobs_failed": 0, "cpu_s": 1.0, "pool_cpu_s": 0.0}
    first |= {"round_trip_s": 0.0003, "loop_lag_s": 0.001}
    first |= {"clock_offset_s": 0.0, "clock_error_s": 0.0002}
    settings = {"max_jobs": SLOTS, "poll_delay_s": POLL_DELAY_S, "queue_read_limit": 150}
    settings |= {"job_timeout_s": 600.0, "keep_result_s": 3600.0, "max_tries": 5}
    settings |= {"pool_processes": 2, "retries_os_errors": True, "keep_result_forever": False}
    return {
        "worker_id": worker_id,
        "host": "here",
        "revision": "4be1c0d",
        "settings": settings | {"allow_abort_jobs": True},
        "host_class": {"cpu_model": "a model", "cores": 2, "memory_bytes": 8 * 2**30},
        "versions": {"python": "3.11.7", "arq": "0.28.0"},
        "first_beat": first,
        "beat": first | {"at": began + 1e6, "jobs_done": jobs, "cpu_s": 1 + jobs * 0.001},
    }


# Box-Muller gives the normal values; a worker's polls lie a part of poll_delay after the first's.
_FILL = """
INSERT INTO runs_taskmetric
    (task_id, run_id, sequence, state, intended_at, enqueued_at, started_at, finished_at,
     retries, worker, metrics, error_type, error_message, traceback)
SELECT r.test_id || '-' || lpad(s::text, 7, '0'), r.id, s,
       CASE WHEN s %% 1000 = 0 THEN 'failed' ELSE 'completed' END,
       %(origin)s, %(origin)s + s * interval '2.5 microsecond', began, began + took,
       0, 'w' || w + 1, CASE WHEN s %% 1000 = 0 THEN NULL ELSE {metrics} END,
       CASE WHEN s %% 1000 = 0 THEN 'builtins.ValueError' ELSE '' END,
       CASE WHEN s %% 1000 = 0 THEN 'bad input' ELSE '' END, ''
FROM runs_loadtestrun r, generate_series(1, %(tasks)s) s,
LATERAL (SELECT (s / %(slots)s) %% %(workers)s AS w) AS of_worker,
LATERAL (SELECT date_trunc('milliseconds', %(origin)s + interval '3 s'
    + (s / (%(slots)s * %(workers)s)) * %(delay)s * interval '1 s'
    + w * %(delay)s / %(workers)s * interval '1 s'
    + (s %% %(slots)s) * interval '1 ms') AS began) AS starts,
LATERAL (SELECT greatest(1, round(170 * exp(0.3
    * sqrt(-2 * ln(1 - random() + s * 0)) * cos(2 * pi() * random()))))
    * interval '1 ms' AS took) AS times
WHERE r.id = %(run)s
"""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--type", choices=sorted(METRICS), default="sleep")
    parser.add_argument("--workers", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loadlab.settings")
    sys.exit(main())
