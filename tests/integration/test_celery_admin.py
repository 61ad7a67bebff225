"""The admin looks as django-celery-results' does, over our rows, and lets nobody do too much."""

import asyncio
from typing import Any

import pytest
from arq.connections import create_pool
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from factories import a_run, tasks_of

from runs.models import LoadTestRun, TaskMetric
from runs.models.ingest import ingest
from runs.states import RunStatus, TaskState
from workers.settings import queue_key, redis_settings

pytestmark = pytest.mark.django_db

LIST = "admin:runs_taskresult_changelist"
COLUMNS = ("task_id", "periodic_task_name", "task_name", "date_done", "status", "worker")


def a_person(*permissions: str) -> Client:
    user = User.objects.create_user(f"u{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def viewer() -> Client:
    return a_person("view_loadtestrun")


@pytest.fixture
def run() -> LoadTestRun:
    """Sequence 1 completed, 2 failed, 3 cancelled, 4 lost."""
    run = a_run(status=RunStatus.COMPLETED, task_type="io_simulation")
    completed, failed = tasks_of(run, [1, 2])
    failed = failed._replace(state=TaskState.FAILED.value, error_type="ValueError", worker="w2")
    ingest(run.pk, [completed, failed])
    for up_to, state in ((3, TaskState.CANCELLED), (4, TaskState.LOST)):
        TaskMetric.objects.account_for_rest(run_id=run.pk, up_to=up_to, state=state)
    fleet = [{"worker_id": "w1"}, {"worker_id": "w2"}]
    LoadTestRun.objects.filter(pk=run.pk).update(fleet=fleet)
    return run


def listed(client: Client, **query: str) -> list[int]:
    """The sequences that the list shows."""
    page = client.get(reverse(LIST), query)
    assert page.status_code == 200
    return [task.sequence for task in page.context["cl"].result_list]


def test_columns_are_those_of_django_celery_results(viewer: Client, run: LoadTestRun) -> None:
    page = viewer.get(reverse(LIST))
    shown = [name for name in page.context["cl"].list_display if name != "action_checkbox"]
    assert tuple(shown) == COLUMNS
    text = page.content.decode()
    for word in ("Task Name", "Completed DateTime", "Task State", "io_simulation_task", "REVOKED"):
        assert word in text, word


@pytest.mark.parametrize(
    ("query", "sequences"),
    [
        ({}, [4, 3, 2, 1]),
        ({"status": "SUCCESS"}, [1]),
        ({"status": "FAILURE"}, [4, 2]),
        ({"status": "REVOKED"}, [3]),
        ({"task_name": "io_simulation_task"}, [4, 3, 2, 1]),
        ({"task_name": "sleep"}, []),
        ({"worker": "w2"}, [2]),
        ({"date_done": "This year"}, [2, 1]),
        ({"q": "io_simulation_task"}, [4, 3, 2, 1]),
        ({"q": "sleep"}, []),
        ({"q": "nothing that begins so"}, []),
    ],
)
def test_filters_and_search(
    viewer: Client, run: LoadTestRun, query: dict[str, str], sequences: list[int]
) -> None:
    if "date_done" in query:
        now = "now()"
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE runs_taskmetric SET finished_at = {now} WHERE sequence < 3")
    assert listed(viewer, **query) == sequences


def test_search_by_id_is_exact_or_by_its_beginning(viewer: Client, run: LoadTestRun) -> None:
    assert listed(viewer, q=run.test_id) == [4, 3, 2, 1]
    assert listed(viewer, q=f"{run.test_id}-0000002") == [2]


def test_every_field_is_read_only(viewer: Client, run: LoadTestRun) -> None:
    page = viewer.get(reverse("admin:runs_taskresult_change", args=[f"{run.test_id}-0000002"]))
    assert page.status_code == 200
    text = page.content.decode()
    assert 'name="_save"' not in text
    assert "ValueError" in text
    assert "&quot;run_id&quot;" in text
    assert viewer.get(reverse("admin:runs_taskresult_add")).status_code == 403


@pytest.mark.parametrize("suffix", ["26ab12", "40ab12", "ffab12"])
def test_an_id_is_found_plain_and_as_django_escapes_it(
    viewer: Client, run: LoadTestRun, suffix: str
) -> None:
    """`_26` is how Django writes `&` in an address."""
    like = f"lt_20261124T094501_{suffix}"
    LoadTestRun.objects.filter(pk=run.pk).update(test_id=like, fleet=[])
    (task,) = TaskMetric.objects.filter(run=run, sequence=2)
    TaskMetric.objects.filter(pk=task.pk).update(task_id=f"{like}-0000002")
    for reference in (f"{like}-0000002", quote(f"{like}-0000002")):
        for name in ("runs_taskresult_change", "runs_taskresult_history"):
            page = viewer.get(reverse(f"admin:{name}", args=[reference]))
            assert page.status_code == 200, (name, reference)
    for name in ("runs_loadtestrun_change", "runs_loadtestrun_history"):
        assert viewer.get(reverse(f"admin:{name}", args=[like])).status_code == 200
    for name in ("runs_taskmetric_change", "runs_taskmetric_history"):
        page = viewer.get(reverse(f"admin:{name}", args=[f"{like}-0000002"]))
        assert page.status_code == 200


def test_who_may_only_view_is_offered_no_action_and_can_post_none(
    viewer: Client, run: LoadTestRun, redis_url: str
) -> None:
    page = viewer.get(reverse(LIST))
    assert "terminate_task" not in page.content.decode()
    asyncio.run(_queue(f"{run.test_id}-0000004"))
    chosen = {"action": "terminate_task", "_selected_action": [f"{run.test_id}-0000004"]}
    viewer.post(reverse(LIST), chosen, follow=True)
    assert asyncio.run(_asked_to_abort()) == []


def test_who_may_not_see_runs_sees_nothing(run: LoadTestRun) -> None:
    assert a_person().get(reverse(LIST)).status_code == 403
    assert Client().get(reverse(LIST)).status_code == 302


def test_terminating_says_honestly_what_came_of_it(run: LoadTestRun, redis_url: str) -> None:
    client = a_person("view_loadtestrun", "cancel_loadtestrun")
    assert "Terminate selected tasks" in client.get(reverse(LIST)).content.decode()
    still_there = f"{run.test_id}-0000004"
    asyncio.run(_queue(still_there))
    chosen = {
        "action": "terminate_task",
        "_selected_action": [f"{run.test_id}-0000001", still_there],
    }
    answer = client.post(reverse(LIST), chosen, follow=True)
    assert "1 terminated; 1 had ended already" in answer.content.decode()
    assert asyncio.run(_asked_to_abort()) == [still_there]


async def _queue(task_id: str) -> None:
    pool = await create_pool(redis_settings())
    await pool.enqueue_job("noop", _job_id=task_id, _queue_name=queue_key("load_test"))
    await pool.aclose()


async def _asked_to_abort() -> list[str]:
    pool: Any = await create_pool(redis_settings())
    found = [task_id.decode() for task_id in await pool.zrange("arq:abort", 0, -1)]
    await pool.aclose()
    return found


def test_the_list_walks_the_primary_key(viewer: Client) -> None:
    run = a_run(status=RunStatus.COMPLETED, num_tasks=5_000)
    ingest(run.pk, tasks_of(run, range(1, 5_001)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE runs_taskmetric")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert len(listed(viewer)) == 50
    assert len(captured) < 12
    (page,) = [
        q["sql"] for q in captured if q["sql"].endswith("DESC LIMIT 50") and "task_id" in q["sql"]
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {page}")
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "runs_taskmetric_pkey" in plan
