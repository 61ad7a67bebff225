"""What a run's tasks measured, as numpy arrays: one binary COPY, whatever the size of the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql

FloatArray = NDArray[np.float64]

_HEADER_BYTES = 19  # signature, flags, length of the extension area
_TRAILER_BYTES = 2
_EPOCH_2000_US = 946_684_800_000_000  # PostgreSQL counts microseconds from 2000-01-01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Every task that started and ended, in order of sequence; instants in s since the origin."""

    sequence: NDArray[np.int64]
    intended_s: FloatArray
    enqueued_s: FloatArray
    started_s: FloatArray
    finished_s: FloatArray
    failed: NDArray[np.bool_]
    tries: NDArray[np.int16]
    worker: NDArray[np.int16]
    metrics: dict[str, FloatArray]


def measured(
    run_id: int, *, origin_us: int, worker_names: Sequence[str], metric_names: Sequence[str]
) -> Measured:
    """Read the tasks that completed or failed after they started.

    A job whose body arq had lost ("job expired") never ran and has no enqueued_at: it is left out.

    `worker` indexes `worker_names`, −1 where the name is not among them; a metric that a task did
    not report as a number is NaN.
    """
    fields = [(name, kind) for name, kind, _ in _COLUMNS] + [
        (f"m{index}", ">f8") for index in range(len(metric_names))
    ]
    rows = np.frombuffer(_copy(run_id, worker_names, metric_names), dtype=_row_type(fields))

    def seconds(name: str) -> FloatArray:
        since = rows[name].astype(np.int64) + (_EPOCH_2000_US - origin_us)
        instants: FloatArray = since / 1e6
        return instants

    return Measured(
        sequence=rows["sequence"].astype(np.int64),
        intended_s=seconds("intended"),
        enqueued_s=seconds("enqueued"),
        started_s=seconds("started"),
        finished_s=seconds("finished"),
        failed=rows["failed"].astype(bool),
        tries=rows["tries"].astype(np.int16),
        worker=rows["worker"].astype(np.int16),
        metrics={
            name: rows[f"m{index}"].astype(np.float64) for index, name in enumerate(metric_names)
        },
    )


def metric_names_of(run_id: int, *, most: int = 20) -> list[str]:
    """The numeric metrics that the first tasks of a run reported."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, [run_id, most])
        return [name for (name,) in cursor.fetchall()]


def failures_of(run_id: int, *, most: int = 50) -> list[dict[str, Any]]:
    """Failures grouped by type of error, commonest first, each with one example."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILURES, [run_id, most])
        return [
            {"error_type": error_type, "count": count, "example": example}
            for error_type, count, example in cursor.fetchall()
        ]


def _copy(run_id: int, worker_names: Sequence[str], metric_names: Sequence[str]) -> bytes:
    metrics = [
        sql.SQL(
            "CASE WHEN jsonb_typeof(metrics -> {name}) = 'number'"
            " THEN (metrics ->> {name})::float8 ELSE 'NaN'::float8 END"
        ).format(name=sql.Literal(name))
        for name in metric_names
    ]
    columns = [
        sql.SQL(expression).format(workers=sql.Literal(list(worker_names)))
        for _, _, expression in _COLUMNS
    ]
    query = sql.SQL(
        "COPY (SELECT {columns} FROM runs_taskmetric WHERE run_id = {run}"
        " AND state IN ('completed', 'failed') AND enqueued_at IS NOT NULL"
        " AND started_at IS NOT NULL AND finished_at IS NOT NULL ORDER BY sequence)"
        " TO STDOUT (FORMAT BINARY)"
    ).format(columns=sql.SQL(", ").join([*columns, *metrics]), run=sql.Literal(run_id))
    data = bytearray()
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for block in copy:
            data += block
    return bytes(memoryview(data)[_HEADER_BYTES : len(data) - _TRAILER_BYTES])


def _row_type(fields: list[tuple[str, str]]) -> np.dtype[Any]:
    """A row of binary COPY: how many fields, then length and value of each; none is null."""
    layout: list[tuple[str, str]] = [("count", ">i2")]
    for name, kind in fields:
        layout += [(f"length_{name}", ">i4"), (name, kind)]
    return np.dtype(layout)


_COLUMNS = (
    ("sequence", ">i4", "sequence"),
    ("intended", ">i8", "COALESCE(intended_at, enqueued_at)"),
    ("enqueued", ">i8", "enqueued_at"),
    ("started", ">i8", "started_at"),
    ("finished", ">i8", "finished_at"),
    ("failed", ">i2", "(state = 'failed')::int::smallint"),
    ("tries", ">i2", "(retries + 1)::smallint"),
    ("worker", ">i2", "(COALESCE(array_position({workers}::text[], worker), 0) - 1)::smallint"),
)

_NAMES = """
SELECT name FROM (
    SELECT metrics FROM runs_taskmetric
    WHERE run_id = %s AND metrics IS NOT NULL ORDER BY sequence LIMIT 100
) first,
jsonb_each(CASE WHEN jsonb_typeof(metrics) = 'object' THEN metrics END) AS each(name, value)
WHERE jsonb_typeof(value) = 'number' GROUP BY name ORDER BY name LIMIT %s
"""

_FAILURES = """
SELECT error_type, count(*), min(error_message) FROM runs_taskmetric
WHERE run_id = %s AND state = 'failed'
GROUP BY error_type ORDER BY count(*) DESC, error_type LIMIT %s
"""
