"""Lists, task types and the progress line, as people see them."""

from typing import Any

import pytest

from runs.cli.progress import progress_text
from runs.cli.rendering.rows import run_row_lines
from runs.cli.rendering.sheet import Bar, Sheet
from runs.cli.rendering.task_type import type_lines, type_list_lines
from runs.conduct import Progress
from workers.tasks.registry import Metric, Parameter, TaskType

PAGE = Sheet()
ROW: dict[str, Any] = {
    "test_id": "lt_20261123T094501_7f3a9c",
    "status": "completed",
    "num_tasks": 1000,
    "task_type": "io_simulation",
    "target_queue": "load_test",
    "overall_throughput": 57.1,
    "steady_state_throughput": 59.43,
    "verdict": "unchanged",
}
NAP = TaskType(
    name="nap",
    function="nap",
    parameters=(
        Parameter(name="duration_ms", kind=float, default=100.0, minimum=0, maximum=9, unit="ms"),
        Parameter(name="deep", kind=bool, default=False, meaning="dream"),
    ),
    metrics=(Metric(name="slept_ms", unit="ms", formula="after − before"),),
    summary="sleeps",
    queue="load_test",
    timeout_s=90.0,
    default_tasks=100,
)


def test_a_row_tells_the_verdict_or_how_far_the_run_came() -> None:
    lines = run_row_lines([ROW, ROW | {"status": "timed_out"}, ROW | {"verdict": ""}], sheet=PAGE)
    header, *rows = [line.plain.split() for line in lines]
    assert header == ["run", "outcome", "tasks", "type", "queue", "per", "s"]
    assert rows[0] == [ROW["test_id"], "unchanged", "1000", "io_simulation", "load_test", "59.4"]
    assert rows[1][1:3] == ["timed", "out"]
    assert rows[2][1] == "completed"


@pytest.mark.parametrize("width", [60, 80])
def test_ids_are_never_cut_however_long_the_rest_is(width: int) -> None:
    long = ROW | {"task_type": "a_task_type_of_somebody_with_a_long_name", "status": "dispatching"}
    lines = run_row_lines(
        [long | {"overall_throughput": None, "steady_state_throughput": None}],
        sheet=Sheet(width=width),
    )
    assert lines[1].plain.startswith(f"{ROW['test_id']}  ")
    assert max(line.cell_len for line in lines) <= width


def test_no_runs_are_said_to_be_none() -> None:
    assert [line.plain for line in run_row_lines([], sheet=PAGE)] == ["No load tests."]


def test_a_task_type_names_its_parameters_their_limits_and_its_metrics_formulas() -> None:
    assert [line.plain for line in type_lines(NAP, sheet=PAGE)] == [
        "nap",
        "sleeps",
        "function nap   100 tasks by default   timeout 90 s",
        "",
        "parameters",
        "  duration_ms = 100 ms",
        "          a number from 0 to 9 ms",
        "  deep = false",
        "          dream; true or false",
        "",
        "metrics",
        "  slept_ms (ms)",
        "          after − before",
    ]
    assert "nap" in type_list_lines([NAP], sheet=PAGE)[1].plain


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "412 of 1000 done  2 failed  60.1/s  10 s left"),
        ({"sent": 800}, "412 of 1000 done  800 sent  2 failed  60.1/s  10 s left"),
        ({"lost": 3}, "415 of 1000 done  2 failed  3 lost  60.1/s  10 s left"),
        ({"throughput_per_s": None, "seconds_left": None}, "412 of 1000 done  2 failed"),
    ],
)
def test_the_progress_line_says_only_what_is_known(changes: dict[str, Any], text: str) -> None:
    progress: dict[str, Any] = {
        "test_id": "lt_1",
        "status": "running",
        "planned": 1000,
        "sent": 1000,
        "completed": 410,
        "failed": 2,
        "lost": 0,
        "outstanding": 588,
        "throughput_per_s": 60.1,
        "seconds_left": 9.8,
    }
    assert progress_text(Progress(**{**progress, **changes})) == text


def test_bars_are_to_scale_and_cut_beyond_the_full_one() -> None:
    rows = [
        Bar(name="a", value=10, shown="10"),
        Bar(name="b", value=20, shown="20"),
        Bar(name="c", value=200, shown="200"),
        Bar(name="d", value=None, shown="n/a"),
        Bar(name="e", value=0.001, shown="0.001"),
    ]
    a, b, c, d, e = (line.plain.count("█") for line in PAGE.bars(rows, full=20))
    assert (a, b, c, d, e) == (20, 40, 39, 0, 1)
    assert "…" in PAGE.bars(rows, full=20)[2].plain


def test_a_spark_line_shows_means_of_equal_parts_and_leaves_gaps() -> None:
    assert PAGE.spark([0, 1, 2, 3, 4, 5, 6, 7], width=80) == "▁▂▃▄▅▆▇█"
    assert PAGE.spark([0, 0, 8, 8], width=2) == "▁█"
    assert PAGE.spark([None, 1.0], width=9) == " █"
    assert PAGE.spark([], width=9) == ""
    assert PAGE.spark([0, 0], width=9) == "▁▁"
    assert PAGE.spark([1.0] * 500, width=60) == "█" * 60
