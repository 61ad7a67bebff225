"""What is said of two sides that were compared, and of runs that had better not be."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from runs.analysis.comparability import EnvironmentDifferences, environment_differences
from runs.analysis.comparison import compare
from runs.analysis.comparison_words import (
    ComparisonWords,
    not_the_same_workload,
    predicted_too,
    say_comparison,
)
from runs.analysis.document import ReportedRun
from runs.analysis.doubts import doubts_of_side, group_doubts
from runs.analysis.judged_figures import RunFigures
from runs.analysis.verdicts import Verdict

STEADY = (1.0, 1.001, 0.999, 1.002, 0.998)
NOISY = (1.0, 1.2, 0.85, 1.1, 0.9)


def sides(
    noise: Sequence[float] = STEADY, *, faster: float = 1.0, longer: float = 1.0, failed: int = 0
) -> list[RunFigures]:
    return [
        RunFigures(
            run_id="lt_1",
            regime="saturated",
            values={
                "overall_throughput": 60 * faster / factor,
                "p50_execution_time_ms": 171 * longer * factor,
                "p95_execution_time_ms": 251 * longer * factor,
            },
            completed=1000 - failed,
            failed=failed,
            total_duration_s=16.8,
        )
        for factor in noise
    ]


def said(
    now: Sequence[RunFigures], *, before: Sequence[RunFigures] = (), doubts: Sequence[str] = ()
) -> ComparisonWords:
    found = compare(now, before=before or sides())
    return say_comparison(found, what="poll_delay 0.5 → 0.05", against="A", doubts=doubts)


def test_a_large_change_of_throughput_is_a_factor() -> None:
    words = said(sides(faster=2.49))
    assert words.verdict is Verdict.IMPROVED
    assert words.headline == ("poll_delay 0.5 → 0.05: 2.49× the throughput (95 % 2.48 to 2.50).")
    assert predicted_too(words.headline, ratio=2.487).endswith("to 2.50). Predicted 2.49×.")
    assert predicted_too("", ratio=12.3) == " Predicted 12×."


def test_a_small_one_is_a_percentage() -> None:
    assert said(sides(faster=1.2)).headline.startswith(
        "poll_delay 0.5 → 0.05: 20.0 % more throughput (95 % +19."
    )
    assert "16.7 % less throughput" in said(sides(faster=1 / 1.2)).headline


def test_what_got_worse_comes_first_and_a_gain_beside_it() -> None:
    words = said(sides(faster=2.0, longer=1.3))
    assert words.verdict is Verdict.REGRESSED
    assert words.headline.startswith(
        "poll_delay 0.5 → 0.05: p50 execution time 30.0 % longer (95 % +29."
    )
    gain = said(sides(faster=2.0, failed=100))
    assert "failure rate 10 points higher (95 % +" in gain.headline
    assert "2.00× the throughput" in gain.headline


def test_no_change_says_what_would_have_shown() -> None:
    words = said(sides())
    assert words.verdict is Verdict.UNCHANGED
    assert words.headline.startswith(
        "poll_delay 0.5 → 0.05: no change in throughput, p50 execution time, p95 execution time"
        " and failure rate: a change above 0."
    )


def test_a_gain_is_said_beside_what_is_open() -> None:
    mixed = sides(faster=2.0, longer=1.0)
    wavering = [
        replace(run, values={**run.values, "p50_execution_time_ms": 171.0 * factor})
        for run, factor in zip(mixed, (0.9, 1.0, 1.1, 0.95, 1.05), strict=True)
    ]
    words = said(wavering)
    assert words.verdict is Verdict.INCONCLUSIVE
    assert words.headline.startswith("poll_delay 0.5 → 0.05: 2.00× the throughput (95 % ")
    assert words.headline.endswith("; p50 execution time is not settled.")


def test_undecided_says_what_would_settle_it() -> None:
    words = said(sides(NOISY), before=sides(NOISY, faster=1.05))
    assert words.verdict is Verdict.INCONCLUSIVE
    assert words.headline.startswith("poll_delay 0.5 → 0.05: undecided, throughput ")
    assert "would settle it" in words.headline
    one = said(sides((1.0,), faster=2.0), before=sides((1.0,)))
    assert "one run against one cannot tell" in one.headline


def test_nothing_in_common_is_nothing_to_compare() -> None:
    nothing = [RunFigures(run_id="lt_1")]
    assert said(nothing, before=nothing).headline.endswith("nothing to compare.")


def test_doubts_about_the_runs_outweigh_their_figures() -> None:
    words = said(sides(faster=2.49), doubts=["1 of the 5 runs of B did not complete"])
    assert words.verdict is Verdict.INCONCLUSIVE
    assert words.headline == (
        "poll_delay 0.5 → 0.05: undecided, 1 of the 5 runs of B did not complete."
    )
    assert "; otherwise improved: against A" in words.because


def test_another_workload_is_named() -> None:
    assert not_the_same_workload(["num_tasks 100 → 200", "seed 0 → 1"]) == (
        "Not the same workload: num_tasks 100 → 200; seed 0 → 1."
    )


class TestWhatDiffers:
    def differing(self, before: dict[str, Any], after: dict[str, Any]) -> EnvironmentDifferences:
        return environment_differences(before, after)

    def test_settings_are_named_as_arq_names_them(self) -> None:
        found = self.differing(
            {"slots": 30, "arq_settings": {"poll_delay_s": 0.5}},
            {"slots": 30, "arq_settings": {"poll_delay_s": 0.05}},
        )
        assert found.in_words == "poll_delay 0.5 → 0.05"

    def test_slots_are_left_out_where_their_cause_is_named(self) -> None:
        found = self.differing({"slots": 30, "processes": 1}, {"slots": 60, "processes": 2})
        assert found.in_words == "processes 1 → 2"
        assert self.differing({"slots": 30}, {"slots": 60}).in_words == "slots 30 → 60"
        assert self.differing({"revision": "a"}, {"revision": "b"}).in_words == ""


class TestDoubtsOfASide:
    def run(self, status: str = "completed", *doubts: str) -> ReportedRun:
        return ReportedRun(
            figures=RunFigures(run_id="lt_1"),
            status=status,
            configuration={},
            environment={},
            doubts=doubts,
        )

    def test_sound_runs_have_none(self) -> None:
        assert doubts_of_side("lt_1", runs=[self.run()]) == []
        assert doubts_of_side("lg_1", runs=[self.run()] * 3) == []
        assert group_doubts(doubtful=0, environments=1, runs=3) == []

    def test_one_run_is_said_to_be_what_it_is(self) -> None:
        assert doubts_of_side("lt_1", runs=[self.run("timed_out")]) == ["lt_1 is timed out"]
        doubtful = self.run("completed", "3 jobs of others stood on the queue")
        assert doubts_of_side("lt_1", runs=[doubtful]) == [
            "lt_1: 3 jobs of others stood on the queue"
        ]

    @pytest.mark.parametrize(("count", "verb"), [(1, "is"), (2, "are")])
    def test_of_a_group_they_are_counted(self, count: int, verb: str) -> None:
        runs = [self.run("completed", "late")] * count + [self.run("cancelled"), self.run()]
        assert doubts_of_side("lg_1", runs=runs) == [
            f"1 of the {count + 2} runs of lg_1 did not complete",
            f"{count} of the {count + 2} runs of lg_1 {verb} doubtful",
        ]
        assert group_doubts(doubtful=count, environments=2, runs=5) == [
            f"{count} of the 5 runs {verb} doubtful",
            "the runs of the group were not served alike",
        ]
