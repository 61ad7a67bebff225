"""Report files from elsewhere: read, or refused in one sentence."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.analysis.document import (
    SCHEMA_VERSION,
    UnreadableReportError,
    read_report,
    read_report_file,
    reduced,
    run_figures,
)


def report(**changes: Any) -> dict[str, Any]:
    return {
        "schema": SCHEMA_VERSION,
        "test_id": "lt_20261123T094501_7f3a9c",
        "status": "completed",
        "configuration": {"task_type": "io_simulation", "num_tasks": 1000},
        "metrics": {
            "tasks_completed": 998,
            "tasks_failed": 2,
            "overall_throughput": 59.4,
            "total_duration_seconds": 16.8,
        },
        "analysis": {
            "regime": "saturated",
            "task_metrics": {
                "p50_execution_time_ms": 171.0,
                "p95_execution_time_ms": 251.2,
                "p95_sojourn_time_ms": None,
            },
            "environment": {"slots": 30},
        },
        **changes,
    }


def test_a_report_is_read_as_far_as_it_is_compared() -> None:
    [run] = read_report_file(json.dumps(report()), name="r.json")
    assert run.status == "completed"
    assert run.configuration["num_tasks"] == 1000
    assert run.environment == {"slots": 30}
    figures = run.figures
    assert figures.run_id == "lt_20261123T094501_7f3a9c"
    assert figures.regime == "saturated"
    assert figures.values == {
        "overall_throughput": 59.4,
        "steady_state_throughput": None,
        "p95_sojourn_time_ms": None,
        "p50_execution_time_ms": 171.0,
        "p95_execution_time_ms": 251.2,
    }
    assert (figures.completed, figures.failed, figures.total_duration_s) == (998, 2, 16.8)


def test_a_group_is_its_runs() -> None:
    group = {"group_id": "g_1", "runs": [report(), report(test_id="lt_2")], "summary": {}}
    runs = read_report_file(json.dumps(group).encode(), name="g.json")
    assert [run.figures.run_id for run in runs] == ["lt_20261123T094501_7f3a9c", "lt_2"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "r.json is no JSON"),
        (b"\xff\xfe\x00", "r.json is no JSON"),
        ("[" * 100_000, "r.json is no JSON"),
        ("[1, 2]", "r.json is no loadlab report"),
        ("null", "r.json is no loadlab report"),
        ('{"benchmarks": []}', "r.json is no loadlab report"),
        ('{"runs": []}', "r.json is a group without a run"),
        ('{"runs": [3, 4]}', "run 1 of r.json is no loadlab report"),
        ('{"metrics": {}}', "schema None"),
        (json.dumps(report(schema=99)), "schema 99 and this loadlab reads 1"),
        (json.dumps(report(schema="x" * 500)), "run it again"),
        (json.dumps(report(status="running")), "still running"),
    ],
)
def test_what_is_no_report_is_refused_in_one_sentence(content: str | bytes, says: str) -> None:
    with pytest.raises(UnreadableReportError) as refused:
        read_report_file(content, name="r.json")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_values_that_are_no_numbers_have_none_here() -> None:
    metrics = {
        "overall_throughput": "fast",
        "tasks_completed": -5,
        "tasks_failed": True,
        "total_duration_seconds": float("nan"),
    }
    times = {"p50_execution_time_ms": 10**400, "p95_execution_time_ms": float("inf")}
    figures = run_figures(report(metrics=metrics, analysis={"regime": 7, "task_metrics": times}))
    assert set(figures.values.values()) == {None}
    assert (figures.completed, figures.failed, figures.total_duration_s) == (0, 0, None)
    assert figures.regime is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metrics", "analysis", "task_metrics", "schema", "runs", "status"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(json_values, st.booleans())
@settings(deadline=None)
def test_any_json_is_read_or_refused(value: Any, has_schema: bool) -> None:
    if has_schema and isinstance(value, dict):
        value = value | {"schema": SCHEMA_VERSION}
    with suppress(UnreadableReportError):
        assert read_report(value, name="it").figures.completed >= 0
    with suppress(UnreadableReportError):
        assert read_report_file(json.dumps(value), name="it")


def test_a_report_that_was_cut_down_reads_the_same() -> None:
    whole = report()
    whole["analysis"] |= {"doubts": ["tasks were sent late", 3], "bottleneck": {"binding": "cpu"}}
    run = read_report(whole, name="r.json")
    assert run.doubts == ("tasks were sent late",)
    small = json.loads(json.dumps(reduced(run)))
    assert read_report(small, name="r.json") == run
    assert "bottleneck" not in small["analysis"]
