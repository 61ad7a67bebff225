"""An unmodified Flower, started with nothing but the broker's address, sees arq's workers."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from nasty import Nasty
from processes import Broker, Flower, Running, enqueue, eventually

from workers.celery.events import HEARTBEAT_S

WorkerStarter = Callable[..., Running]
FlowerStarter = Callable[..., Flower]


def test_every_worker_is_online_until_it_ends(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter
) -> None:
    seen = flower(tools)
    workers = [worker() for _ in range(5)]
    eventually(lambda: list(seen.workers().values()) == [True] * len(workers))
    names = {int(name.split(":")[1]): name for name in seen.workers()}
    assert set(names) == {process.pid for process in workers}

    *leaving, staying = workers

    def offline_after(end: Callable[[Running], object], process: Running) -> float:
        began = time.monotonic()
        end(process)
        eventually(lambda: not seen.workers()[names[process.pid]])
        return time.monotonic() - began

    # why the quicker of two: a machine that is busy elsewhere is late with anything
    killed = min(offline_after(Running.kill, process) for process in leaving[:2])
    assert killed <= 2 * HEARTBEAT_S + 1
    gone = min(offline_after(Running.terminate, process) for process in leaving[2:])
    assert gone <= 1
    assert seen.workers()[names[staying.pid]]


def test_every_task_is_told_with_what_became_of_it(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    seen = flower(tools)
    process = worker()
    enqueue(
        broker,
        ("add", {"x": 1, "y": 2, "_job_id": "sum"}),
        ("fail", {"_job_id": "failed"}),
        ("again", {"_job_id": "retried"}),
        ("hurried", {"s": 5, "_job_id": "overdue"}),
        ("nowhere", {"z": 3, "_job_id": "unknown"}),
        ("unencodable", {"_job_id": "unencodable"}),
        ("unkept", {"x": 3, "y": 4, "_job_id": "unkept"}),
        ("fail_unkept", {"_job_id": "fail_unkept"}),
    )
    states = {
        "sum": "SUCCESS",
        "failed": "FAILURE",
        "retried": "SUCCESS",
        "overdue": "FAILURE",
        "unknown": "FAILURE",
        "unencodable": "FAILURE",
        "unkept": "SUCCESS",
        "fail_unkept": "FAILURE",
    }
    eventually(lambda: {key: task["state"] for key, task in seen.tasks().items()} == states)
    tasks = seen.tasks()
    (name,) = seen.workers()
    assert name.split(":")[1] == str(process.pid)
    assert {task["worker"] for task in tasks.values()} == {name}

    summed = seen.task("sum")
    assert (summed["name"], summed["args"], summed["result"]) == ("add", "()", "3")
    assert summed["kwargs"] == "{'x': 1, 'y': 2}"
    assert summed["received"] <= summed["started"] <= summed["succeeded"]
    assert 0 <= summed["runtime"] < 5
    assert summed["retries"] == 0

    failed = seen.task("failed")
    assert failed["exception"] == "ValueError('boom')"
    assert failed["traceback"].startswith("Traceback (most recent call last):")
    assert "raise ValueError(message)\nValueError: boom" in failed["traceback"].replace("    ", "")
    assert "arq/worker.py" not in failed["traceback"]

    assert seen.task("retried")["retries"] == 1
    assert seen.task("retried")["retried"]
    assert seen.task("overdue")["exception"] == "TimeoutError()"
    assert "function 'nowhere' not found" in seen.task("unknown")["exception"]
    assert seen.task("unknown")["kwargs"] == "{'z': 3}"
    assert seen.task("unencodable")["exception"] == "unable to serialize result"
    assert seen.task("unkept")["result"] == "7"
    assert seen.task("fail_unkept")["exception"] == "ValueError('boom')"

    # Prometheus asks Flower, too
    counted = {
        found["type"]: float(found["count"])
        for found in re.finditer(
            rf'flower_events_total{{task="add",type="(?P<type>[a-z-]+)",worker="{name}"}}'
            r" (?P<count>\S+)",
            seen.get("/metrics").text,
        )
    }
    assert counted["task-received"] == counted["task-succeeded"] == 1.0


def test_failures_that_arq_decides_before_any_hook_are_told(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    seen = flower(tools)
    addends = {"x": 1, "y": 2}
    enqueue(
        broker,
        ("add", {**addends, "_job_id": "expired", "_expires": 0.01}),
        ("add", {**addends, "_job_id": "exhausted", "_job_try": 6}),
        ("add", {**addends, "_job_id": "garbled"}),
        ("add", {**addends, "_job_id": "aborted"}),
        ("nowhere", {"_job_id": "unknown"}),
        ("add", {"x": 1, "y": Nasty(), "_job_id": "unnameable"}),
    )
    with broker.client() as client:
        eventually(lambda: not client.exists("arq:job:expired"))
        client.set("arq:job:garbled", b"no pickle")
        client.zadd("arq:abort", {"aborted": time.time() * 1000})
    worker(LOADLAB_CELERY_CONTROL="1")

    said = {
        "expired": "JobExecutionFailed('job expired')",
        "exhausted": "JobExecutionFailed('max 5 retries exceeded')",
        "garbled": "DeserializationError(",
        "aborted": None,
        "unknown": "JobExecutionFailed(\"function 'nowhere' not found\")",
        "unnameable": "RuntimeError('no repr')",
    }
    ends = {key: "FAILURE" if text else "REVOKED" for key, text in said.items()}
    eventually(lambda: {key: task["state"] for key, task in seen.tasks().items()} == ends)
    (name,) = seen.workers()
    for key, text in said.items():
        task = seen.task(key)
        assert task["worker"] == name
        assert task["received"]
        assert not task["started"]
        assert (task["exception"] or "").startswith(text or ""), task
    assert seen.task("expired")["name"] == "<unknown>"
    assert seen.task("exhausted")["retries"] == 5
    assert seen.task("unnameable")["kwargs"] == "{'x': 1, 'y': <Nasty>}"


def test_tasks_of_a_run_have_the_run_as_their_root(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    run = "lt_20261123T094501_7f3a9c"
    seen = flower(tools)
    worker()
    enqueue(broker, *(("add", {"x": n, "y": 1, "_job_id": f"{run}-{n:07d}"}) for n in range(1, 4)))

    eventually(lambda: len(seen.tasks()) == 3)
    for number in range(1, 4):
        task = seen.task(f"{run}-{number:07d}")
        assert (task["root_id"], task["parent_id"]) == (run, run)
    page = seen.get(f"/task/{run}-0000001")
    assert page.status_code == 200
    assert run in page.text
