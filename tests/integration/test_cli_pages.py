"""What the subcommands print of what is stored, without a process of their own."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from factories import a_run

from runs.cli.exits import refusal
from runs.models import LoadTestRun
from runs.states import RunStatus

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("load_test", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def refused(*arguments: str) -> CommandError:
    with pytest.raises(Exception) as told:  # noqa: PT011  # which error it is, is not the point
        printed(*arguments)
    said = refusal(told.value)
    assert said is not None, told.value
    return said


def test_a_baseline_is_pinned_shown_and_let_go() -> None:
    run = a_run(status=RunStatus.COMPLETED, report={"analysis": {"baseline": {"kind": "none"}}})
    assert run.test_id in printed("baseline", "pin", run.test_id)
    assert LoadTestRun.objects.named(run.test_id).configuration.pinned_run == run
    assert json.loads(printed("baseline", "show", run.test_id, "--json")) == {"kind": "none"}
    assert "kind" in printed("baseline", "show", run.test_id)
    unpinned = json.loads(printed("baseline", "unpin", run.test_id, "--json"))
    assert unpinned == {"test_id": run.test_id, "pinned_run": None}
    assert "is not pinned" in str(refused("baseline", "unpin", run.test_id))


@pytest.mark.parametrize("verb", ["pin", "unpin", "show"])
def test_a_baseline_of_no_run_is_refused(verb: str) -> None:
    assert refused("baseline", verb, "lt_nothing").returncode == 2


def test_only_a_completed_run_is_pinned() -> None:
    run = a_run(status=RunStatus.CANCELLED)
    assert "only a completed run" in str(refused("baseline", "pin", run.test_id))


def test_the_list_is_filtered_and_paged_from_the_newest_on() -> None:
    first, second = a_run(status=RunStatus.COMPLETED), a_run(status=RunStatus.CANCELLED)
    third = a_run(target_queue="media", label="nightly")

    def listed(*arguments: str) -> list[str]:
        rows: list[dict[str, Any]] = json.loads(printed("list", "--json", *arguments))
        return [row["test_id"] for row in rows]

    assert listed() == [third.test_id, second.test_id, first.test_id]
    assert listed("--status", "cancelled") == [second.test_id]
    assert listed("--queue", "media") == [third.test_id]
    assert listed("--limit", "2") == [third.test_id, second.test_id]
    assert listed("--before", second.test_id) == [first.test_id]


def test_a_list_costs_one_query_however_long_it_is(django_assert_num_queries: Any) -> None:
    for _ in range(5):
        a_run(status=RunStatus.COMPLETED)
    with django_assert_num_queries(1):
        printed("list", "--json")


def test_task_types_are_explained_as_json_too() -> None:
    one = json.loads(printed("info", "sleep", "--json"))
    assert one["parameters"][0]["kind"] in {"int", "float", "bool", "str"}
    assert one["name"] in {kind["name"] for kind in json.loads(printed("info", "--json"))}


def test_a_run_that_waits_is_shown_with_what_it_waits_for() -> None:
    first, second = a_run(), a_run()
    assert f"It waits: after {first.test_id} on load_test." in printed("results", second.test_id)
    assert json.loads(printed("results", second.test_id, "--json"))["status"] == "pending"


def test_a_report_is_judged_again_only_once_there_is_one() -> None:
    run = a_run()
    assert refused("evaluate", run.test_id).returncode == 2
