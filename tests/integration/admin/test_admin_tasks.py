"""Tasks: lists read off an index, pages that show hostile results as the text they are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from factories import a_run, tasks_of
from people import text_of

from runs.models import TaskMetric
from runs.models.ingest import ingest
from runs.states import RunStatus, TaskState

LIST = "admin:runs_taskmetric_changelist"
SCRIPT = "<script>alert('x')</script>"


def task_page(client: Any, task: TaskMetric) -> str:
    return text_of(client.get(reverse("admin:runs_taskmetric_change", args=[task.pk])))


def shown(response: Any) -> list[str]:
    return [task.task_id for task in response.context["cl"].result_list]


@pytest.fixture
def run(db: None) -> Any:
    run = a_run(status=RunStatus.RUNNING, num_tasks=260)
    ingest(run.pk, tasks_of(run, range(1, 251)))
    ingest(run.pk, tasks_of(run, range(251, 259), state=TaskState.FAILED))
    ingest(run.pk, tasks_of(run, range(259, 261), state=TaskState.LOST))
    return run


def pages(client: Any, **asked: str) -> list[str]:
    """The ids on all pages of a list, following its own links."""
    found: list[str] = []
    response = client.get(reverse(LIST), asked)
    while True:
        found += shown(response)
        following = response.context["cl"].next_page
        if not following:
            return found
        response = client.get(f"{reverse(LIST)}{following}")


@pytest.mark.parametrize("order", ["", "slowest"])
def test_the_pages_of_a_run_hold_every_task_once(boss: Any, run: Any, order: str) -> None:
    ids = pages(boss, run=run.test_id, **({"order": order} if order else {}))
    assert len(ids) == len(set(ids)) == 260 if not order else 258
    if not order:
        assert ids == sorted(ids)


def test_the_list_of_all_tasks_is_the_latest_first(boss: Any, run: Any) -> None:
    ids = pages(boss)
    assert len(ids) == 260
    finished = dict(TaskMetric.objects.values_list("task_id", "finished_at"))
    instants = [finished[each] for each in ids]
    assert instants == sorted(instants, reverse=True)


def test_a_task_is_found_by_its_id_or_how_it_begins(boss: Any, run: Any) -> None:
    whole = f"{run.test_id}-0000007"
    assert shown(boss.get(reverse(LIST), {"q": whole})) == [whole]
    assert len(shown(boss.get(reverse(LIST), {"q": f"{run.test_id}-00000"}))) == 99
    assert shown(boss.get(reverse(LIST), {"q": "%"})) == []


def test_states_and_errors_are_asked_for_within_a_run(boss: Any, run: Any) -> None:
    failed = boss.get(reverse(LIST), {"run": run.test_id, "state": "failed"})
    assert len(shown(failed)) == 8
    lost = boss.get(reverse(LIST), {"run": run.test_id, "state": "lost"})
    assert len(shown(lost)) == 2
    by_error = {"run": run.test_id, "state": "failed", "error": "ValueError"}
    assert len(shown(boss.get(reverse(LIST), by_error))) == 8
    assert shown(boss.get(reverse(LIST), {**by_error, "error": "KeyError"})) == []
    assert "By state" not in text_of(boss.get(reverse(LIST)))


@pytest.mark.parametrize(
    "asked",
    [
        {"after": "x"},
        {"after": "1:2:3", "order": "slowest"},
        {"after": "999999999999999999999:1", "order": "slowest"},
        {"after": "-1"},
        {"run": "lt_nothing"},
        {"state": "asleep"},
        {"q": "\x00"},
        {"p": "99"},
        {"o": "1.2"},
        {"all": ""},
        {"e": "1"},
    ],
)
def test_a_strange_address_is_no_error(boss: Any, run: Any, asked: dict[str, str]) -> None:
    response = boss.get(reverse(LIST), {"run": run.test_id, **asked}, follow=True)
    assert response.status_code == 200


def test_a_list_takes_the_same_few_queries_wherever_one_is_in_it(boss: Any, run: Any) -> None:
    counts = set()
    for asked in (
        {"run": run.test_id},
        {"run": run.test_id, "after": "100"},
        {"run": run.test_id, "after": "240"},
    ):
        with CaptureQueriesContext(connection) as seen:
            boss.get(reverse(LIST), asked)
        counts.add(len(seen))
        said = " ".join(query["sql"] for query in seen.captured_queries)
        assert "OFFSET" not in said
        assert "DISTINCT" not in said
    assert len(counts) == 1
    assert counts.pop() <= 8


def test_a_task_page_shows_instants_metrics_arguments_and_result(boss: Any, run: Any) -> None:
    page = task_page(boss, run.tasks.get(sequence=3))
    for part in ("Instants", "enqueued", "Measured", "slept_ms", "Arguments", "seed", "Result"):
        assert part in page
    failed = task_page(boss, run.tasks.get(sequence=252))
    assert "ValueError" in failed
    assert "bad input" in failed


def test_a_lost_task_has_a_page(boss: Any) -> None:
    run = a_run(status=RunStatus.RUNNING, num_tasks=2)
    TaskMetric.objects.account_for_rest(run_id=run.pk, up_to=2, state=TaskState.LOST)
    assert "lost" in task_page(boss, run.tasks.first())


def test_what_a_task_says_is_shown_as_text_and_never_run(boss: Any, run: Any) -> None:
    run.tasks.filter(sequence=1).update(
        error_type=SCRIPT,
        error_message=f"{SCRIPT} \x1b[31mred\x07 \u202eright to left \u0000"[:-1],
        traceback=f"{SCRIPT}\n\x08\x7f",
        worker=SCRIPT,
        metrics={SCRIPT: SCRIPT, "nested": {"a": [1, {"b": SCRIPT}]}, "x_ms": True},
        state=TaskState.FAILED.value,
    )
    page = task_page(boss, run.tasks.get(sequence=1))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "\\u001b" in page
    assert "\\u202e" in page
    for control in ("\x1b", "\x07", "\u202e", "\x08", "\x7f"):
        assert control not in page
    listed = text_of(boss.get(reverse(LIST), {"run": run.test_id}))
    assert "<script>alert" not in listed


def test_long_text_is_cut_and_says_so(boss: Any, run: Any) -> None:
    run.tasks.filter(sequence=1).update(
        traceback="x" * 5_000_000, metrics={"text": "y" * 5_000_000}
    )
    page = task_page(boss, run.tasks.get(sequence=1))
    assert len(page) < 100_000
    assert "Long text is cut here" in page


def test_hostile_failures_on_the_run_page(boss: Any, finished: Callable[..., Any]) -> None:
    run = finished(failing=(1, 2, 3))
    run.tasks.filter(state="failed").update(error_type=SCRIPT, error_message=SCRIPT * 50)
    boss.post(reverse("admin:runs_loadtestrun_judge", args=[run.test_id]))
    page = text_of(boss.get(reverse("admin:runs_loadtestrun_change", args=[run.test_id])))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_task_that_is_not_there_is_404(boss: Any) -> None:
    for name in ("lt_x-0000001", "a/b", "%00"):
        where = reverse("admin:runs_taskmetric_change", args=[name])
        assert boss.get(where).status_code == 404
