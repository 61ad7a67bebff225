"""Fills PostgreSQL with runs and tasks for bench/admin_pages.py, by statements and not row by row.

Two runs are simulated and judged by the product itself; every other run is a copy of one of them in
its columns, with tasks of its own. The largest run is judged by its own million rows.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

QUEUES = ("load_test", "system", "media")
TYPES = ("io_simulation", "cpu_intensive", "memory_operations", "sleep", "noop", "failure_testing")
KINDS = 36  # configurations
SMALL = 100  # tasks of the run that the large one is held against


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Where to look."""

    large: str
    small: str
    middle: str
    group: str
    worker: str
    seconds: float


def fill(*, tasks: int, runs: int, large: int) -> Filled:
    """`runs` runs with `tasks` tasks in all, one of which has `large`."""
    from django.db import connection

    from runs.evaluate import evaluate_again
    from runs.models import LoadTestRun

    began = time.perf_counter()
    template, small = _judged(200, days=40.0), _judged(SMALL, days=1.0)
    each = max(1, (tasks - large - 200 - SMALL) // (runs - 3))
    values = {
        "template": template.pk,
        "kinds": KINDS,
        "runs": runs - 3,
        "each": each,
        "large": large,
        "queues": list(QUEUES),
        "types": list(TYPES),
    }
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, values)
    biggest = LoadTestRun.objects.get(planned_count=large)
    evaluate_again([biggest.test_id])
    middle = LoadTestRun.objects.filter(group_id="lg_000000000007").order_by("pk")[0]
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) runs_taskmetric, runs_loadtestrun")
    return Filled(
        large=biggest.test_id,
        small=small.test_id,
        middle=middle.test_id,
        group=middle.group_id,
        worker="host-7:4242",
        seconds=time.perf_counter() - began,
    )


def _judged(tasks: int, *, days: float) -> Any:
    from factories import a_configuration
    from simulated_runs import days_ago, simulated_run

    configuration = a_configuration(num_tasks=tasks, task_type="io_simulation")
    run = None
    for turn in range(4):
        run = simulated_run(configuration, at=days_ago(days, minute=turn), seed=turn)
    return run


_CONFIGURATIONS = """
INSERT INTO runs_loadtestconfiguration (name, content_hash, task_type, parameters, num_tasks,
    batch_size, delay_ms, arrival, seed, target, target_queue, created_at)
SELECT 'kind ' || k, 'bench ' || k, (%(types)s::text[])[1 + k %% 6], '{}', %(each)s, 20, 50,
    'batches', k, 'default', (%(queues)s::text[])[1 + k %% 3], now()
FROM generate_series(1, %(kinds)s) k
"""

_COPIED = (
    "target, timeout_s, baseline_choice, thresholds, requested_by_id, dispatcher, collector, fleet,"
    " observed, environment, environment_key, notes, report, figures, headline, regime,"
    " is_doubtful, retry_count"
)


def _of_template(column: str) -> str:
    """The template's own, but that its worker is one of twenty."""
    if column == "fleet":
        return "jsonb_set(t.fleet, '{0,worker_id}', to_jsonb('host-' || r %% 20 || ':4242'))"
    return f"t.{column}"


# why statuses by rank: most complete, a few of each other kind; a label or a group now and then
_RUNS = f"""
INSERT INTO runs_loadtestrun (test_id, configuration_id, group_id, label, status, target_queue,
    created_at, started_at, sent_at, finished_at, planned_count, sent_count, completed_count,
    failed_count, cancelled_count, lost_count, verdict, {_COPIED})
SELECT 'lt_' || to_char(at, 'YYYYMMDD"T"HH24MISS') || '_' || lpad(to_hex(r), 6, '0'),
    c.id, 'lg_' || lpad((r / 5)::text, 12, '0'),
    CASE WHEN r %% 7 = 0 THEN 'nightly ' || r WHEN r %% 50 = 1 THEN 'release ' || r ELSE '' END,
    made.status, c.target_queue, at, at, at + interval '1 s', at + interval '4 s',
    n, n, n - failed - lost, failed, 0, lost,
    CASE WHEN made.status <> 'completed' THEN ''
         ELSE (ARRAY['unchanged', 'unchanged', 'unchanged', 'improved', 'inconclusive',
                     'regressed'])[1 + r * 7 %% 6] END,
    {", ".join(_of_template(name.strip()) for name in _COPIED.split(","))}
FROM (
    SELECT r, now() - interval '90 days' + r * interval '25 minutes' AS at,
        CASE WHEN r %% 100 = 3 THEN 'timed_out' WHEN r %% 100 = 5 THEN 'cancelled'
             WHEN r %% 250 = 7 THEN 'failed' ELSE 'completed' END AS status,
        CASE WHEN r = %(runs)s / 2 THEN %(large)s ELSE %(each)s END AS n,
        CASE WHEN r = %(runs)s / 2 THEN %(large)s / 1000 ELSE 2 END AS failed,
        CASE WHEN r %% 100 = 3 THEN 3 ELSE 0 END AS lost
    FROM generate_series(1, %(runs)s + 1) r
) made
JOIN runs_loadtestconfiguration c ON c.content_hash = 'bench ' || 1 + r %% %(kinds)s
CROSS JOIN runs_loadtestrun t
WHERE t.id = %(template)s
ORDER BY at
"""

# why waves: arq refills its slots at every poll, 30 of them each half second
_TASKS = """
INSERT INTO runs_taskmetric (task_id, run_id, sequence, state, intended_at, enqueued_at,
    started_at, finished_at, retries, worker, metrics, error_type, error_message, traceback)
SELECT test_id || '-' || lpad(s::text, 7, '0'), id, s,
    CASE WHEN s <= failed_count THEN 'failed'
         WHEN s <= failed_count + lost_count THEN 'lost' ELSE 'completed' END,
    started_at, started_at + interval '1 ms',
    began, began + interval '120 ms' + (s %% 1000 * 7919 %% 100) * interval '1 ms', 0,
    worker,
    '{"total_io_time_ms": 412.5, "io_efficiency_percent": 98.2, "elapsed_ms": 171.3}',
    CASE WHEN s > failed_count THEN '' WHEN s %% 3 = 0 THEN 'TimeoutError' ELSE 'ValueError' END,
    CASE WHEN s <= failed_count THEN 'bad input' ELSE '' END, ''
FROM (
    SELECT run.*, s, run.started_at + interval '2 ms' + (s - 1) / 30 * interval '500 ms' AS began
    FROM (
        SELECT r.id, r.test_id, r.failed_count, r.lost_count, r.started_at, r.planned_count,
            r.fleet -> 0 ->> 'worker_id' AS worker
        FROM runs_loadtestrun r
        JOIN runs_loadtestconfiguration c ON c.id = r.configuration_id
        WHERE c.content_hash LIKE 'bench %%'
        OFFSET 0  -- the JSON is read once a run
    ) run
    CROSS JOIN LATERAL generate_series(1, run.planned_count) s
) made
"""

_ENDED = """
UPDATE runs_loadtestrun r SET sent_at = started_at + interval '1 s',
    finished_at = started_at + (r.planned_count / 30 + 1) * interval '500 ms'
FROM runs_loadtestconfiguration c
WHERE c.id = r.configuration_id AND c.content_hash LIKE 'bench %%'
"""

_STATEMENTS = (_CONFIGURATIONS, _RUNS, _TASKS, _ENDED)
