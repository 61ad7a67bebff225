"""A run before its baseline: the report's section, and why it says what it says."""

import json
from typing import Any

import pytest

from runs.analysis.comparability import (
    Difference,
    configuration_differences,
    environment_differences,
)
from runs.analysis.history import Baseline, BaselineKind
from runs.analysis.judged_figures import RunFigures
from runs.analysis.judgement import (
    incomparable,
    judge,
    no_baseline,
    not_asked,
    not_completed,
    unusable_baseline,
)
from runs.analysis.verdicts import Verdict
from runs.states import RunStatus

STEADY = (1.0, 1.001, 0.999, 1.002, 0.998)


def run(factor: float = 1.0, *, run_id: str = "lt_0") -> RunFigures:
    return RunFigures(
        run_id=run_id,
        regime="saturated",
        values={
            "overall_throughput": 60 / factor,
            "p50_execution_time_ms": 171 * factor,
            "p95_execution_time_ms": 251 * factor,
        },
        completed=1000,
        total_duration_s=16.8,
    )


HISTORY = Baseline(
    kind=BaselineKind.HISTORY,
    runs=tuple(run(factor, run_id=f"lt_{i}") for i, factor in enumerate(STEADY)),
)


def test_the_section_of_the_report_has_its_published_keys() -> None:
    changed = [Difference(field="versions.arq", before="0.27", after="0.28")]
    document = judge([run(1.25)], baseline=HISTORY, changed=changed).as_document()
    assert list(document) == ["kind", "runs", "n", "verdict", "because", "figures", "changed"]
    assert document["kind"] == "history"
    assert document["runs"] == ["lt_0", "lt_1", "lt_2", "lt_3", "lt_4"]
    assert (document["n"], document["verdict"]) == (5, "regressed")
    assert document["because"].startswith("Against your last 5 runs: p50 execution time 214 ms")
    throughput = document["figures"]["overall_throughput"]
    assert list(throughput) == ["baseline", "value", "ratio", "ratio_interval", "verdict"]
    assert throughput["ratio"] == pytest.approx(0.8, rel=1e-5)
    assert throughput["ratio_interval"][0] < 0.8 < throughput["ratio_interval"][1]
    assert document["figures"]["failure_rate_percent"] == {
        "baseline": 0.0,
        "value": 0.0,
        "ratio": None,
        "ratio_interval": None,
        "verdict": "unchanged",
    }
    assert document["changed"] == [{"field": "versions.arq", "from": "0.27", "to": "0.28"}]
    assert json.loads(json.dumps(document)) == document


def test_doubts_about_the_measurement_outweigh_any_verdict() -> None:
    doubts = ["12 foreign jobs were on the queue", "sending was 80 ms late"]
    judgement = judge([run(1.25)], baseline=HISTORY, doubts=doubts)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.because.startswith(
        "12 foreign jobs were on the queue; sending was 80 ms late; otherwise regressed: against"
    )


@pytest.mark.parametrize(
    ("kind", "runs", "against"),
    [
        (BaselineKind.PINNED, 1, "the pinned run lt_0"),
        (BaselineKind.PINNED, 3, "3 pinned runs"),
        (BaselineKind.FILE, 1, "the run in the file"),
        (BaselineKind.FILE, 3, "the 3 runs in the file"),
    ],
)
def test_the_baseline_is_named(kind: BaselineKind, runs: int, against: str) -> None:
    baseline = Baseline(kind=kind, runs=HISTORY.runs[:runs])
    assert f"Against {against}: " in judge([run(1.25)] * 3, baseline=baseline).because


def test_a_pinned_run_borrows_the_spread_of_the_history() -> None:
    alone = Baseline(kind=BaselineKind.PINNED, runs=(run(),))
    assert judge([run(1.25)], baseline=alone).verdict is Verdict.INCONCLUSIVE
    told = Baseline(kind=BaselineKind.PINNED, runs=(run(),), also=HISTORY.runs)
    assert judge([run(1.25)], baseline=told).verdict is Verdict.REGRESSED


def test_without_a_baseline_it_says_how_to_get_one() -> None:
    first = no_baseline(0)
    assert first.because == "No baseline yet: run this twice more, or pin this run."
    assert no_baseline(1).because == "No baseline yet: run this once more, or pin this run."
    assert first.as_document() == {
        "kind": "none",
        "runs": [],
        "n": 0,
        "verdict": "no_baseline",
        "because": first.because,
        "figures": {},
        "changed": [],
    }


def test_another_workload_is_named_field_by_field() -> None:
    before = {"num_tasks": 100, "parameters": {"duration_ms": 100.0}, "seed": 0}
    after = {"num_tasks": 1000, "parameters": {"duration_ms": 250.0}, "seed": 0}
    judgement = incomparable(configuration_differences(before, after), kind=BaselineKind.FILE)
    assert judgement.verdict is Verdict.INCOMPARABLE
    assert judgement.because == (
        "Not the same workload: duration_ms 100 → 250; num_tasks 100 → 1000."
    )


# What compares with what

WORKLOAD: dict[str, Any] = {
    "task_type": "sleep",
    "parameters": {"duration_ms": 100},
    "num_tasks": 1000,
    "batch_size": 20,
    "delay_ms": 50,
    "rate_per_s": None,
    "duration_s": None,
    "arrival": "batches",
    "seed": 0,
    "target_queue": "load_test",
    "target": "default",
}


@pytest.mark.parametrize("field", sorted(WORKLOAD))
def test_every_field_of_the_workload_counts(field: str) -> None:
    other = WORKLOAD | {field: "another"}
    assert [each.field for each in configuration_differences(WORKLOAD, other)] == [field]


def test_equal_workloads_differ_in_nothing() -> None:
    same = WORKLOAD | {"delay_ms": 50.0, "parameters": {"duration_ms": 100.0}, "label": "x"}
    assert configuration_differences(WORKLOAD, same) == ()


def test_a_field_that_a_document_does_not_hold_is_no_difference_but_a_parameter_is() -> None:
    core = {name: WORKLOAD[name] for name in ("task_type", "num_tasks")}
    assert configuration_differences(core, WORKLOAD) == ()
    [lacking] = configuration_differences(WORKLOAD, WORKLOAD | {"parameters": {}})
    assert lacking == Difference(field="parameters.duration_ms", before=100, after=None)
    assert str(lacking) == "duration_ms 100 → unset"


def test_environments_bar_by_the_queue_and_list_by_the_versions() -> None:
    before = {
        "slots": 30,
        "processes": 1,
        "arq_settings": {"poll_delay": 0.5, "max_jobs": 30},
        "host_class": {"cores": 2},
        "versions": {"arq": "0.27", "python": "3.11"},
        "revision": "abc",
        "clock_skew_s": 0.1,
    }
    after = before | {
        "slots": 60,
        "processes": 2,
        "arq_settings": {"poll_delay": 0.05, "max_jobs": 30},
        "versions": {"arq": "0.28", "python": "3.11"},
        "revision": "def",
        "clock_skew_s": 0.2,
    }
    found = environment_differences(before, after)
    assert [str(each) for each in found.barring] == [
        "slots 30 → 60",
        "processes 1 → 2",
        "poll_delay 0.5 → 0.05",
    ]
    assert [str(each) for each in found.listed] == ["arq 0.27 → 0.28", "revision abc → def"]
    assert found.all == found.barring + found.listed
    assert environment_differences({}, {}).all == ()
    assert environment_differences(before, {"slots": 30}).barring != ()


def test_why_a_run_is_not_compared() -> None:
    assert not_asked().because == "Not compared: no baseline was asked for."
    ended = {
        RunStatus.CANCELLED: "was cancelled",
        RunStatus.TIMED_OUT: "timed out",
        RunStatus.FAILED: "failed",
        RunStatus.RUNNING: "has not completed",
    }
    for status, said in ended.items():
        assert not_completed(status).because == f"Not compared: the run {said}."
    gone = unusable_baseline("the baseline lt_1 is not stored any more.")
    assert gone.because == "Not compared: the baseline lt_1 is not stored any more."
    assert {each.verdict for each in (not_asked(), gone)} == {Verdict.NO_BASELINE}
