"""Groups of repeats judged as one, and runs, groups and files held against each other."""

import json
from pathlib import Path
from typing import Any

import pytest
from stored_runs import Story, described, judged

from runs.compare import CannotCompare, compare
from runs.errors import NotAllowedNow, UnknownRun
from runs.models import LoadTestRun
from runs.report import group_document
from runs.report_files import UnreadableFile
from runs.states import RunStatus

pytestmark = pytest.mark.django_db

WOBBLES = (1.0, 1.0004, 0.9997, 1.0006, 0.9995)
FAST = {"settings": {"poll_delay_s": 0.25}}


def group(
    name: str, *, slower: float = 1.0, count: int = 5, story: Story | None = None, **run: Any
) -> list[LoadTestRun]:
    """Repeats of one workload, in a row."""
    return [
        judged(
            story or Story(tasks=200),
            slower=slower * WOBBLES[i],
            run={"group_id": name, **run},
        )
        for i in range(count)
    ]


def comparison(*references: str, files: bool = False) -> dict[str, Any]:
    document = compare(references=references, files=files)
    json.dumps(document, allow_nan=False)
    first: dict[str, Any] = document["comparisons"][0]
    return first


class TestGroup:
    def test_its_summary_has_the_spread_of_each_judged_figure(self) -> None:
        group("lg_a")
        document = group_document("lg_a")
        assert set(document) == {"group_id", "runs", "summary"}
        summary = document["summary"]
        assert (summary["runs"], summary["finished"], len(document["runs"])) == (5, 5, 5)
        throughput = summary["figures"]["steady_state_throughput"]
        assert throughput["mean"] == pytest.approx(20, rel=0.01)
        assert 0 < throughput["run_cv_percent"] < 0.1
        assert throughput["n"] == 5
        assert summary["figures"]["failure_rate_percent"]["run_cv_percent"] is None
        json.dumps(document, allow_nan=False)

    def test_the_first_group_has_no_baseline(self) -> None:
        group("lg_a")
        assert group_document("lg_a")["summary"]["verdict"] == "no_baseline"

    def test_its_own_runs_are_no_history_of_it(self) -> None:
        assert group("lg_a")[-1].verdict == "no_baseline"

    @pytest.mark.parametrize(
        ("slower", "verdict"), [(1.0, "unchanged"), (1.1, "regressed"), (0.9, "improved")]
    )
    def test_it_is_judged_as_a_whole(self, slower: float, verdict: str) -> None:
        group("lg_a")
        group("lg_b", slower=slower)
        summary = group_document("lg_b")["summary"]
        assert summary["verdict"] == verdict
        assert summary["baseline"]["kind"] == "history"
        assert "your last 5 runs" in summary["headline"]

    def test_its_thresholds_are_judged_as_a_whole_once_all_have_ended(self) -> None:
        group("lg_a")
        runs = group("lg_b", slower=1.1)
        limits = ["verdict!=regressed", "tasks_failed==0"]
        LoadTestRun.objects.filter(pk__in=[run.pk for run in runs]).update(thresholds=limits)
        found = group_document("lg_b")["summary"]["thresholds"]
        assert [(each["expression"], each["value"], each["passed"]) for each in found] == [
            ("verdict!=regressed", "regressed", False),
            ("tasks_failed==0", 0, True),
        ]
        LoadTestRun.objects.filter(pk=runs[2].pk).update(report=None, status=RunStatus.RUNNING)
        assert "thresholds" not in group_document("lg_b")["summary"]

    def test_runs_that_are_not_finished_are_counted_apart(self) -> None:
        runs = group("lg_a", count=3)
        LoadTestRun.objects.filter(pk=runs[2].pk).update(report=None, status=RunStatus.RUNNING)
        summary = group_document("lg_a")["summary"]
        assert (summary["runs"], summary["finished"]) == (3, 2)

    def test_doubtful_runs_and_different_fleets_make_it_inconclusive(self) -> None:
        group("lg_a")
        group("lg_b", count=4)
        group("lg_b", count=1, story=Story(tasks=200, observed={"foreign_jobs_before": 3}))
        summary = group_document("lg_b")["summary"]
        assert summary["verdict"] == "inconclusive"
        assert "1 of the 5 runs is doubtful" in summary["headline"]
        group("lg_c", count=4)
        group("lg_c", count=1, story=Story(tasks=200, fleet=[described(), described("w2")]))
        assert "not served alike" in group_document("lg_c")["summary"]["headline"]

    def test_nobody_is_no_group(self) -> None:
        for name in ("", "lg_nobody"):
            with pytest.raises(UnknownRun):
                group_document(name)


class TestCompare:
    def test_two_runs_say_what_they_cannot_know(self) -> None:
        before, now = judged(tasks=200), judged(tasks=200, slower=1.2)
        found = comparison(before.test_id, now.test_id)
        assert found["verdict"] == "inconclusive"
        assert "one run against one cannot tell" in found["headline"]
        assert found["figures"]["p50_execution_time_ms"]["change"] == pytest.approx(0.2, abs=0.01)
        assert found["figures"]["p50_execution_time_ms"]["interval"] is None

    def test_two_groups_with_a_change_of_the_settings(self) -> None:
        group("lg_a")
        group("lg_b", slower=0.5, story=Story(tasks=200, fleet=[described(**FAST)]))
        found = comparison("lg_a", "lg_b")
        assert found["verdict"] == "improved"
        assert found["headline"].startswith("poll_delay 0.5 → 0.25: ")
        assert "2.00× the throughput" in found["headline"]
        assert found["changed"] == [{"field": "arq_settings.poll_delay_s", "from": 0.5, "to": 0.25}]
        figure = found["figures"]["steady_state_throughput"]
        assert (figure["n"], figure["n_before"]) == (5, 5)
        assert figure["interval"][0] < figure["change"] < figure["interval"][1]
        assert len(figure["values"]) == len(figure["before_values"]) == 5

    def test_unchanged_groups_say_how_sure_that_is(self) -> None:
        group("lg_a")
        group("lg_b")
        found = comparison("lg_a", "lg_b")
        assert found["verdict"] == "unchanged"
        assert found["headline"].startswith("lg_b against lg_a: no change in throughput")
        assert "would have shown" in found["headline"]

    def test_a_run_against_a_group_and_more_than_two(self) -> None:
        group("lg_a")
        one, two = judged(tasks=200), judged(tasks=200, slower=1.3)
        document = compare(references=["lg_a", one.test_id, two.test_id])
        assert [side["n"] for side in document["sides"]] == [5, 1, 1]
        assert [each["now"] for each in document["comparisons"]] == [one.test_id, two.test_id]
        assert [each["verdict"] for each in document["comparisons"]] == ["unchanged", "regressed"]

    def test_another_workload_is_incomparable_and_names_every_field(self) -> None:
        before = judged(tasks=200)
        now = judged(tasks=100, workload={"seed": 3})
        found = comparison(before.test_id, now.test_id)
        assert (found["verdict"], found["figures"]) == ("incomparable", {})
        assert found["headline"] == "Not the same workload: num_tasks 200 → 100; seed 0 → 3."
        assert [each["field"] for each in found["configuration_differences"]] == [
            "num_tasks",
            "seed",
        ]

    def test_runs_that_ended_early_or_are_doubtful_decide_nothing(self) -> None:
        group("lg_a")
        early = judged(tasks=200, sent=100, status=RunStatus.CANCELLED)
        found = comparison("lg_a", early.test_id)
        assert found["verdict"] == "inconclusive"
        assert f"{early.test_id} is cancelled" in found["headline"]
        doubtful = judged(tasks=200, observed={"foreign_jobs_during": 5})
        assert "5 jobs of others" in comparison("lg_a", doubtful.test_id)["headline"]

    def test_a_group_is_compared_by_its_completed_runs(self) -> None:
        group("lg_a")
        group("lg_b", count=4)
        group("lg_b", count=1, story=Story(tasks=200, sent=20, status=RunStatus.CANCELLED))
        found = comparison("lg_a", "lg_b")
        assert "1 of the 5 runs of lg_b did not complete" in found["because"]
        assert found["figures"]["steady_state_throughput"]["n"] == 4

    def test_what_is_not_there_or_not_finished_is_refused(self) -> None:
        run = judged(tasks=200)
        with pytest.raises(CannotCompare, match="at least two"):
            compare(references=[run.test_id])
        with pytest.raises(UnknownRun):
            compare(references=[run.test_id, "lt_nobody"])
        LoadTestRun.objects.filter(pk=run.pk).update(report=None)
        with pytest.raises(NotAllowedNow, match="no report yet"):
            compare(references=[run.test_id, run.test_id])


class TestFiles:
    def write(self, path: Path, document: object) -> str:
        path.write_text(json.dumps(document))
        return str(path)

    def test_reports_and_groups_are_compared_like_runs(self, tmp_path: Path) -> None:
        group("lg_a")
        file = self.write(tmp_path / "a.json", group_document("lg_a"))
        now = judged(tasks=200, slower=1.3)
        single = self.write(tmp_path / "now.json", now.report)
        for reference in (single, now.test_id):
            found = comparison(file, reference, files=True)
            assert (found["verdict"], found["before"]) == ("regressed", file)

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("no json", "is no JSON"),
            ("[]", "is no loadlab report"),
            ('{"runs": []}', "a group without a run"),
            ('{"schema": 99, "metrics": {}}', "schema 99 and this loadlab reads 1"),
            ('{"schema": 1, "metrics": {}, "status": "running"}', "is still running"),
        ],
    )
    def test_what_is_no_report_is_said_to_be_none(
        self, tmp_path: Path, content: str, says: str
    ) -> None:
        path = tmp_path / "odd.json"
        path.write_text(content)
        with pytest.raises(UnreadableFile, match=says) as told:
            compare(references=[str(path), str(path)], files=True)
        assert told.value.exit_code == 2

    def test_a_server_reads_no_file(self, tmp_path: Path) -> None:
        file = self.write(tmp_path / "a.json", judged(tasks=200).report)
        with pytest.raises(UnknownRun):
            compare(references=[file, file])
