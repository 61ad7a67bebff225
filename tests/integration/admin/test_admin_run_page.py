"""The page of a run: its stored report, as small and as few queries whatever its size."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from factories import a_run, tasks_of
from people import text_of
from simulated_runs import Machine

from runs.models import FleetSample, LoadTestRun
from runs.models.ingest import ingest
from runs.states import RunStatus

MOST_BYTES = 300_000


def page_of(client: Any, run: LoadTestRun) -> str:
    return text_of(client.get(reverse("admin:runs_loadtestrun_change", args=[run.test_id])))


def queries_of(client: Any, where: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(where).status_code == 200
    return len(seen)


def test_it_leads_with_the_stored_sentence_and_its_verdict(
    boss: Any, finished: Callable[..., Any]
) -> None:
    for seed in range(3):
        run = finished(seed=seed, days=4.0 - seed)
    page = page_of(boss, run)
    headline = re.search(r'<h2 id="headline">(.*?)</h2>', page)
    assert headline is not None
    assert headline[1].replace("\u00a0", " ").replace("−", "-") == run.report["gists"]["answer"]
    assert f'data-verdict="{run.verdict}"' in page
    assert page.count("<h1>") == page.count('id="headline"') == 1
    assert page.count("is-primary") == 1


@pytest.mark.parametrize(
    ("status", "came_back"),
    [(RunStatus.CANCELLED, 60), (RunStatus.TIMED_OUT, 90), (RunStatus.FAILED, 0)],
)
def test_a_run_that_did_not_complete_says_how_it_ended(
    boss: Any, finished: Callable[..., Any], status: RunStatus, came_back: int
) -> None:
    page = page_of(boss, finished(status=status, came_back=came_back))
    assert status.value.replace("_", " ") in page
    assert "is-chip" not in page
    assert "{" not in page.split("<main")[1].split("application/json")[0].replace("{{", "")


def test_a_queue_that_keeps_up_leads_with_sojourn_time(
    boss: Any, finished: Callable[..., Any]
) -> None:
    run = finished(
        num_tasks=300, batch_size=1, rate_per_s=20.0, duration_s=15.0, arrival="constant"
    )
    assert run.regime == "keeping_up"
    page = page_of(boss, run)
    assert "sojourn time, p95" in page
    assert "Tasks by queue wait" in page


def test_waits_are_not_shown_where_the_queue_was_saturated(
    boss: Any, finished: Callable[..., Any]
) -> None:
    run = finished(num_tasks=600)
    assert run.regime == "saturated"
    page = page_of(boss, run)
    assert "Tasks by queue wait" not in page
    assert "not judged" in page


def test_thresholds_lead_the_page(boss: Any, finished: Callable[..., Any]) -> None:
    page = page_of(boss, finished(thresholds=["overall_throughput>=1", "overall_throughput>=9999"]))
    assert page.index("overall_throughput&gt;=1") < page.index('id="headline"')
    assert 'data-passed="yes"' in page
    assert 'data-passed="no"' in page


def test_nothing_is_shown_that_the_report_does_not_hold(
    boss: Any, finished: Callable[..., Any]
) -> None:
    """A document of another day may lack anything; the page opens all the same."""
    run = finished()
    bare = {"schema": 1, "test_id": run.test_id, "status": "completed"}
    for document in (bare, {**bare, "analysis": None}, _nothing(run.report)):
        LoadTestRun.objects.filter(pk=run.pk).update(report=document)
        assert (
            boss.get(reverse("admin:runs_loadtestrun_change", args=[run.test_id])).status_code
            == 200
        )


def _nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _nothing(each) for name, each in value.items()}
    return None


def test_size_and_queries_do_not_follow_the_number_of_tasks(
    boss: Any, finished: Callable[..., Any]
) -> None:
    """A long run has 500 points a series at most; its tasks are never read but for the slowest."""
    small, large = finished(num_tasks=120), finished(num_tasks=1500, days=2.0)
    document = _stretched(large.report, points=500)
    LoadTestRun.objects.filter(pk=large.pk).update(report=document)
    where = [reverse("admin:runs_loadtestrun_change", args=[r.test_id]) for r in (small, large)]
    boss.get(where[0])
    assert queries_of(boss, where[0]) == queries_of(boss, where[1]) <= 12
    assert len(boss.get(where[1]).content) <= MOST_BYTES


def _stretched(report: dict[str, Any], *, points: int) -> dict[str, Any]:
    copy = json.loads(json.dumps(report))
    line = copy["analysis"]["timeline"]
    for name, values in line.items():
        if isinstance(values, list) and name != "steady_s":
            line[name] = [(values * points)[place] for place in range(points)]
    copy["metrics"]["total_duration_seconds"] = points * line["interval_s"]
    copy["notes"] = [f"A note that is rather long, number {n}." * 2 for n in range(20)]
    copy["analysis"]["failures"] = [
        {"error_type": f"Error{n}" * 10, "count": n, "example": "x" * 2_000} for n in range(50)
    ]
    return copy


def test_each_chart_has_its_figures_as_csv(boss: Any, finished: Callable[..., Any]) -> None:
    for seed in range(3):
        run = finished(num_tasks=600, seed=seed, days=4.0 - seed, failing=(7,))
    page = page_of(boss, run)
    addresses = set(re.findall(r'href="([^"]+/charts/[^"]+\.csv)"', page))
    assert {where.rpartition("/")[2] for where in addresses} == {
        *("finished.csv", "execution-time-ms.csv", "history-chart.csv", "poll.csv"),
        "resources.csv",
    }
    for where in addresses:
        rows = list(csv.reader(io.StringIO(text_of(boss.get(where)))))
        assert len(rows) > 2
        assert len({len(row) for row in rows}) == 1
    assert (
        boss.get(reverse("admin:runs_loadtestrun_chart", args=[run.test_id, "x"])).status_code
        == 404
    )


def test_the_data_of_a_chart_cannot_end_its_element(
    boss: Any, finished: Callable[..., Any]
) -> None:
    page = page_of(boss, finished())
    for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL):
        assert "<" not in text
        assert json.loads(text)["series"]


def test_failures_lead_to_their_tasks(boss: Any, finished: Callable[..., Any]) -> None:
    run = finished(failing=(3, 9))
    where = re.search(r'href="([^"]+error=ValueError)"', page_of(boss, run))
    assert where is not None
    listed = text_of(boss.get(where[1].replace("&amp;", "&")))
    assert listed.count('class="field-task"') == 2


def test_no_page_writes_style_or_script_into_itself(
    boss: Any, finished: Callable[..., Any]
) -> None:
    run = finished()
    for where in (
        *("/admin/", "/admin/runs/loadtestrun/", "/admin/runs/loadtestrun/add/"),
        reverse("admin:runs_loadtestrun_change", args=[run.test_id]),
    ):
        response = boss.get(where)
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        page = text_of(response)
        assert " style=" not in page
        assert "<style" not in page
        assert not re.search(r"<script(?![^>]*( src=|application/json))", page)
        assert not re.search(r"\son[a-z]+=", page)


# While it runs -------------------------------------------------------------------------------


def under_way(**changes: Any) -> LoadTestRun:
    now = datetime.now(tz=UTC)
    run = a_run(
        status=RunStatus.RUNNING,
        num_tasks=100,
        started_at=now - timedelta(seconds=4),
        deadline_at=now + timedelta(seconds=25),
        sent_count=100,
        **changes,
    )
    FleetSample.objects.create(run=run, at=now, workers=1, queued=60, running=30)
    return run


def recent(run: LoadTestRun, sequences: range, **changes: Any) -> list[Any]:
    at_us = int((datetime.now(tz=UTC) - timedelta(seconds=3)).timestamp() * 1_000_000)
    return [
        task._replace(started_us=at_us, finished_us=at_us + 10_000 * task.sequence)
        for task in tasks_of(run, sequences, **changes)
    ]


def test_a_run_under_way_shows_how_far_it_is_and_no_verdict(boss: Any) -> None:
    run = under_way()
    ingest(run.pk, recent(run, range(1, 41)))
    page = page_of(boss, run)
    assert "40 of 100 finished" in page
    assert 'value="40"' in page
    assert "Finished per second" in page
    assert "Verdict and percentiles come when the run has ended." in page
    assert "is-chip" not in page
    assert "<noscript>" in page


def test_its_fragment_costs_the_same_for_any_number_of_tasks(boss: Any) -> None:
    run = under_way()
    where = reverse("admin:runs_loadtestrun_live", args=[run.test_id])
    ingest(run.pk, recent(run, range(1, 3)))
    few = queries_of(boss, where)
    ingest(run.pk, recent(run, range(3, 91)))
    assert queries_of(boss, where) == few <= 12
    assert "<html" not in text_of(boss.get(where))
    assert "no-store" in boss.get(where)["Cache-Control"]


def test_a_fragment_of_an_ended_run_has_the_page_loaded_again(
    boss: Any, finished: Callable[..., Any]
) -> None:
    response = boss.get(reverse("admin:runs_loadtestrun_live", args=[finished().test_id]))
    assert response["HX-Refresh"] == "true"
    assert not response.content


def test_a_waiting_run_says_what_it_waits_for(boss: Any) -> None:
    ahead = under_way()
    page = page_of(boss, a_run(status=RunStatus.PENDING))
    assert f"Waiting for {ahead.test_id} on load_test" in page
    assert f'href="/admin/runs/loadtestrun/{ahead.test_id}/change/"' in page


def test_without_a_dispatcher_it_says_what_to_start(boss: Any) -> None:
    page = page_of(boss, a_run(status=RunStatus.PENDING))
    assert "No dispatcher is running" in page
    assert "<code>make up</code>" in page


def test_without_a_worker_it_says_which_to_start(boss: Any) -> None:
    run = under_way()
    FleetSample.objects.update(workers=0, running=0)
    page = page_of(boss, run)
    assert "No worker answers, about" in page
    assert "manage.py runworker_loadtest --queue load_test" in page


def test_a_change_that_is_recommended_can_be_tried_by_a_command(
    boss: Any, finished: Callable[..., Any]
) -> None:
    run = finished(num_tasks=600, machine=Machine())
    assert f"/{run.test_id}/try/" in page_of(boss, run)
    page = text_of(boss.get(reverse("admin:runs_loadtestrun_try", args=[run.test_id])))
    assert "loadlab try --change poll_delay=0.05" in page
    assert "LOAD_<wbr>TEST_<wbr>POLL_<wbr>DELAY=0.05" in page
    assert (
        boss.get(reverse("admin:runs_loadtestrun_try", args=[under_way().test_id])).status_code
        == 404
    )
