"""What can be done with runs: asked first, carried out by the use cases, logged, said."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin import helpers
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.urls import reverse
from factories import a_configuration, a_run
from people import text_of

from runs.again import MOST_AT_ONCE
from runs.models import LoadTestConfiguration, LoadTestRun
from runs.states import RunStatus

LIST = "admin:runs_loadtestrun_changelist"


def chosen(*runs: LoadTestRun, action: str, **more: str) -> dict[str, Any]:
    return {helpers.ACTION_CHECKBOX_NAME: [run.pk for run in runs], "action": action, **more}


def deed(name: str, run: LoadTestRun) -> str:
    return reverse(f"admin:runs_loadtestrun_{name}", args=[run.test_id])


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_each_deed_asks_before_it_does_anything(boss: Any, finished: Callable[..., Any]) -> None:
    run = finished()
    for name in ("run_again", "pin", "judge"):
        page = text_of(boss.get(deed(name, run)))
        assert 'method="post"' in page
        assert run.test_id in page
        asked = boss.post(reverse(LIST), chosen(run, action=name, index="0"))
        assert asked.status_code == 200
        assert 'name="confirmed"' in text_of(asked)
    assert LoadTestRun.objects.count() == 1
    assert not LogEntry.objects.exists()


def test_run_again_starts_the_same_load_and_logs_the_new_run(
    boss: Any, finished: Callable[..., Any]
) -> None:
    run = finished(label="before", thresholds=["overall_throughput>=1"])
    response = boss.post(deed("run_again", run), follow=True)
    new = LoadTestRun.objects.get(status=RunStatus.PENDING)
    assert response.redirect_chain[-1][0] == reverse(
        "admin:runs_loadtestrun_change", args=[new.test_id]
    )
    assert (new.configuration_id, new.label) == (run.configuration_id, "before")
    assert new.thresholds == ["overall_throughput>=1"]
    assert new.requested_by.get_username() == "boss"
    entry = LogEntry.objects.get()
    assert (entry.action_flag, entry.object_id) == (ADDITION, str(new.pk))


def test_several_runs_are_run_again_from_the_list(boss: Any, finished: Callable[..., Any]) -> None:
    runs = [finished(seed=1), finished(seed=2)]
    boss.post(reverse(LIST), chosen(*runs, action="run_again", confirmed="yes"))
    assert LoadTestRun.objects.filter(status=RunStatus.PENDING).count() == 2


def test_more_than_is_done_in_one_go_is_refused(boss: Any) -> None:
    runs = [a_run(status=RunStatus.FAILED) for _ in range(MOST_AT_ONCE + 1)]
    response = boss.post(
        reverse(LIST), chosen(*runs, action="run_again", confirmed="yes"), follow=True
    )
    assert said(response) == ["101 were chosen and at most 100 are done in one go."]
    assert not LoadTestRun.objects.filter(status=RunStatus.PENDING).exists()


def test_pinning_and_unpinning(boss: Any, finished: Callable[..., Any]) -> None:
    run = finished()
    boss.post(deed("pin", run))
    assert LoadTestConfiguration.objects.get().pinned_run == run
    page = text_of(boss.get(reverse("admin:runs_loadtestrun_change", args=[run.test_id])))
    assert "/unpin/" in page
    assert "/pin/" not in page
    boss.post(deed("unpin", run))
    assert LoadTestConfiguration.objects.get().pinned_run is None
    assert LogEntry.objects.filter(action_flag=CHANGE).count() == 2


def test_a_run_that_did_not_complete_is_not_pinned(boss: Any) -> None:
    run = a_run(status=RunStatus.FAILED)
    response = boss.post(reverse(LIST), chosen(run, action="pin", confirmed="yes"), follow=True)
    assert "only a completed run can be a baseline" in said(response)[0]
    assert not LogEntry.objects.exists()


def test_two_who_cancel_at_once_make_one_cancel(boss: Any) -> None:
    run = a_run(status=RunStatus.PENDING)
    first = boss.post(deed("cancel", run), follow=True)
    second = boss.post(deed("cancel", run), follow=True)
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert said(first) == [f"Cancel: {run.test_id}."]
    assert "there is nothing to cancel" in said(second)[0]
    assert LogEntry.objects.count() == 1


def test_cancelling_a_run_under_way_is_asked_of_its_collector(boss: Any) -> None:
    run = a_run(status=RunStatus.RUNNING)
    for _ in range(2):
        boss.post(deed("cancel", run))
    asked_at = LoadTestRun.objects.get().cancel_requested_at
    assert asked_at is not None
    page = text_of(boss.get(reverse("admin:runs_loadtestrun_change", args=[run.test_id])))
    assert "Cancelling" in page
    assert deed("cancel", run) not in page


def test_judging_again_makes_a_new_report(boss: Any, finished: Callable[..., Any]) -> None:
    run = finished()
    LoadTestRun.objects.filter(pk=run.pk).update(
        headline="old", report={**run.report, "headline": "old"}
    )
    boss.post(deed("judge", run))
    run.refresh_from_db()
    assert run.headline == run.report["headline"] != "old"


def test_compare_selected_leads_to_the_comparison(boss: Any, finished: Callable[..., Any]) -> None:
    older, newer = finished(seed=1, days=2.0), finished(seed=2)
    response = boss.post(reverse(LIST), chosen(newer, older, action="compare_selected", index="0"))
    assert response["Location"] == (
        f"{reverse('admin:compare')}?runs={older.test_id}%2C{newer.test_id}"
    )
    assert boss.get(response["Location"]).status_code == 200
    one = boss.post(reverse(LIST), chosen(newer, action="compare_selected", index="0"), follow=True)
    assert said(one) == ["Choose 2 to 10 runs to compare."]


def test_runs_are_exported(boss: Any, finished: Callable[..., Any]) -> None:
    run = finished(label="=cmd|' /C calc'!A0")
    exported = boss.post(reverse(LIST), chosen(run, action="export_json", index="0"))
    assert exported.headers["Content-Disposition"] == 'attachment; filename="runs.json"'
    assert f'"test_id": "{run.test_id}"' in text_of(exported)
    table = text_of(boss.post(reverse(LIST), chosen(run, action="export_csv", index="0")))
    assert table.splitlines()[0].startswith("test_id,group_id,label")
    assert "'=cmd" in table  # no spreadsheet takes it for a formula
    tasks = text_of(boss.get(deed("csv", run)))
    assert len(tasks.splitlines()) == 151
    assert boss.get(deed("json", run)).json()["test_id"] == run.test_id


def test_selected_configurations_are_run(boss: Any) -> None:
    configurations = [a_configuration(num_tasks=10), a_configuration(num_tasks=20)]
    where = reverse("admin:runs_loadtestconfiguration_changelist")
    data = {
        helpers.ACTION_CHECKBOX_NAME: [each.pk for each in configurations],
        "action": "run_selected",
    }
    assert "Start 2 runs" in text_of(boss.post(where, {**data, "index": "0"}))
    assert not LoadTestRun.objects.exists()
    boss.post(where, {**data, "confirmed": "yes"})
    runs = LoadTestRun.objects.order_by("pk")
    assert [run.configuration_id for run in runs] == [each.pk for each in configurations]
    assert LogEntry.objects.filter(action_flag=ADDITION).count() == 2


def test_of_configurations_one_of_which_cannot_be_run_none_is(boss: Any) -> None:
    good = a_configuration(num_tasks=10)
    gone = a_configuration(task_type="a_type_that_was_removed")
    where = reverse("admin:runs_loadtestconfiguration_changelist")
    data = {
        helpers.ACTION_CHECKBOX_NAME: [good.pk, gone.pk],
        "action": "run_selected",
        "confirmed": "yes",
    }
    response = boss.post(where, data, follow=True)
    assert "task_type is 'a_type_that_was_removed'" in said(response)[0]
    assert not LoadTestRun.objects.exists()


@pytest.mark.parametrize("name", ["A name", ""])
def test_a_configuration_is_named_and_nothing_else_of_it_changes(boss: Any, name: str) -> None:
    configuration = a_configuration(num_tasks=10)
    where = reverse("admin:runs_loadtestconfiguration_change", args=[configuration.pk])
    boss.post(where, {"name": name, "num_tasks": 99, "content_hash": "x"})
    configuration.refresh_from_db()
    assert (configuration.name, configuration.num_tasks) == (name, 10)
