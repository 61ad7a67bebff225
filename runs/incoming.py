"""How does what a worker reported of a task become its row?"""

from datetime import datetime

import msgspec

from runs.models import LoadTestRun
from runs.models.ingest import IncomingTask
from runs.models.task import MAX_MESSAGE, MAX_TRACEBACK
from runs.states import TaskState
from workers.codec import ErrorKind, TaskResult, Undecodable
from workers.ids import task_id

MOST_RETRIES = 32_767  # what a smallint holds


def as_row(
    run: LoadTestRun,
    sequence: int,
    result: TaskResult | Undecodable,
    *,
    due_s: float,
    read_at: datetime,
    taken_away_as: TaskState | None,
) -> IncomingTask:
    """The row of a task that was due `due_s` after the run's start; `read_at`: now.

    `taken_away_as` is the state of a task that a worker could not run or finish because we were
    taking it away; None while we take none away.
    """
    assert run.started_at is not None  # noqa: S101 - what is not started has no results: tells mypy
    intended_us = int(run.started_at.timestamp() * 1e6) + int(due_s * 1e6)
    identity = (task_id(run.test_id, sequence), run.pk, sequence)
    if isinstance(result, Undecodable):
        read_us = int(read_at.timestamp() * 1e6)
        return IncomingTask(
            *identity, TaskState.FAILED.value, intended_us, None, None, read_us, 0, "", None,
            "loadlab.UndecodableResult", result.reason[:MAX_MESSAGE], "",
        )  # fmt: skip
    error = result.error
    return IncomingTask(
        *identity,
        state=_state_of(result, taken_away_as=taken_away_as).value,
        intended_us=intended_us,
        enqueued_us=result.enqueued_ms * 1_000 or None,
        started_us=result.started_ms * 1_000,
        finished_us=max(result.finished_ms, result.started_ms) * 1_000,
        retries=max(0, min(result.job_try - 1, MOST_RETRIES)),
        worker=result.worker[:200],
        metrics=None if result.value is None else msgspec.json.encode(result.value).decode(),
        error_type="" if error is None else error.error_type[:200],
        error_message="" if error is None else error.message[:MAX_MESSAGE],
        traceback="" if error is None else error.traceback[-MAX_TRACEBACK:],
    )


def _state_of(result: TaskResult, *, taken_away_as: TaskState | None) -> TaskState:
    if result.success:
        return TaskState.COMPLETED
    # why expired too: a worker may pick an id up in the instant in which we take its body away
    expired = result.error is not None and result.error.kind is ErrorKind.EXPIRED
    if taken_away_as is not None and (result.aborted or expired):
        return taken_away_as
    return TaskState.CANCELLED if result.aborted else TaskState.FAILED
