"""A user's own task type, every queue of ours, and the books of the database beside the report."""

import json
from pathlib import Path

import psycopg
import pytest
import redis
from terminal import loadlab

from loadlab import embedded
from workers.settings import QUEUES

pytestmark = pytest.mark.timeout(300)

MODULE = """
from typing import Annotated, Any

from loadlab import analysis_for, load_task


@load_task("resize_pictures", queue="load_test", summary="Resizes pictures, or so it says.")
async def resize_pictures(ctx: dict[str, Any], *, width: int = 100) -> dict[str, float]:
    return {"pixels": float(width * width)}


@analysis_for("resize_pictures")
def all_pixels(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"total_pixels": sum(result["pixels"] for result in results), "pictures": len(results)}
"""


@pytest.fixture(scope="module", autouse=True)
def _tables() -> None:
    migrated = loadlab("migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr


def test_a_users_own_task_type_runs_from_the_command_line_to_the_report(tmp_path: Path) -> None:
    (tmp_path / "their_tasks.py").write_text(MODULE)
    theirs = {"LOADLAB_TASK_MODULES": "their_tasks", "PYTHONPATH": str(tmp_path)}

    info = loadlab("info", "resize_pictures", **theirs)
    assert info.returncode == 0, info.stderr
    assert "width" in info.stdout

    options = (
        "--type",
        "resize_pictures",
        "--tasks",
        "40",
        "--param",
        "width=20",
        "--workers",
        "1",
    )
    done = loadlab("run", *options, "--json", **theirs)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["metrics"]["tasks_completed"] == 40
    assert report["analysis"]["type_metrics"]["pixels"]["mean"] == 400
    assert report["analysis"]["custom_analysis"] == {"total_pixels": 16_000, "pictures": 40}
    assert report["analysis"]["environment"]["observer"]["shares_host"] is True


def test_every_queue_serves_the_load_and_leaves_the_others_alone() -> None:
    for queue in QUEUES:
        with redis.Redis.from_url(embedded.valkey_url()) as connection:
            connection.flushall()
        done = loadlab(
            "run", "--type", "noop", "--tasks", "30", "--queue", queue, "--workers", "1", "--json"
        )
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["configuration"]["target_queue"] == queue
        with redis.Redis.from_url(embedded.valkey_url()) as connection:
            touched = [key.decode() for key in connection.scan_iter()]
        others = [key for key in touched if any(o in key for o in QUEUES if o != queue)]
        assert not others, (queue, touched)
        assert not [key for key in touched if report["test_id"] in key]


def test_the_report_agrees_with_the_rows_counted_by_sql() -> None:
    options = ("--type", "failure_testing", "--tasks", "60", "--param", "failure_rate=0.3")
    done = loadlab("run", *options, "--workers", "1", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    accounting, metrics = report["analysis"]["accounting"], report["metrics"]
    with psycopg.connect(embedded.postgres_url()) as connection:
        rows = dict(
            connection.execute(
                "SELECT state, count(*) FROM runs_taskmetric WHERE task_id LIKE %s GROUP BY state",
                [f"{report['test_id']}-%"],
            ).fetchall()
        )
    assert rows.get("completed", 0) == accounting["completed"] == metrics["tasks_completed"]
    assert rows.get("failed", 0) == accounting["failed"] == metrics["tasks_failed"] > 0
    assert sum(rows.values()) == accounting["sent"] == 60
    ended = sum(accounting[name] for name in ("completed", "failed", "cancelled", "lost"))
    assert accounting["sent"] == ended + accounting["outstanding"]
    assert sum(failure["count"] for failure in report["analysis"]["failures"]) == rows["failed"]
