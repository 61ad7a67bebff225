"""Rows as the product itself would make them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from runs.models import LoadTestConfiguration, LoadTestRun
from runs.models.ingest import IncomingTask
from runs.models.run import new_test_id
from runs.states import RunStatus, TaskState
from workers.ids import task_id

ORIGIN = datetime(2026, 11, 23, 9, 45, tzinfo=UTC)
ORIGIN_US = int(ORIGIN.timestamp() * 1_000_000)


def a_configuration(**changes: Any) -> LoadTestConfiguration:
    content: dict[str, Any] = {
        "task_type": "noop",
        "parameters": {},
        "num_tasks": 100,
        "batch_size": 10,
        "delay_ms": 0.0,
        "rate_per_s": None,
        "duration_s": None,
        "arrival": "batches",
        "seed": 0,
        "target": "default",
        "target_queue": "load_test",
        **changes,
    }
    return LoadTestConfiguration.objects.holding(**content)


def a_run(*, status: RunStatus = RunStatus.PENDING, **changes: Any) -> LoadTestRun:
    workload = {
        name: changes.pop(name)
        for name in ("task_type", "num_tasks", "batch_size", "delay_ms", "target_queue")
        if name in changes
    }
    configuration = a_configuration(**workload)
    return LoadTestRun.objects.create(
        test_id=changes.pop("test_id", new_test_id()),
        configuration=configuration,
        target_queue=configuration.target_queue,
        planned_count=configuration.num_tasks,
        status=status.value,
        **changes,
    )


def tasks_of(
    run: LoadTestRun, sequences: Iterable[int], *, state: TaskState = TaskState.COMPLETED
) -> list[IncomingTask]:
    return [
        IncomingTask(
            task_id=task_id(run.test_id, sequence),
            run_id=run.pk,
            sequence=sequence,
            state=state.value,
            intended_us=ORIGIN_US,
            enqueued_us=ORIGIN_US + 1_000,
            started_us=ORIGIN_US + 10_000 * sequence,
            finished_us=ORIGIN_US + 10_000 * sequence + 5_000,
            retries=0,
            worker="w1",
            metrics='{"slept_ms": 5.0}',
            error_type="" if state is not TaskState.FAILED else "ValueError",
            error_message="" if state is not TaskState.FAILED else "bad input",
            traceback="",
        )
        for sequence in sequences
    ]
