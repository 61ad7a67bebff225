"""However a run went, it gets the whole report: every key, honest sentences, no NaN."""

import json
import re
from typing import Any

import pytest
from factories import ORIGIN_US
from stored_runs import SLOTS, Story, described, judged, report_of

from runs.evaluate import evaluate_again
from runs.states import RunStatus, TaskState

pytestmark = pytest.mark.django_db

TOP = {
    *("schema", "test_id", "status", "label", "group_id", "headline", "gists", "notes"),
    *("created_at", "started_at", "finished_at", "configuration", "metrics", "thresholds"),
    "analysis",
}
METRICS = {
    *("tasks_sent", "tasks_completed", "tasks_failed", "tasks_lost", "tasks_cancelled"),
    *("total_duration_seconds", "overall_throughput", "steady_state_throughput"),
    *("failure_rate_percent", "completion_percentage", "offered_percent", "utilisation_percent"),
}
ANALYSIS = {
    *("performance_analysis", "task_metrics", "distribution", "type_metrics", "regime", "because"),
    *("bottleneck", "baseline", "failures", "accounting", "environment", "timeline", "poll_cycle"),
    "doubts",
}
PERFORMANCE = {
    *("throughput_rating", "efficiency_rating", "queue_pressure", "recommendations", "because"),
}
TASK_METRICS = {
    f"{statistic}_{time}_ms"
    for statistic in ("avg", "p50", "p95", "p99")
    for time in ("execution_time", "queue_wait", "sojourn_time")
} | {"n", "intervals", "intervals_are", "p99_dispatch_lag_ms", "max_dispatch_lag_ms"}
BASELINE = {"kind", "runs", "n", "verdict", "because", "figures", "changed"}
ACCOUNTING = {
    *("planned", "sent", "completed", "failed", "cancelled", "lost", "outstanding", "retries")
}
ENVIRONMENT = {
    *("slots", "processes", "arq_settings", "host_class", "versions", "revision", "clock_skew"),
    "observer",
}

NONSENSE = re.compile(r"\bnan\b|\binf\b|\bNone\b(?! of)|Regime|CeilingName|  ")
FAR_FUTURE_US = 4_102_444_800_000_000  # the year 2100
SOON_US = ORIGIN_US + 250_000
STOLEN_FROM = described(first_beat={"stolen_s": 5.0}, beat={"stolen_s": 366.0})
STORIES: dict[str, Story] = {
    "completed": Story(),
    "cancelled": Story(
        sent=60, missing=20, missing_state=TaskState.CANCELLED, status=RunStatus.CANCELLED
    ),
    "cancelled before anything was sent": Story(sent=0, fleet=[], status=RunStatus.CANCELLED),
    "timed out": Story(missing=30, status=RunStatus.TIMED_OUT),
    "failed": Story(sent=20, missing=20, missing_state=None, status=RunStatus.FAILED),
    "one task": Story(tasks=1),
    "two tasks": Story(tasks=2),
    "all failed": Story(failed=range(1, 101)),
    "some failed": Story(failed=(3, 4)),
    "all lost, with workers": Story(missing=100, status=RunStatus.TIMED_OUT),
    "all lost, without a worker": Story(missing=100, fleet=[], status=RunStatus.TIMED_OUT),
    "a task that took no time": Story(tasks=1, execution_s=0.0),
    "no time at all": Story(execution_s=0.0),
    "constant samples": Story(tasks=400),
    "spread samples": Story(tasks=400, wobble=0.3),
    "no metrics": Story(metrics=None),
    "absurd metrics": Story(
        metrics='{"slept_ms": 1.7e308, "overshoot_ms": -1.7e308, "pool_wait_ms": 1e300, "": 1e-310}'
    ),
    "metrics of other kinds": Story(
        metrics='{"slept_ms": "five", "overshoot_ms": null, "pool_wait_ms": [1], "x y": {"z": 1}}'
    ),
    "metrics that are a list": Story(metrics="[1, 2, 3]"),
    "a worker's clock far ahead": Story(fleet=[described(clock_offset_s=7200.0)]),
    "a worker's clock far behind": Story(fleet=[described(clock_offset_s=-7200.0)]),
    "a clock unknown to 100 s": Story(fleet=[described(first_beat={"clock_error_s": 100.0})]),
    "an end in 2100": Story(instants={7: {"finished_us": FAR_FUTURE_US}}),
    "a start in 1970": Story(instants={7: {"started_us": 0}}),
    "sent after all was done": Story(instants={n: {"enqueued_us": SOON_US} for n in range(1, 101)}),
    "no instant of sending": Story(
        instants={n: {"enqueued_us": None, "intended_us": None} for n in range(1, 101)}
    ),
    "no instants at all": Story(
        failed=range(1, 101),
        instants={
            n: {"enqueued_us": None, "intended_us": None, "started_us": None, "finished_us": None}
            for n in range(1, 101)
        },
    ),
    "a machine that others were given": Story(fleet=[STOLEN_FROM]),
    "a count of what was stolen that began anew": Story(
        fleet=[described(first_beat={"stolen_s": 9.0}, beat={"stolen_s": 1.0})]
    ),
    "a fleet that changed": Story(
        fleet=[described(), described("w2", first_beat={"at": ORIGIN_US / 1e6 + 30})]
    ),
    "fleets that differ": Story(fleet=[described(), described("w2", settings={"max_jobs": 40})]),
    "an unknown worker": Story(worker="stranger"),
    "no fleet, but results": Story(fleet=[]),
    "no polls": Story(fleet=[described(settings={"poll_delay_s": 0.0})]),
    "foreign jobs": Story(observed={"foreign_jobs_before": 12}),
    "a Redis that restarted": Story(
        observed={"redis_cpu_s_at_start": 9.0, "redis_cpu_s_at_end": 1.0}
    ),
    "a rate": Story(
        workload={
            "rate_per_s": 20.0,
            "duration_s": 5.0,
            "arrival": "constant",
            "batch_size": 1,
        }
    ),
    "batches": Story(workload={"delay_ms": 500.0}),
    "a type nobody knows any more": Story(workload={"task_type": "of_yesterday"}),
}


@pytest.fixture(params=STORIES, ids=lambda name: name.replace(" ", "_"))
def report(request: pytest.FixtureRequest) -> dict[str, Any]:
    return report_of(STORIES[request.param])


def test_every_key_is_there(report: dict[str, Any]) -> None:
    analysis = report["analysis"]
    assert set(report) == TOP
    assert set(report["metrics"]) == METRICS
    assert set(analysis) == ANALYSIS
    assert set(analysis["performance_analysis"]) == PERFORMANCE
    assert set(analysis["task_metrics"]) == TASK_METRICS
    assert set(analysis["baseline"]) == BASELINE
    assert set(analysis["accounting"]) == ACCOUNTING
    assert set(analysis["environment"]) == ENVIRONMENT


def test_every_part_has_its_published_keys() -> None:
    for _ in range(2):
        judged()
    report = report_of(failed=(3, 4), run={"thresholds": ["tasks_sent>=1"]})
    analysis = report["analysis"]
    parts: list[tuple[dict[str, Any], str]] = [
        (analysis["bottleneck"], "binding ceilings change"),
        (analysis["bottleneck"]["ceilings"][0], "name throughput_per_s formula inputs"),
        (analysis["bottleneck"]["change"], "setting from to predicted_throughput_per_s cost"),
        (analysis["timeline"], "interval_s sent finished failed backlog in_flight"),
        (analysis["timeline"], "worker_cpu_percent worker_rss_mb redis_cpu_percent"),
        (analysis["poll_cycle"], "period_s slots_in_use busy_percent"),
        (analysis["type_metrics"]["slept_ms"], "mean p50 p95 min max n"),
        (analysis["failures"][0], "error_type count example"),
        (analysis["distribution"], "execution_time_ms queue_wait_ms sojourn_time_ms"),
        (report["thresholds"][0], "expression value passed because"),
        *(
            (figure, "baseline value ratio ratio_interval verdict")
            for figure in analysis["baseline"]["figures"].values()
        ),
    ]
    for part, names in parts:
        assert set(names.split()) <= set(part), part
    assert analysis["baseline"]["kind"] == "history"
    assert set(analysis["baseline"]["figures"]) == {
        *("steady_state_throughput", "p50_execution_time_ms", "p95_execution_time_ms"),
        "failure_rate_percent",
    }


def test_it_is_json_that_any_reader_takes(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_every_sentence_is_one(report: dict[str, Any]) -> None:
    analysis = report["analysis"]
    said = [report["headline"], analysis["baseline"]["because"], *report["notes"]]
    said += [*report["gists"].values(), *analysis["performance_analysis"]["because"].values()]
    said += analysis["performance_analysis"]["recommendations"]
    assert report["headline"]
    for sentence in said:
        assert sentence.strip() == sentence != ""
        assert not NONSENSE.search(sentence), sentence


def test_the_books_balance(report: dict[str, Any]) -> None:
    accounting = report["analysis"]["accounting"]
    parts = ("completed", "failed", "cancelled", "lost", "outstanding")
    assert accounting["sent"] == sum(accounting[name] for name in parts)


def test_it_is_judged_again_without_a_change(report: dict[str, Any]) -> None:
    [again] = evaluate_again([report["test_id"]])
    assert _as_floats(again) == _as_floats(report)


def _as_floats(report: dict[str, Any]) -> Any:
    """why: PostgreSQL gives 1e300 back with all its digits, as an integer."""
    return json.loads(json.dumps(report), parse_int=float)


class TestWhatIsSaid:
    """The sentences that a reader needs where a run is not an ordinary one."""

    def test_a_cancelled_run_is_said_to_be_one_and_not_compared(self) -> None:
        report = report_of(STORIES["cancelled"])
        assert report["headline"].startswith("Cancelled after 60 of 100 tasks")
        assert "the run was cancelled" in report["analysis"]["baseline"]["because"]

    def test_percentiles_over_survivors_say_how_many_are_missing(self) -> None:
        report = report_of(STORIES["timed out"])
        assert "30 of 100" in report["headline"]
        assert any("30 of 100 are missing" in note for note in report["notes"])

    def test_all_failed_is_no_throughput(self) -> None:
        report = report_of(STORIES["all failed"])
        assert report["headline"].startswith("No task was completed: all 100 failed (ValueError)")
        ratings = report["analysis"]["performance_analysis"]
        assert (ratings["throughput_rating"], ratings["efficiency_rating"]) == ("unrated", "poor")

    def test_absurd_metrics_are_reported_as_they_are(self) -> None:
        metrics = report_of(STORIES["absurd metrics"])["analysis"]["type_metrics"]
        assert metrics["slept_ms"]["mean"] == pytest.approx(1.7e308)
        assert metrics["overshoot_ms"]["n"] == 100

    def test_metrics_that_are_no_numbers_are_none(self) -> None:
        assert report_of(STORIES["metrics of other kinds"])["analysis"]["type_metrics"] == {}

    def test_all_lost_has_no_figures_and_no_rating_out_of_nothing(self) -> None:
        report = report_of(STORIES["all lost, without a worker"])
        assert report["metrics"]["overall_throughput"] is None
        assert report["analysis"]["bottleneck"] is None
        assert report["analysis"]["performance_analysis"]["queue_pressure"] is None
        assert any("no figure of time" in note for note in report["notes"])

    def test_one_task_has_no_percentile(self) -> None:
        report = report_of(STORIES["one task"])
        times = report["analysis"]["task_metrics"]
        assert (times["n"], times["p50_execution_time_ms"]) == (1, None)
        assert any("need more than 1 task" in note for note in report["notes"])

    def test_foreign_jobs_make_it_inconclusive_with_their_count(self) -> None:
        for _ in range(3):
            judged()
        run = judged(STORIES["foreign jobs"])
        assert run.verdict == "inconclusive"
        assert "12 jobs of others" in run.report["analysis"]["baseline"]["because"]
        assert "12 jobs of others" in run.headline
        assert any("12 jobs of others" in note for note in run.report["notes"])

    def test_clocks_that_are_far_apart_are_corrected_and_said(self) -> None:
        ahead = report_of(
            fleet=[described(clock_offset_s=7200.0)],
            instants={
                n: {"started_us": start + 7_200_000_000, "finished_us": start + 7_200_200_000}
                for n in range(1, 101)
                for start in [ORIGIN_US + 100_000 + 500_000 * ((n - 1) // SLOTS)]
            },
        )
        assert ahead["analysis"]["task_metrics"]["p50_queue_wait_ms"] == pytest.approx(2100, 0.01)
        assert any("clocks" in note and "2 h" in note for note in ahead["notes"])

    def test_skew_that_is_larger_than_the_waits_is_not_clamped_away(self) -> None:
        report = report_of(instants={n: {"enqueued_us": SOON_US} for n in range(1, 101)})
        waits = report["analysis"]["task_metrics"]
        assert waits["avg_queue_wait_ms"] < waits["p95_queue_wait_ms"]
        assert any("before they were sent" in note for note in report["notes"])

    def test_a_fleet_that_changed_is_doubtful(self) -> None:
        for _ in range(3):
            judged()
        run = judged(STORIES["a fleet that changed"])
        assert any("came, went or changed" in note for note in run.report["notes"])

    def test_workers_of_different_settings_are_all_listed(self) -> None:
        environment = report_of(STORIES["fleets that differ"])["analysis"]["environment"]
        assert (environment["slots"], environment["processes"]) == (50, 2)
        assert [each["max_jobs"] for each in environment["arq_settings"]] == [10, 40]

    def test_tasks_of_an_unknown_worker_are_counted(self) -> None:
        report = report_of(STORIES["an unknown worker"])
        assert any("100 tasks ran on workers that did not" in note for note in report["notes"])

    @pytest.mark.parametrize("story", ["an end in 2100", "a start in 1970"])
    def test_impossible_instants_are_left_out_and_counted(self, story: str) -> None:
        """The database refuses an end before its start; more it cannot know."""
        report = report_of(STORIES[story])
        assert report["metrics"]["tasks_completed"] == 100
        assert report["analysis"]["task_metrics"]["n"] == 99
        assert report["analysis"]["task_metrics"]["p95_execution_time_ms"] == 200
        assert any("1 task had impossible instants" in note for note in report["notes"])


def test_a_report_says_that_the_machine_was_given_to_others() -> None:
    said = " ".join(report_of(Story(fleet=[STOLEN_FROM]))["notes"])
    assert "The hypervisor gave 10 % of the workers' machine to others" in said
    assert "hypervisor" not in " ".join(report_of(Story())["notes"])
