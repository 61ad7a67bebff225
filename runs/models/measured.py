"""What a run's tasks measured, as numpy arrays: one binary COPY, whatever the size of the run.

The database packs thousands of tasks into one row of arrays, a column each: a row for every task
would cost the reader a microsecond for each, most of what judging a million tasks takes.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql

FloatArray = NDArray[np.float64]

_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = 19  # signature, flags, length of the extension area
_ARRAY_HEADER_BYTES = 20  # dimensions, nulls, type; length and lower bound of the one dimension
_TASKS_PER_ROW = 5_000
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
    kinds = {name: kind for name, kind, _ in _COLUMNS}
    kinds |= {f"m{index}": ">f8" for index in range(len(metric_names))}
    found = _in_order(_columns(_query(run_id, worker_names, metric_names), kinds=kinds))

    def seconds(name: str) -> FloatArray:
        since = found[name].astype(np.int64) + (_EPOCH_2000_US - origin_us)
        instants: FloatArray = since / 1e6
        return instants

    return Measured(
        sequence=found["sequence"].astype(np.int64),
        intended_s=seconds("intended"),
        enqueued_s=seconds("enqueued"),
        started_s=seconds("started"),
        finished_s=seconds("finished"),
        failed=found["failed"].astype(bool),
        tries=found["tries"].astype(np.int16),
        worker=found["worker"].astype(np.int16),
        metrics={
            name: found[f"m{index}"].astype(np.float64) for index, name in enumerate(metric_names)
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


def _query(run_id: int, worker_names: Sequence[str], metric_names: Sequence[str]) -> sql.Composed:
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
    arrays = [sql.SQL("array_agg({})").format(column) for column in (*columns, *metrics)]
    return sql.SQL(_PACKED).format(
        arrays=sql.SQL(", ").join(arrays),
        run=sql.Literal(run_id),
        size=sql.Literal(_TASKS_PER_ROW),
    )


def _columns(query: sql.Composed, *, kinds: dict[str, str]) -> dict[str, NDArray[Any]]:
    """The values of each column, by its name; `kinds` are their types in binary COPY."""
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in kinds}
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for row in copy:
            for (name, kind), packed in zip(kinds.items(), _fields(bytes(row)), strict=False):
                parts[name].append(_values(packed, kind=kind))
    return {
        name: np.concatenate(values) if values else np.empty(0, dtype=kinds[name][1:])
        for name, values in parts.items()
    }


def _fields(row: bytes) -> Iterator[memoryview]:
    """The fields of a row of binary COPY: how many, then length and content of each.

    A field that is null has no content and a length of −1: of a pack without tasks all are.
    """
    at = _HEADER_BYTES if row.startswith(_SIGNATURE) else 0
    (count,) = struct.unpack_from(">h", row, at)
    at += 2
    for _ in range(count):  # the row at the end has a count of −1
        (length,) = struct.unpack_from(">i", row, at)
        at += 4
        if length > 0:
            yield memoryview(row)[at : at + length]
            at += length


def _values(packed: memoryview, *, kind: str) -> NDArray[Any]:
    """What a PostgreSQL array without nulls holds: length and value of each element."""
    elements = np.dtype([("length", ">i4"), ("value", kind)])
    values = np.frombuffer(packed, dtype=elements, offset=_ARRAY_HEADER_BYTES)["value"]
    return values.astype(kind[1:])


def _in_order(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """By sequence, as the index had them: PostgreSQL may have read them in another order."""
    sequence = columns["sequence"]
    if np.all(sequence[1:] > sequence[:-1]):
        return columns
    order = np.argsort(sequence)
    return {name: values[order] for name, values in columns.items()}


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

_PACKED = """
COPY (
    SELECT packed.* FROM generate_series(
        0, (SELECT max(sequence) FROM runs_taskmetric WHERE run_id = {run}) / {size}
    ) AS pack,
    LATERAL (
        SELECT {arrays} FROM runs_taskmetric
        WHERE run_id = {run} AND sequence >= pack * {size} AND sequence < (pack + 1) * {size}
        AND state IN ('completed', 'failed') AND enqueued_at IS NOT NULL
        AND started_at IS NOT NULL AND finished_at IS NOT NULL
    ) AS packed
) TO STDOUT (FORMAT BINARY)
"""

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
