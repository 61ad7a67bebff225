"""Queries written for django-celery-results run on our tasks; its own table is never touched."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from factories import a_run, tasks_of

from runs import celery_view
from runs.errors import NotAllowedNow
from runs.models import LoadTestRun, TaskMetric
from runs.models.ingest import ingest
from runs.states import RunStatus, TaskState

pytestmark = pytest.mark.django_db

# django-celery-results 2.6: every column of its table and what PostgreSQL calls its type
COLUMNS = {
    "id": "bigint",  # there an integer: ours number the tasks of all runs
    "task_id": "character varying",
    "periodic_task_name": "character varying",
    "task_name": "character varying",
    "task_args": "text",
    "task_kwargs": "text",
    "status": "character varying",
    "worker": "character varying",
    "content_type": "character varying",
    "content_encoding": "character varying",
    "result": "text",
    "date_created": "timestamp with time zone",
    "date_started": "timestamp with time zone",
    "date_done": "timestamp with time zone",
    "traceback": "text",
    "meta": "text",
}
OF_OURS = {"run_id", "queue", "retries", "runtime", "metrics"}
THE_QUERY = (
    "SELECT task_id, task_name, status, worker, date_created, date_started, date_done, result,"
    " traceback, meta FROM django_celery_results_taskresult ORDER BY task_id"
)


def rows(query: str = THE_QUERY, *arguments: object) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def a_run_with_every_end() -> LoadTestRun:
    """Sequences 1 to 5: completed, failed, cancelled while it ran, cancelled before, lost."""
    run = a_run(status=RunStatus.COMPLETED, task_type="io_simulation")
    completed, failed, aborted = tasks_of(run, [1, 2, 3])
    failed = failed._replace(
        state=TaskState.FAILED.value,
        error_type="shop.errors.OutOfStock",
        error_message='no "tea"',
        traceback="Traceback …",
        retries=2,
    )
    ingest(run.pk, [completed, failed, aborted._replace(state=TaskState.CANCELLED.value)])
    TaskMetric.objects.account_for_rest(run_id=run.pk, up_to=4, state=TaskState.CANCELLED)
    TaskMetric.objects.account_for_rest(run_id=run.pk, up_to=5, state=TaskState.LOST)
    return run


def test_the_view_has_every_column_of_the_table() -> None:
    celery_view.create()
    found = rows(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s",
        celery_view.VIEW,
    )
    types = {row["column_name"]: row["data_type"] for row in found}
    assert {name: types[name] for name in COLUMNS} == COLUMNS
    assert set(types) == set(COLUMNS) | OF_OURS


def test_the_published_query_gives_each_task_with_its_end() -> None:
    run = a_run_with_every_end()
    celery_view.create()
    found = rows()
    assert [row["task_id"] for row in found] == [f"{run.test_id}-000000{n}" for n in range(1, 6)]
    assert [row["status"] for row in found] == [
        *("SUCCESS", "FAILURE", "REVOKED", "REVOKED", "FAILURE"),
    ]
    assert {row["task_name"] for row in found} == {"io_simulation_task"}
    assert {row["worker"] for row in found} == {"w1", None}
    results = [json.loads(row["result"]) for row in found]
    assert results[0] == {"slept_ms": 5.0}
    assert results[1] == {
        "exc_type": "OutOfStock",
        "exc_message": ['no "tea"'],
        "exc_module": "shop.errors",
    }
    assert [result["exc_type"] for result in results[2:]] == [
        *("TaskRevokedError", "TaskRevokedError", "WorkerLostError"),
    ]
    assert [bool(row["traceback"]) for row in found] == [False, True, False, False, False]
    assert {row["meta"] for row in found} == {'{"children": []}'}
    for row in found[:3]:
        assert row["date_created"] <= row["date_started"] <= row["date_done"]
    for row in found[3:]:
        assert (row["date_started"], row["date_done"]) == (None, None)
        assert row["date_created"] is not None


def test_our_own_columns_stand_beside_theirs() -> None:
    run = a_run_with_every_end()
    celery_view.create()
    first, second, *_ = rows(f"SELECT * FROM {celery_view.VIEW} ORDER BY task_id")
    assert (first["run_id"], first["queue"]) == (run.test_id, "load_test")
    assert first["runtime"] == pytest.approx(0.005)
    assert second["retries"] == 2
    assert json.loads(first["task_kwargs"]) == {"seed": 0}


def test_tasks_of_many_runs_have_ids_of_their_own_and_new_ones_appear() -> None:
    celery_view.create()
    for _ in range(3):
        a_run_with_every_end()
        found = rows(f"SELECT id, task_id FROM {celery_view.VIEW}")
        assert len({row["id"] for row in found}) == len(found)
    assert len(found) == 15


def test_a_page_ordered_by_its_end_walks_an_index() -> None:
    run = a_run(status=RunStatus.RUNNING, num_tasks=20_000)
    ingest(run.pk, tasks_of(run, range(1, 20_001)))
    celery_view.create()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE runs_taskmetric")

    def plan(rest: str) -> str:
        explained = rows(f"EXPLAIN SELECT * FROM {celery_view.VIEW} {rest}")
        return " ".join(row["QUERY PLAN"] for row in explained)

    order = "ORDER BY date_done DESC LIMIT 100"
    for page in (order, f"WHERE date_done IS NOT NULL {order}"):
        assert "task_by_finish" in plan(page)
        assert "Seq Scan on runs_taskmetric" not in plan(page)
    assert "Seq Scan on runs_taskmetric" not in plan("WHERE task_id = 'lt_x-0000001'")


@pytest.mark.django_db(transaction=True)
def test_the_view_gives_way_to_migrations_and_comes_back() -> None:
    celery_view.create()
    try:
        call_command("migrate", "runs", "zero", verbosity=0)
        assert not celery_view.exists()
        call_command("migrate", "runs", "0001", verbosity=0)
        celery_view.create()
    finally:
        call_command("migrate", verbosity=0)
    assert celery_view.exists()
    celery_view.drop()


def test_the_command_creates_again_and_drops() -> None:
    assert "There is no view" in said("drop")
    assert "shows the stored tasks" in said("create")
    assert "shows the stored tasks" in said("create")
    assert celery_view.exists()
    assert "is gone" in said("drop")
    assert not celery_view.exists()


@pytest.mark.parametrize(
    "theirs",
    [
        f"CREATE TABLE {celery_view.VIEW} (id int)",
        f"CREATE VIEW {celery_view.VIEW} AS SELECT 1 AS id",
    ],
)
def test_what_is_not_ours_is_neither_replaced_nor_dropped(theirs: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(theirs)
    for what in (celery_view.create, celery_view.drop):
        with pytest.raises(NotAllowedNow, match="is not loadlab's"):
            what()
    with pytest.raises(NotAllowedNow) as refused:
        said("create")
    assert refused.value.exit_code == 2
    assert not celery_view.exists()


def said(what: str) -> str:
    out = StringIO()
    call_command("celery_view", what, stdout=out)
    return out.getvalue()
