"""Stock AsyncResult and Flower's result endpoint read what arq's workers mirror."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processes import HERE, Broker, Flower, Running, enqueue, eventually

WorkerStarter = Callable[..., Running]
FlowerStarter = Callable[..., Flower]
MIRRORED = {"LOADLAB_CELERY_RESULTS": "1", "LOADLAB_CELERY_RESULTS_TTL": "600"}


def read(tools: Path, broker: Broker, *ids: str) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [tools / "python", HERE / "read_results.py", broker.url, *ids],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def mirrored(broker: Broker) -> dict[str, str]:
    """The state of every mirrored result."""
    with broker.client() as client:
        keys = client.keys("celery-task-meta-*")
        return {
            key.decode().removeprefix("celery-task-meta-"): json.loads(value)["status"]
            for key, value in zip(keys, client.mget(keys) if keys else [], strict=True)
        }


def test_async_result_has_state_result_exception_and_traceback(
    tools: Path, worker: WorkerStarter, broker: Broker
) -> None:
    worker(LOADLAB_CELERY_CONTROL="1", **MIRRORED)
    enqueue(
        broker,
        ("add", {"x": 1, "y": 2, "_job_id": "sum"}),
        ("fail", {"_job_id": "failed"}),
        ("again", {"_job_id": "retried"}),
        ("nowhere", {"_job_id": "unknown"}),
        ("nasty", {"_job_id": "nasty", "text": "x" * 100}),
        ("unencodable", {"_job_id": "unencodable"}),
        ("sleep", {"_job_id": "running"}),
    )
    states = {
        "sum": "SUCCESS",
        "failed": "FAILURE",
        "retried": "SUCCESS",
        "unknown": "FAILURE",
        "nasty": "SUCCESS",
        "unencodable": "FAILURE",
        "running": "STARTED",
    }
    eventually(lambda: mirrored(broker) == states)
    with broker.client() as client:
        assert 0 < client.ttl("celery-task-meta-sum") <= 600
        assert json.loads(client.get("celery-task-meta-running") or b"{}")["date_done"] is None

    found = read(tools, broker, *(set(states) - {"running"}))
    assert {key: result["state"] for key, result in found.items()} == {
        key: state for key, state in states.items() if key != "running"
    }
    summed = found["sum"]
    assert (summed["result"], summed["got"], summed["name"]) == ("3", "3", "add")
    assert (summed["kwargs"], summed["retries"]) == ({"x": 1, "y": 2}, 0)
    assert summed["queue"] == "arq(arq:queue)"
    failed = found["failed"]
    assert failed["result"] == "ValueError('boom')"
    assert failed["got"] == "raised ValueError: boom"
    assert "raise ValueError(message)" in failed["traceback"]
    assert found["retried"]["retries"] == 1
    assert "function 'nowhere' not found" in found["unknown"]["result"]
    assert "unable to serialize result" in found["unencodable"]["got"]


def test_a_client_that_waits_is_woken_by_the_result(
    flower_2_2: Path, worker: WorkerStarter, broker: Broker
) -> None:
    worker(**MIRRORED)
    enqueue(broker, ("sleep", {"s": 2, "_job_id": "soon"}))
    assert read(flower_2_2, broker, "soon")["soon"]["got"] == "'slept'"


def test_async_result_and_flower_say_what_was_revoked(
    tools: Path, worker: WorkerStarter, flower: FlowerStarter, broker: Broker
) -> None:
    worker(LOADLAB_CELERY_CONTROL="1", **MIRRORED)
    seen = flower(tools, backend=broker.url)
    enqueue(broker, ("sleep", {"_job_id": "long"}), ("add", {"x": 1, "y": 2, "_job_id": "sum"}))
    eventually(lambda: mirrored(broker) == {"long": "STARTED", "sum": "SUCCESS"})
    eventually(lambda: seen.task("long").get("state") == "STARTED")
    assert seen.json("/api/task/result/long")["state"] == "STARTED"
    seen.post("/api/task/revoke/long", terminate="true")
    eventually(lambda: mirrored(broker)["long"] == "REVOKED")
    assert read(tools, broker, "long")["long"]["got"].startswith("raised TaskRevokedError")
    assert seen.json("/api/task/result/sum") == {"task-id": "sum", "state": "SUCCESS", "result": 3}
    assert seen.json("/api/task/result/long")["state"] == "REVOKED"


def test_nothing_is_mirrored_unless_asked_for(worker: WorkerStarter, broker: Broker) -> None:
    worker()
    enqueue(broker, ("add", {"x": 1, "y": 2, "_job_id": "sum"}))
    with broker.client() as client:
        eventually(lambda: client.exists("arq:result:sum"))
    assert mirrored(broker) == {}
