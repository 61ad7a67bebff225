"""The real django-celery-results reads our database, while a run is under way and after it."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import processes
import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from processes import CHECKOUT, HERE, Broker, Flower, Running, eventually

from runs.models import TaskResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A loadlab of its own: database in a folder, Redis on the broker's port."""

    var: Path
    broker: Broker
    started: list[Running]

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LOADLAB_VAR": str(self.var),
            "DATABASE_URL": "",
            "REDIS_URL": self.broker.url,
            "LOADLAB_CELERY_EVENTS": "1",
        }

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            env=processes.environment(**self.variables),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def begin(self, *arguments: str, **variables: str) -> Running:
        running = Running.of(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            **self.variables | variables,
        )
        self.started.append(running)
        return running

    def tasks_over_http(self, run_id: str) -> list[dict[str, Any]]:
        """What the API says of a run's tasks."""
        address = f"127.0.0.1:{processes.free_port()}"
        gunicorn = (Path(sys.executable).parent / "gunicorn", "loadlab.wsgi", "--bind", address)
        open_to_all = {"DEBUG": "1", "LOADLAB_API_ANONYMOUS": "1"}
        web = Running.of(
            [*gunicorn, "--no-control-socket"],
            cwd=CHECKOUT,
            **self.variables | open_to_all,
        )
        self.started.append(web)
        eventually(lambda: "Booting worker" in web.said or not web.is_up)
        answer = httpx.get(f"http://{address}/api/v1/tasks/load-test/{run_id}/tasks")
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["results"]
        return rows

    def read(self, tools: Path, *, name: str) -> dict[str, Any]:
        """What the real package makes of the database, of its rows those of tasks of that name."""
        done = subprocess.run(
            [tools / "python", HERE / "read_task_results.py", self.var / "run", published_query()],
            env=processes.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        states = {row["task_id"]: row["status"] for row in found["rows"]}
        assert found["by_status"] == Counter(states.values())
        for task_id, (state, _) in found["async_results"].items():
            assert state == states[task_id]
        for rows in ("published", "rows"):
            found[rows] = [row for row in found[rows] if row["task_name"] == name]
        return found


def published_query() -> str:
    """The one of docs/celery.md; these runs have fewer tasks than its limit."""
    page = (CHECKOUT / "docs" / "celery.md").read_text()
    (query,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    return str(query)


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """One for the module: the tests tell their tasks apart by name."""
    with processes.a_broker() as broker:
        yield broker


@pytest.fixture(scope="module")
def installed(broker: Broker) -> Iterator[Path]:
    """The folder of a database with the view in it."""
    var = Path(tempfile.mkdtemp(prefix="loadlab-celery-", dir="/tmp"))
    installation = Installation(var=var, broker=broker, started=[])
    try:
        for command in (("migrate", "--verbosity", "0"), ("celery_view", "create")):
            done = installation.manage(*command)
            assert done.returncode == 0, done.stderr
        yield var
    finally:
        subprocess.run(
            [sys.executable, "-m", "loadlab.embedded", "stop"],
            cwd=CHECKOUT,
            env=processes.environment(**installation.variables),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        shutil.rmtree(var)


@pytest.fixture
def installation(installed: Path, broker: Broker, started: list[Running]) -> Installation:
    return Installation(var=installed, broker=broker, started=started)


def test_the_rows_are_right_during_and_after_a_run(
    flower_2_2: Path, installation: Installation, flower: Callable[..., Flower]
) -> None:
    seen, name = flower(flower_2_2), "failure_testing"
    run = installation.begin(
        *("load_test", "run", "--type", name, "--param", "failure_rate=0.3"),
        *("--rate", "20/s", "--duration", "3s", "--workers", "1", "--json"),
    )
    during = eventually(
        lambda: (found := installation.read(flower_2_2, name=name))["published"] and found,
        every_s=0.5,
    )
    assert run.is_up
    assert run.process.wait(timeout=60) == 0, run.said
    report = json.loads(run.said[run.said.index("{") :])

    after = installation.read(flower_2_2, name=name)
    rows = {row["task_id"]: row for row in after["published"]}
    assert 0 < len(during["published"]) < len(rows) == len(after["published"]) == 60
    assert [rows[row["task_id"]] for row in during["published"]] == during["published"]
    for read in (during, after):  # the package's own model gives what the query gives
        by_id = {row["task_id"]: row for row in read["published"]}
        assert {row["task_id"]: row for row in read["rows"]} == by_id

    metrics = report["metrics"]
    assert Counter(row["status"] for row in rows.values()) == {
        "FAILURE": metrics["tasks_failed"],
        "SUCCESS": metrics["tasks_completed"],
    }
    for row in rows.values():
        assert row["date_created"] <= row["date_started"] <= row["date_done"], row
        result = json.loads(row["result"])
        assert bool(row["traceback"]) == ("exc_type" in result) == (row["status"] == "FAILURE"), row
    assert 0 <= after["seconds"] < 10

    # Flower's names of workers, tasks and states are the database's
    tasks = eventually(lambda: len(found := seen.tasks()) == 60 and found)
    assert {row["worker"] for row in rows.values()} == set(seen.workers())
    assert {(key, row["status"], row["task_name"]) for key, row in rows.items()} == {
        (key, task["state"], task["name"]) for key, task in tasks.items()
    }

    assert_columns_have_the_types_of_the_package(after["columns"])
    assert_what_the_page_says_does_not_work_fails_clearly(after)


def assert_columns_have_the_types_of_the_package(columns: dict[str, list[str]]) -> None:
    assert columns.pop("id") == ["AutoField", "BigIntegerField"]
    assert set(columns) > {"task_id", "status", "date_done", "meta"}
    assert [name for name, (theirs, ours) in columns.items() if theirs != ours] == []


def assert_what_the_page_says_does_not_work_fails_clearly(read: dict[str, Any]) -> None:
    assert read["by_number"] == [0]
    view = '"django_celery_results_taskresult"'
    assert read["refused"] == {
        "backend": f"cannot insert into view {view}",
        "update": f"cannot update view {view}",
        "cleanup": f"cannot delete from view {view}",
        "groups": 'relation "django_celery_results_groupresult" does not exist',
    }


def test_the_admin_shows_what_the_packages_own_shows(flower_2_2: Path) -> None:
    done = subprocess.run(
        [flower_2_2 / "python", HERE / "celery_admin.py"],
        env=processes.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(done.stdout)
    ours: Any = admin.site.get_model_admin(TaskResult)
    assert list(ours.list_display) == theirs["list_display"]
    # no task of a load test has a schedule that it could be filtered by
    filters = [kind.parameter_name for kind in ours.list_filter]
    assert filters == [name for name in theirs["list_filter"] if name != "periodic_task_name"]
    assert [title or "" for title, _ in ours.fieldsets] == theirs["fieldsets"]
    shown = [name for _, options in ours.fieldsets for name in options["fields"]]
    assert shown == [name for name in theirs["labels"] if not name.startswith("content_")]
    assert set(shown) <= set(theirs["read_only"])
    labels = {name: label_for_field(name, TaskResult, ours) for name in shown}
    assert {name: label.casefold() for name, label in labels.items()} == {
        name: theirs["labels"][name].casefold() for name in shown
    }
    names = [TaskResult._meta.verbose_name, TaskResult._meta.verbose_name_plural]
    assert names == theirs["names"]


def test_a_task_revoked_in_flower_is_revoked_in_the_database_and_cancelled_in_the_report(
    flower_2_2: Path, installation: Installation, flower: Callable[..., Flower]
) -> None:
    seen = flower(flower_2_2)
    run = installation.begin(
        *("load_test", "run", "--type", "sleep", "--tasks", "3", "--param", "duration_ms=5000"),
        *("--workers", "1", "--json"),
        LOADLAB_CELERY_CONTROL="1",
    )
    first = min(
        eventually(
            lambda: [key for key, task in seen.tasks().items() if task["state"] == "STARTED"]
        )
    )
    run_id = first.rpartition("-")[0]
    assert seen.post(f"/api/task/revoke/{first}", terminate="true").status_code == 200
    eventually(lambda: seen.task(first)["state"] == "REVOKED")
    assert run.process.wait(timeout=60) == 0, run.said
    after = installation.read(flower_2_2, name="sleep")["published"]
    ended = {row["task_id"]: row["status"] for row in after}
    assert ended.pop(first) == "REVOKED"
    assert list(ended.values()) == ["SUCCESS", "SUCCESS"]
    shown = installation.manage("load_test", "results", run_id, "--json")
    assert shown.returncode == 0, shown.stderr
    metrics = json.loads(shown.stdout)["metrics"]
    assert (metrics["tasks_cancelled"], metrics["tasks_completed"]) == (1, 2)
    told = {row["id"]: row["celery_state"] for row in installation.tasks_over_http(run_id)}
    assert told == ended | {first: "REVOKED"}
