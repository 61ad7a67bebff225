"""Dashboard, run list, baselines, queues, compare: constant in queries, open without Redis."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from factories import a_run
from people import text_of
from simulated_runs import Machine, days_ago

from runs.baselines import pin
from runs.models import LoadTestConfiguration, LoadTestRun
from runs.states import RunStatus

RUNS = "admin:runs_loadtestrun_changelist"
SLOWER = Machine(median_ms=280.0, p95_ms=400.0)


def queries_of(client: Any, where: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(where).status_code == 200
    return len(seen)


@pytest.fixture
def redis_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where nothing listens."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")


def regressed(finished: Callable[..., Any], **changes: Any) -> LoadTestRun:
    """Four runs alike and one much slower."""
    for seed in range(4):
        finished(num_tasks=600, seed=seed, days=6.0 - seed, **changes)
    run: LoadTestRun = finished(num_tasks=600, seed=9, machine=SLOWER, **changes)
    return run


# The run list ---------------------------------------------------------------------------


def test_runs_are_listed_newest_first_on_pages_that_follow_each_other(boss: Any) -> None:
    runs = [a_run(status=RunStatus.FAILED) for _ in range(120)]
    found: list[int] = []
    response = boss.get(reverse(RUNS))
    while True:
        found += [run.pk for run in response.context["cl"].result_list]
        following = response.context["cl"].next_page
        if not following:
            break
        response = boss.get(reverse(RUNS) + following)
    assert found == sorted((run.pk for run in runs), reverse=True)


def test_the_count_stops_at_a_thousand(boss: Any) -> None:
    configuration = a_run(status=RunStatus.FAILED).configuration
    LoadTestRun.objects.bulk_create(
        LoadTestRun(
            test_id=f"lt_x{n:07d}",
            configuration=configuration,
            target_queue="load_test",
            planned_count=1,
            status=RunStatus.FAILED.value,
        )
        for n in range(1_100)
    )
    assert "more than 1000 runs" in text_of(boss.get(reverse(RUNS)))


def test_runs_are_found_by_id_group_and_label(boss: Any) -> None:
    run = a_run(status=RunStatus.FAILED, label="before the change", group_id="lg_0a1b2c3d4e5f")
    a_run(status=RunStatus.FAILED)
    for term in (run.test_id, run.test_id[:-2], "lg_0a1b2c3d4e5f", "before"):
        shown = boss.get(reverse(RUNS), {"q": term}).context["cl"].result_list
        assert [each.pk for each in shown if each.pk == run.pk] == [run.pk], term
    assert not boss.get(reverse(RUNS), {"q": "change"}).context["cl"].result_list


def test_filters_are_fixed_and_narrow_the_list(boss: Any) -> None:
    run = a_run(status=RunStatus.CANCELLED, target_queue="media", group_id="lg_1")
    a_run(status=RunStatus.FAILED)
    for asked in (
        {"status": "cancelled"},
        {"queue": "media"},
        {"group": "lg_1"},
        {"configuration": str(run.configuration_id)},
        {"type": "noop", "queue": "media"},
    ):
        shown = boss.get(reverse(RUNS), asked).context["cl"].result_list
        assert [each.pk for each in shown] == [run.pk], asked
    for asked in ({"status": "asleep"}, {"configuration": "x"}, {"after": "9" * 40}, {"q": "\x00"}):
        assert boss.get(reverse(RUNS), asked, follow=True).status_code == 200


def test_a_hostile_label_is_text(boss: Any) -> None:
    a_run(status=RunStatus.FAILED, label="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in text_of(boss.get(reverse(RUNS)))


# Constant queries -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "most"), [("index", 20), ("baselines", 9), ("queues", 14), ("runs", 8), ("launch", 26)]
)
def test_queries_do_not_follow_the_number_of_runs(
    boss: Any, finished: Callable[..., Any], redis_url: str, name: str, most: int
) -> None:
    where = {"runs": reverse(RUNS), "launch": reverse("admin:runs_loadtestrun_add")}.get(name)
    where = where or reverse(f"admin:{name}")
    regressed(finished)
    boss.get(where)
    few = queries_of(boss, where)
    for turn in range(4):
        finished(num_tasks=60 + turn, task_type="sleep", days=2.0)
        finished(num_tasks=60 + turn, task_type="sleep", seed=turn)
        a_run(status=RunStatus.PENDING, num_tasks=30 + turn)
    assert queries_of(boss, where) == few <= most


# Dashboard ------------------------------------------------------------------------------


def test_the_dashboard_shows_what_runs_what_waits_and_what_got_worse(
    boss: Any, finished: Callable[..., Any]
) -> None:
    worse = regressed(finished)
    assert worse.verdict == "regressed"
    a_run(status=RunStatus.RUNNING, num_tasks=50, sent_count=20, completed_count=10)
    waiting = a_run(status=RunStatus.PENDING)
    page = text_of(boss.get(reverse("admin:index")))
    assert "1\u00a0test" in page or "1 test is running, 1 waits" in page
    assert "Waiting for" in page
    assert waiting.test_id in page
    assert "worse" in page
    assert f"/admin/runs/loadtestrun/{worse.test_id}/change/" in page
    assert "Open baselines" in page


def test_an_empty_site_opens(boss: Any) -> None:
    for name in ("index", "baselines", "queues"):
        assert boss.get(reverse(f"admin:{name}")).status_code == 200
    assert "No run has ended yet." in text_of(boss.get(reverse("admin:index")))


# Baselines ------------------------------------------------------------------------------


def test_the_report_begins_with_what_regressed(boss: Any, finished: Callable[..., Any]) -> None:
    for seed in range(3):
        finished(num_tasks=90, task_type="sleep", seed=seed, days=4.0 - seed)
    worse = regressed(finished)
    LoadTestConfiguration.objects.filter(pk=worse.configuration_id).update(name="checkout")
    response = boss.get(reverse("admin:baselines"))
    rows = response.context["rows"]
    assert rows[0]["verdict"] == "regressed"
    page = text_of(response)
    assert "checkout" in page
    assert page.count('class="ll-spark"') == 2
    compare = response.context["compare"]
    assert compare.split(",")[1] == worse.test_id
    assert boss.get(reverse("admin:compare"), {"runs": compare}).status_code == 200


def test_pages_of_the_report_hold_every_configuration(
    boss: Any, finished: Callable[..., Any]
) -> None:
    for n in range(27):
        finished(num_tasks=20 + n, task_type="sleep")
    first, second = (boss.get(reverse("admin:baselines"), {"page": p}) for p in ("1", "2"))
    ids = [row["configuration_id"] for r in (first, second) for row in r.context["rows"]]
    assert len(ids) == len(set(ids)) == 27
    assert boss.get(reverse("admin:baselines"), {"page": "-1"}).context["before"] == 0
    assert len(text_of(boss.get(reverse("admin:baselines"), {"csv": "1"})).splitlines()) == 28


def test_a_pinned_run_is_named(boss: Any, finished: Callable[..., Any]) -> None:
    run = finished()
    pin(test_id=run.test_id)
    assert f'pinned: <a href="/admin/runs/loadtestrun/{run.test_id}/' in text_of(
        boss.get(reverse("admin:baselines"))
    )


# Compare --------------------------------------------------------------------------------


def test_groups_are_compared_figure_by_figure(boss: Any, finished: Callable[..., Any]) -> None:
    for turn, letter in enumerate("ABBAAB"):
        finished(
            num_tasks=600,
            seed=turn,
            at=days_ago(2.0, minute=turn),
            group_id=f"lg_{letter}",
            machine=Machine(poll_delay_s=0.5 if letter == "A" else 0.05),
        )
    response = boss.get(reverse("admin:compare"), {"runs": "lg_A,lg_B"})
    page = text_of(response)
    block = response.context["blocks"][0]
    assert block["verdict"] == "improved"
    assert "LOAD_<wbr>TEST_<wbr>POLL_<wbr>DELAY=0.05" in page
    assert [row["letter"] for row in response.context["each"]] == list("ABBAAB")
    assert {chart.id for chart in response.context["charts"]} == {
        *("runs", "distributions", "timelines"),
    }
    for chart in ("runs", "distributions", "timelines"):
        table = boss.get(reverse("admin:compare"), {"runs": "lg_A,lg_B", "csv": chart})
        assert len(text_of(table).splitlines()) > 2
    assert "Pin B as baseline" in page


def test_three_runs_are_each_held_against_the_first(
    boss: Any, finished: Callable[..., Any]
) -> None:
    ids = [finished(seed=n, days=3.0 - n).test_id for n in range(3)]
    blocks = boss.get(reverse("admin:compare"), {"runs": ",".join(ids)}).context["blocks"]
    assert [(block["before"], block["now"]) for block in blocks] == [("A", "B"), ("A", "C")]


def test_other_workloads_are_not_compared_and_named(
    boss: Any, finished: Callable[..., Any]
) -> None:
    ids = [finished(num_tasks=n).test_id for n in (60, 70)]
    page = text_of(boss.get(reverse("admin:compare"), {"runs": ",".join(ids)}))
    assert "num_tasks 60" in page
    assert 'data-verdict="incomparable"' in page


@pytest.mark.parametrize("runs", ["", "lt_a", "lt_a,lt_b", "<script>,x", "/etc/passwd,/etc/hosts"])
def test_what_cannot_be_compared_is_said(boss: Any, runs: str) -> None:
    response = boss.get(reverse("admin:compare"), {"runs": runs})
    assert response.status_code == 400
    page = text_of(response)
    assert "errornote" in page
    assert "<script>," not in page


# Redis away -----------------------------------------------------------------------------


def test_every_page_opens_without_redis_and_says_what_is_missing(
    boss: Any, finished: Callable[..., Any], redis_away: None
) -> None:
    run = finished()
    for name, sentence in (
        ("index", "Redis is away"),
        ("queues", "Redis does not answer"),
        ("runs_loadtestrun_add", "Redis is away; a run would wait"),
        ("baselines", "configuration"),
        ("runs_loadtestrun_changelist", run.test_id),
    ):
        began = time.monotonic()
        page = text_of(boss.get(reverse(f"admin:{name}")))
        assert sentence in page, name
        assert time.monotonic() - began < 30  # it does not hang; how fast it is, bench/ prints
    assert "127.0.0.1:1" in text_of(boss.get(reverse("admin:queues")))


def test_a_run_is_launched_while_redis_is_away(boss: Any, redis_away: None) -> None:
    response = boss.post(
        reverse("admin:runs_loadtestrun_add"),
        {"question": "fast", "num_tasks": "5", "task_type": "noop", "target_queue": "load_test"},
    )
    assert response.status_code == 302
    assert LoadTestRun.objects.get().status == RunStatus.PENDING
