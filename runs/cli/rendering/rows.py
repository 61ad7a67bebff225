"""A list of runs on a terminal: one row each, in at most 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from runs.cli import figures
from runs.cli.rendering.report import outcome
from runs.cli.rendering.sheet import Lines, Sheet

_HEADER = ("run", "outcome", "tasks", "type", "queue", "per s")


def run_row_lines(rows: Sequence[Mapping[str, Any]], *, sheet: Sheet) -> Lines:
    """The table; a sentence where there is none to show."""
    if not rows:
        return [Text("No load tests.")]
    cells = [_cells(sheet.glyphs.fit(row)) for row in rows]
    return sheet.table(_HEADER, cells, left=(0, 1, 3, 4), whole=(0,))


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    throughput = row["steady_state_throughput"] or row["overall_throughput"]
    return (
        str(row["test_id"]),
        outcome(str(row["status"]), str(row["verdict"] or "")),
        figures.count(row["num_tasks"]),
        str(row["task_type"]),
        str(row["target_queue"]),
        "" if throughput is None else figures.number(throughput),
    )
