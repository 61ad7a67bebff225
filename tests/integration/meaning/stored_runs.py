"""Runs as they stand in PostgreSQL when their last task is accounted for, ready to be judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import numpy as np
from factories import ORIGIN, ORIGIN_US, a_configuration

from runs.evaluate import evaluate
from runs.models import LoadTestRun, TaskMetric
from runs.models.ingest import IncomingTask, ingest
from runs.models.run import new_test_id
from runs.states import RunStatus, TaskState
from workers.ids import task_id

SLOTS, POLL_DELAY_S = 10, 0.5


def described(worker_id: str = "w1", *, jobs: int = 100, **changes: Any) -> dict[str, Any]:
    """What the collector keeps of one worker process."""
    settings = {
        "max_jobs": SLOTS,
        "poll_delay_s": POLL_DELAY_S,
        "queue_read_limit": 100,
        "job_timeout_s": 600.0,
        "keep_result_s": 3600.0,
        "max_tries": 5,
        "pool_processes": 2,
        "retries_os_errors": True,
        "keep_result_forever": False,
        "allow_abort_jobs": True,
    }
    began = ORIGIN.timestamp() - 10
    first = {
        "at": began,
        "jobs_done": 0,
        "jobs_failed": 0,
        "cpu_s": 1.0,
        "pool_cpu_s": 0.0,
        "round_trip_s": 0.0003,
        "loop_lag_s": 0.001,
        "clock_offset_s": changes.pop("clock_offset_s", 0.0),
        "clock_error_s": 0.0002,
        **changes.pop("first_beat", {}),
    }
    last = first | {"at": ORIGIN.timestamp() + 3600, "jobs_done": jobs, "cpu_s": 1 + jobs * 0.001}
    return {
        "worker_id": worker_id,
        "host": changes.pop("host", "here"),
        "settings": settings | changes.pop("settings", {}),
        "host_class": {"cpu_model": "a model", "cores": 2, "memory_bytes": 8 * 2**30}
        | changes.pop("host_class", {}),
        "versions": {"python": "3.11.7", "arq": "0.28.0"} | changes.pop("versions", {}),
        "revision": changes.pop("revision", "4be1c0d"),
        "first_beat": first,
        "beat": last | changes.pop("beat", {}),
        **changes,
    }


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happened to the tasks of a run; `slower` stretches the periods of polls and the tasks.

    Everything is sent at once to `SLOTS` slots, which are refilled every poll: `tasks` in waves.
    """

    tasks: int = 100
    sent: int | None = None
    execution_s: float = 0.2
    slower: float = 1.0
    failed: Sequence[int] = ()
    missing: int = 0  # the last so many have no result
    missing_state: TaskState | None = TaskState.LOST
    metrics: str | None = '{"slept_ms": 5.0}'
    worker: str = "w1"
    wobble: float = 0.0  # the spread of execution times, as a share
    status: RunStatus = RunStatus.COMPLETED
    fleet: Sequence[dict[str, Any]] | None = None
    observed: dict[str, Any] = field(default_factory=dict)
    workload: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    instants: dict[int, dict[str, int | None]] = field(default_factory=dict)  # by sequence, in µs

    @property
    def sent_count(self) -> int:
        return self.tasks if self.sent is None else self.sent


def rows_of(run: LoadTestRun, story: Story) -> Iterator[IncomingTask]:
    """The results that came back."""
    spread = np.random.default_rng(1).normal(1, story.wobble, story.sent_count)
    for sequence in range(1, story.sent_count - story.missing + 1):
        wave, place = divmod(sequence - 1, SLOTS)
        started = round(1e6 * (0.1 + story.slower * POLL_DELAY_S * wave + 0.001 * place))
        lasts = round(1e6 * story.execution_s * story.slower * max(0.1, spread[sequence - 1]))
        failed = sequence in story.failed
        row = IncomingTask(
            task_id=task_id(run.test_id, sequence),
            run_id=run.pk,
            sequence=sequence,
            state=(TaskState.FAILED if failed else TaskState.COMPLETED).value,
            intended_us=ORIGIN_US,
            enqueued_us=ORIGIN_US,
            started_us=ORIGIN_US + started,
            finished_us=ORIGIN_US + started + lasts,
            retries=0,
            worker=story.worker,
            metrics=story.metrics,
            error_type="ValueError" if failed else "",
            error_message="bad input" if failed else "",
            traceback="",
        )
        yield row._replace(**story.instants.get(sequence, {}))


def told(story: Story | None = None, **changes: Any) -> LoadTestRun:
    """The stored run of a story, under way: all tasks accounted for, not judged yet."""
    story = replace(story or Story(), **changes)
    configuration = a_configuration(
        **({"task_type": "sleep", "num_tasks": story.tasks} | story.workload)
    )
    run = LoadTestRun.objects.create(
        test_id=new_test_id(),
        configuration=configuration,
        target_queue=configuration.target_queue,
        planned_count=configuration.num_tasks,
        sent_count=story.sent_count,
        status=RunStatus.RUNNING.value,
        started_at=ORIGIN,
        deadline_at=ORIGIN + timedelta(seconds=600),
        finished_at=ORIGIN + timedelta(seconds=60),
        fleet=list([described()] if story.fleet is None else story.fleet),
        observed={"shares_host": True, "server_kind": "valkey", **story.observed},
        **story.run,
    )
    ingest(run.pk, rows_of(run, story))
    if story.missing and story.missing_state is not None:
        TaskMetric.objects.account_for_rest(
            run_id=run.pk, up_to=story.sent_count, state=story.missing_state
        )
    return LoadTestRun.objects.select_related("configuration").get(pk=run.pk)


def judged(story: Story | None = None, **changes: Any) -> LoadTestRun:
    """The run of a story with its report."""
    story = replace(story or Story(), **changes)
    run = told(story)
    evaluate(run, status=story.status)
    return LoadTestRun.objects.select_related("configuration__pinned_run").get(pk=run.pk)


def report_of(story: Story | None = None, **changes: Any) -> dict[str, Any]:
    """The report of a story."""
    report: dict[str, Any] = judged(story, **changes).report
    return report
