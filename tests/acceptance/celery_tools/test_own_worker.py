"""A user's own arq worker, where neither Django nor Celery is installed: one line is all."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import venvs
from processes import TOLD_S, Broker, Flower, Running, arq_worker, enqueue, eventually


@pytest.fixture
def python() -> Path:
    return venvs.ensure(venvs.ARQ_WORKER) / "python"


def test_django_is_not_there_at_all(python: Path) -> None:
    for package in ("django", "celery", "kombu", "psycopg", "numpy"):
        done = subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False)
        assert done.returncode != 0, package


def test_flower_sees_inspects_and_revokes(
    python: Path,
    tools: Path,
    flower: Callable[..., Flower],
    broker: Broker,
    started: list[Running],
) -> None:
    seen = flower(tools)
    process = arq_worker(
        broker, python=python, LOADLAB_CELERY_CONTROL="1", LOADLAB_CELERY_RESULTS="1"
    )
    started.append(process)
    enqueue(broker, ("add", {"x": 1, "y": 2, "_job_id": "sum"}), ("sleep", {"_job_id": "long"}))
    eventually(lambda: seen.task("sum").get("result") == "3")
    (name,) = seen.workers()
    eventually(lambda: seen.json("/api/workers", refresh=True).get(name))
    seen.post("/api/task/revoke/long", terminate="true")
    eventually(lambda: seen.task("long").get("state") == "REVOKED")
    with broker.client() as client:
        assert client.exists("celery-task-meta-sum")
    assert process.terminate() == 0, process.said
    eventually(lambda: not seen.workers()[name], within_s=TOLD_S)
