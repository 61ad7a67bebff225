"""The real django-celery-results reads our database, while a run is under way and after it."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import processes
import pytest
from processes import CHECKOUT, HERE, Broker, Flower, Running, eventually


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

    def read(self, tools: Path) -> dict[str, Any]:
        """What the real package makes of the database."""
        done = subprocess.run(
            [tools / "python", HERE / "read_task_results.py", self.var / "run"],
            env=processes.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def installation(broker: Broker, started: list[Running]) -> Iterator[Installation]:
    var = Path(tempfile.mkdtemp(prefix="loadlab-celery-", dir="/tmp"))
    installation = Installation(var=var, broker=broker, started=started)
    for command in (("migrate", "--verbosity", "0"), ("celery_view", "create")):
        done = installation.manage(*command)
        assert done.returncode == 0, done.stderr
    yield installation
    for process in started:
        process.clear_away()
    subprocess.run(
        [sys.executable, "-m", "loadlab.embedded", "stop"],
        cwd=CHECKOUT,
        env=processes.environment(**installation.variables),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shutil.rmtree(var)


def test_the_rows_are_right_during_and_after_a_run(
    flower_2_2: Path, installation: Installation, flower: Callable[..., Flower]
) -> None:
    seen = flower(flower_2_2)
    run = installation.begin(
        *("load_test", "run", "--type", "failure_testing", "--param", "failure_rate=0.3"),
        *("--rate", "20/s", "--duration", "3s", "--workers", "1", "--json"),
    )
    during = eventually(lambda: installation.read(flower_2_2)["by_status"], every_s=0.5)
    assert run.is_up
    assert sum(during.values()) < 60
    assert run.process.wait(timeout=60) == 0, run.said

    after = installation.read(flower_2_2)
    assert sum(after["by_status"].values()) == 60
    assert set(after["by_status"]) == {"SUCCESS", "FAILURE"}
    assert {row["name"] for row in after["rows"]} == {"failure_testing"}
    assert 0 <= after["seconds"] < 10
    for state, _ in after["async_results"].values():
        assert state in {"SUCCESS", "FAILURE"}

    # Flower's names of workers, tasks and states are the database's
    tasks = eventually(lambda: len(found := seen.tasks()) == 60 and found)
    assert {row["worker"] for row in after["rows"]} == set(seen.workers())
    assert {(row["id"], row["status"], row["name"]) for row in after["rows"]} == {
        (key, task["state"], task["name"]) for key, task in tasks.items()
    }


def test_a_task_revoked_in_flower_is_revoked_in_the_database_and_cancelled_in_the_report(
    flower_2_2: Path, installation: Installation, flower: Callable[..., Flower]
) -> None:
    seen = flower(flower_2_2)
    run = installation.begin(
        *("load_test", "run", "--type", "sleep", "--tasks", "3", "--param", "duration_ms=8000"),
        *("--workers", "1", "--json"),
        LOADLAB_CELERY_CONTROL="1",
    )
    first = min(
        eventually(
            lambda: [key for key, task in seen.tasks().items() if task["state"] == "STARTED"]
        )
    )
    assert seen.post(f"/api/task/revoke/{first}", terminate="true").status_code == 200
    eventually(lambda: seen.task(first)["state"] == "REVOKED")
    assert run.process.wait(timeout=60) == 0, run.said
    after = installation.read(flower_2_2)
    assert after["by_status"] == {"REVOKED": 1, "SUCCESS": 2}
    shown = installation.manage("load_test", "results", first.rpartition("-")[0], "--json")
    assert shown.returncode == 0, shown.stderr
    metrics = json.loads(shown.stdout)["metrics"]
    assert (metrics["tasks_cancelled"], metrics["tasks_completed"]) == (1, 2)
