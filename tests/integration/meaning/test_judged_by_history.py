"""What a stored run is judged against: its history, a pinned run, what was asked for."""

from datetime import timedelta
from typing import Any

import pytest
from factories import ORIGIN
from pytest_django import DjangoAssertNumQueries
from stored_runs import Story, described, judged

from runs.baselines import baseline_rows, pin, unpin
from runs.evaluate import evaluate_again
from runs.models import LoadTestRun
from runs.states import RunStatus

pytestmark = pytest.mark.django_db

# Periods of polls as real runs have them: they vary by parts of a per mille.
WOBBLES = (1.0, 1.0004, 0.9997, 1.0006, 0.9995, 1.0002, 0.9998, 1.0003)


def histories(count: int, *, slower: float = 1.0, **changes: Any) -> list[LoadTestRun]:
    """Runs of one workload, one a day; the last is the newest."""
    begun = LoadTestRun.objects.count()
    return [
        judged(Story(tasks=200, slower=slower * WOBBLES[(begun + i) % len(WOBBLES)]), **changes)
        for i in range(count)
    ]


def baseline_of(run: LoadTestRun) -> dict[str, Any]:
    section: dict[str, Any] = run.report["analysis"]["baseline"]
    return section


class TestHistory:
    def test_the_first_two_runs_have_no_baseline_and_say_how_to_get_one(self) -> None:
        first, second, third = histories(3)
        assert baseline_of(first)["because"] == (
            "No baseline yet: run this twice more, or pin this run."
        )
        assert "once more" in baseline_of(second)["because"]
        assert first.verdict == second.verdict == "no_baseline"
        assert baseline_of(third)["kind"] == "history"
        assert baseline_of(third)["runs"] == [first.test_id, second.test_id]
        assert first.report["analysis"]["performance_analysis"]["throughput_rating"] == "unrated"

    def test_unchanged_runs_are_the_same_and_rated_moderate(self) -> None:
        last = histories(8)[-1]
        assert last.verdict == "unchanged"
        assert "the same as your last 7 runs" in last.headline
        ratings = last.report["analysis"]["performance_analysis"]
        assert ratings["throughput_rating"] == "moderate"
        assert "times" in ratings["because"]["throughput_rating"]

    @pytest.mark.parametrize(("slower", "verdict"), [(1.2, "regressed"), (0.8, "improved")])
    def test_a_change_is_seen_at_once(self, slower: float, verdict: str) -> None:
        histories(8)
        [run] = histories(1, slower=slower)
        assert run.verdict == verdict
        figures = baseline_of(run)["figures"]
        assert figures["steady_state_throughput"]["verdict"] == verdict
        low, high = figures["steady_state_throughput"]["ratio_interval"]
        assert low * 0.99 < 1 / slower < high * 1.01  # 95 %: the truth may stand just outside

    @pytest.mark.parametrize(
        "other",
        [
            {"fleet": [described(settings={"max_jobs": 20})]},
            {"fleet": [described(settings={"poll_delay_s": 0.25})]},
            {"fleet": [described(host_class={"cores": 4})]},
            {"fleet": [described(host_class={"cpu_model": "another"})]},
            {"fleet": [described(), described("w2")]},
        ],
        ids=["slots", "poll_delay", "cores", "cpu", "processes"],
    )
    def test_runs_of_another_queue_are_no_history(self, other: dict[str, Any]) -> None:
        histories(3, **other)
        [run] = histories(1)
        assert run.verdict == "no_baseline"
        assert "twice more" in baseline_of(run)["because"]

    def test_another_workload_is_no_history(self) -> None:
        histories(3, workload={"seed": 1})
        assert histories(1)[0].verdict == "no_baseline"

    def test_versions_and_revision_are_listed_and_never_filtered(self) -> None:
        histories(8)
        newer = described(versions={"arq": "0.29.0"}, revision="9d2f31a")
        [run] = histories(1, fleet=[newer])
        assert run.verdict == "unchanged"
        assert baseline_of(run)["changed"] == [
            {"field": "versions.arq", "from": "0.28.0", "to": "0.29.0"},
            {"field": "revision", "from": "4be1c0d", "to": "9d2f31a"},
        ]

    @pytest.mark.parametrize(
        "useless",
        [
            {"status": RunStatus.TIMED_OUT, "missing": 10},
            {"status": RunStatus.CANCELLED},
            {"missing": 10},
            {"failed": range(1, 201)},
            {"observed": {"foreign_jobs_before": 3}},
        ],
        ids=["timed_out", "cancelled", "lost", "all_failed", "doubtful"],
    )
    def test_runs_that_tell_nothing_are_passed_over(self, useless: dict[str, Any]) -> None:
        first, *_ = histories(2)
        histories(2, **useless)
        second, third = histories(2)
        assert baseline_of(second)["runs"] == baseline_of(third)["runs"][:2]
        assert baseline_of(third)["runs"][0] == first.test_id
        assert baseline_of(third)["n"] == 3

    def test_only_the_last_twenty_count(self) -> None:
        assert baseline_of(histories(23)[-1])["n"] == 20

    def test_gaps_in_time_are_no_gaps(self) -> None:
        runs = histories(5)
        LoadTestRun.objects.filter(pk=runs[0].pk).update(finished_at=ORIGIN - timedelta(days=999))
        LoadTestRun.objects.filter(pk__in=[runs[1].pk, runs[2].pk]).delete()
        assert baseline_of(histories(1)[0])["runs"] == [runs[0].test_id, *ids(runs[3:])]

    def test_since_a_change_point_the_history_begins_anew(self) -> None:
        histories(8)
        slower = histories(6, slower=1.3)
        last = histories(1, slower=1.3)[0]
        assert baseline_of(last)["runs"] == ids(slower)
        assert last.verdict == "unchanged"


class TestPinned:
    def test_a_pinned_run_is_the_baseline_until_it_is_let_go(self) -> None:
        first, *_ = histories(8)
        pin(test_id=first.test_id)
        [run] = histories(1, slower=1.2)
        assert baseline_of(run)["kind"] == "pinned"
        assert baseline_of(run)["runs"] == [first.test_id]
        assert run.verdict == "regressed"
        assert "your pinned run" in run.headline
        unpin(test_id=first.test_id)
        [later] = histories(1)
        assert baseline_of(later)["kind"] == "history"

    def test_it_may_be_of_another_queue_and_what_differs_is_listed(self) -> None:
        [first] = histories(1, fleet=[described(settings={"max_jobs": 20})])
        pin(test_id=first.test_id)
        [run] = histories(1)
        assert baseline_of(run)["kind"] == "pinned"
        assert {"field": "arq_settings.max_jobs", "from": 20, "to": 10} in baseline_of(run)[
            "changed"
        ]
        assert run.verdict == "inconclusive"
        assert "one run against one" in baseline_of(run)["because"]

    def test_the_pinned_run_itself_is_judged_by_its_history(self) -> None:
        run = histories(4)[-1]
        pin(test_id=run.test_id)
        [again] = evaluate_again([run.test_id])
        assert again["analysis"]["baseline"]["kind"] == "history"

    def test_a_pinned_report_of_another_version_is_said_to_be_one(self) -> None:
        first, *_ = histories(3)
        pin(test_id=first.test_id)
        first.report["schema"] = 0
        first.save()
        [run] = histories(1)
        assert run.verdict == "no_baseline"
        assert "schema 0" in baseline_of(run)["because"]


class TestAskedFor:
    def test_none_is_not_compared(self) -> None:
        histories(3)
        [run] = histories(1, run={"baseline_choice": "none"})
        assert (run.verdict, baseline_of(run)["kind"]) == ("no_baseline", "none")
        assert baseline_of(run)["because"] == "Not compared: no baseline was asked for."

    def test_a_run_by_its_id(self) -> None:
        first, *_ = histories(4)
        [run] = histories(1, run={"baseline_choice": first.test_id})
        assert baseline_of(run)["runs"] == [first.test_id]
        assert run.verdict == "unchanged"

    def test_a_group_by_its_id(self) -> None:
        group = histories(5, run={"group_id": "lg_before"})
        [run] = histories(1, run={"baseline_choice": "lg_before"})
        assert baseline_of(run)["runs"] == ids(group)
        assert (run.verdict, baseline_of(run)["n"]) == ("unchanged", 5)

    def test_another_workload_is_incomparable_and_named(self) -> None:
        [other] = histories(1, workload={"seed": 7})
        [run] = histories(1, run={"baseline_choice": other.test_id})
        assert run.verdict == "incomparable"
        assert baseline_of(run)["because"] == "Not the same workload: seed 7 → 0."
        assert baseline_of(run)["figures"] == {}

    def test_a_run_that_was_pruned_meanwhile_is_said_to_be_gone(self) -> None:
        [run] = histories(1, run={"baseline_choice": "lt_20200101T000000_aaaaaa"})
        assert run.verdict == "no_baseline"
        assert "lt_20200101T000000_aaaaaa is not stored any more" in baseline_of(run)["because"]


class TestThresholds:
    def test_they_are_judged_on_the_whole_report(self) -> None:
        expressions = ["p95_execution_time_ms<500", "overall_throughput>=1000"]
        expressions += ["p95_sojourn_time_ms<5", "verdict!=regressed", "throughput_rating>=good"]
        [run] = histories(1, run={"thresholds": expressions})
        found = {entry["expression"]: entry for entry in run.report["thresholds"]}
        assert [entry["passed"] for entry in found.values()] == [True, False, False, True, False]
        assert "void" in found["p95_sojourn_time_ms<5"]["because"]
        assert "no_baseline: No baseline yet" in found["verdict!=regressed"]["because"]
        assert "unrated" in found["throughput_rating>=good"]["because"]

    def test_a_figure_without_a_value_fails_and_says_why(self) -> None:
        run = judged(tasks=1, run={"thresholds": ["p99_execution_time_ms<500"]})
        [entry] = run.report["thresholds"]
        assert (entry["passed"], entry["value"]) == (False, None)
        assert "no value" in entry["because"]


class TestEvaluateAgain:
    def test_todays_history_decides(self) -> None:
        runs = histories(3)
        assert runs[1].verdict == "no_baseline"
        LoadTestRun.objects.filter(pk=runs[0].pk).update(is_doubtful=True)
        [third] = evaluate_again([runs[2].test_id])
        assert third["analysis"]["baseline"]["verdict"] == "no_baseline"
        runs[2].refresh_from_db()
        assert (runs[2].verdict, runs[2].headline) == ("no_baseline", third["headline"])


class TestBaselineRows:
    def test_the_regressed_come_first_then_the_undecided_then_the_rest(self) -> None:
        def last_of(seed: int, *, slower: float) -> str:
            histories(6, workload={"seed": seed})
            [run] = histories(1, slower=slower, workload={"seed": seed})
            return str(run.test_id)

        same, worse, better = (
            last_of(seed, slower=slower) for seed, slower in ((1, 1.0), (2, 1.3), (3, 0.7))
        )
        fresh = histories(1, workload={"seed": 4})[0].test_id
        rows = baseline_rows()
        assert [row["last_run"] for row in rows] == [worse, better, fresh, same]
        assert [row["verdict"] for row in rows][:2] == ["regressed", "improved"]

    def test_a_row_has_its_history_and_since_when(self) -> None:
        histories(8)
        slower = histories(6, slower=1.3)
        pin(test_id=slower[0].test_id)
        [row] = baseline_rows()
        assert [entry["test_id"] for entry in row["history"]][-6:] == ids(slower)
        assert row["change_points"] == [slower[0].test_id]
        assert f"with {slower[0].test_id}" in row["since"]
        assert row["since_verdict"] == "regressed"
        assert row["pinned_run"] == slower[0].test_id
        assert row["baseline_n"] == 5
        assert row["last_figure"] == pytest.approx(20 / 1.3, rel=0.02)

    def test_the_queries_are_as_many_for_one_configuration_as_for_six(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for seed in range(6):
            histories(2, workload={"seed": seed})
            with django_assert_num_queries(4):
                assert len(baseline_rows()) == seed + 1


def ids(runs: list[LoadTestRun]) -> list[str]:
    return [run.test_id for run in runs]
