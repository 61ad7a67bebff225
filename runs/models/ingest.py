"""How results become rows: COPY, insert what is new, count it, all in one transaction."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection, transaction

from runs.states import TaskState


class IncomingTask(NamedTuple):
    """One task as it enters the database; instants in whole microseconds since the epoch."""

    task_id: str
    run_id: int
    sequence: int
    state: str
    intended_us: int | None
    enqueued_us: int | None
    started_us: int | None
    finished_us: int | None
    retries: int
    worker: str
    metrics: str | None
    error_type: str
    error_message: str
    traceback: str


class Ingested(NamedTuple):
    """How many rows of each state were new."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    lost: int = 0

    @property
    def total(self) -> int:
        """All new rows."""
        return sum(self)


def ingest(run_id: int, tasks: Iterable[IncomingTask]) -> Ingested:
    """Store the tasks that have no row yet and add them to the run's counts; twice adds nothing.

    When it returns the rows are committed, so their results may leave Redis.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy(_COPY) as copy:
            for task in tasks:
                copy.write_row(task)
        cursor.execute(_INSERT)
        new = {state: (count, retries, last) for state, count, retries, last in cursor.fetchall()}
        cursor.execute("TRUNCATE incoming")
        counts = Ingested(
            *(new.get(state.value, (0, 0, 0))[0] for state in _COUNTED),
        )
        if counts.total:
            retries = sum(row[1] for row in new.values())
            last = max(row[2] for row in new.values())
            cursor.execute(_COUNT, [*counts, retries, last, run_id])
    return counts


_COUNTED = (TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED, TaskState.LOST)

_STAGE = """
CREATE TEMP TABLE IF NOT EXISTS incoming (
    task_id text, run_id bigint, sequence integer, state text,
    intended_us bigint, enqueued_us bigint, started_us bigint, finished_us bigint,
    retries smallint, worker text, metrics jsonb,
    error_type text, error_message text, traceback text
)
"""

_COPY = f"COPY incoming ({', '.join(IncomingTask._fields)}) FROM STDIN"

# why by way of an interval: whole microseconds stay exact, where to_timestamp goes through a double
_INSERT = """
WITH new AS (
    INSERT INTO runs_taskmetric
        (task_id, run_id, sequence, state, intended_at, enqueued_at, started_at, finished_at,
         retries, worker, metrics, error_type, error_message, traceback)
    SELECT task_id, run_id, sequence, state,
           'epoch'::timestamptz + intended_us * interval '1 microsecond',
           'epoch'::timestamptz + enqueued_us * interval '1 microsecond',
           'epoch'::timestamptz + started_us * interval '1 microsecond',
           'epoch'::timestamptz + finished_us * interval '1 microsecond',
           retries, worker, metrics, error_type, error_message, traceback
    FROM incoming
    ON CONFLICT DO NOTHING
    RETURNING state, retries, sequence
)
SELECT state, count(*), sum(retries), max(sequence) FROM new GROUP BY state
"""

_COUNT = """
UPDATE runs_loadtestrun
SET completed_count = completed_count + %s,
    failed_count = failed_count + %s,
    cancelled_count = cancelled_count + %s,
    lost_count = lost_count + %s,
    retry_count = retry_count + %s,
    sent_count = GREATEST(sent_count, %s)
WHERE id = %s
"""
