"""What does not work, and cannot: it fails clearly and harms nobody."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
from processes import HERE, Broker, Flower, Running, arq_worker, enqueue, eventually

WorkerStarter = Callable[..., Running]
FlowerStarter = Callable[..., Flower]


def test_flowers_worker_page_shows_the_settings_and_the_true_depth(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    worker()
    seen = flower(tools)
    (name,) = eventually(seen.workers)
    enqueue(broker, ("sleep", {"s": 60}), ("sleep", {"s": 1, "_defer_by": 1000}))
    known = eventually(lambda: seen.json("/api/workers", refresh=True).get(name))
    assert known["active_queues"][0]["name"] == "arq(arq:queue)"
    assert "add" in known["registered"]
    page = seen.get(f"/worker/{name}")
    assert page.status_code == 200
    assert "events_lost" in page.text
    for path in ("/workers", "/tasks", "/broker"):
        assert seen.get(path).status_code == 200


def test_the_queue_length_in_flower_is_not_arqs_but_no_error(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    worker()
    seen = flower(tools)
    (name,) = eventually(seen.workers)
    eventually(lambda: seen.json("/api/workers", refresh=True).get(name))
    enqueue(broker, ("sleep", {"s": 1, "_defer_by": 1000}))
    lengths = seen.json("/api/queues/length")["active_queues"]
    assert {"name": "arq(arq:queue)", "messages": 0} in lengths


def test_pool_and_consumers_cannot_be_changed(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter
) -> None:
    process = worker()
    seen = flower(tools)
    (name,) = eventually(seen.workers)
    eventually(lambda: seen.json("/api/workers", refresh=True).get(name))
    for path, command in (
        ("pool/grow", "pool_grow"),
        ("pool/shrink", "pool_shrink"),
        ("pool/restart", "pool_restart"),
        ("pool/autoscale", "autoscale"),
        ("queue/add-consumer", "add_consumer"),
        ("queue/cancel-consumer", "cancel_consumer"),
    ):
        answer = seen.post(f"/api/worker/{path}/{name}", n="1", queue="other", min="1", max="2")
        assert answer.status_code == 403, (path, answer.text)
        assert f"unsupported by arq: {command}" in answer.text
    # Flower asks for the limits of its own application's tasks only, and it has none
    for path in ("rate-limit/add", "timeout/add"):
        answer = seen.post(f"/api/task/{path}", workername=name, ratelimit="5/m", hard="9")
        assert answer.status_code == 404, (path, answer.text)
    assert seen.post(f"/api/worker/shutdown/{name}").status_code == 200  # Flower does not wait
    assert httpx.get(f"{seen.url}/healthcheck").status_code == 200
    assert process.is_up


def test_a_task_sent_through_flower_stays_where_arq_does_not_look(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    process = worker()
    seen = flower(tools)
    eventually(seen.workers)
    sent = httpx.post(f"{seen.url}/api/task/send-task/add", json={"kwargs": {"x": 1, "y": 2}})
    assert sent.status_code == 200
    applied = httpx.post(f"{seen.url}/api/task/async-apply/add", json={"kwargs": {"x": 1}})
    assert applied.status_code == 404
    with broker.client() as client:
        assert client.llen("celery") == 1
        assert client.exists("arq:queue") == 0
    assert process.is_up


def test_work_that_celerys_clients_send_is_never_taken_and_they_are_not_told_otherwise(
    tools: Path, worker: WorkerStarter, broker: Broker
) -> None:
    process = worker(LOADLAB_CELERY_CONTROL="1", LOADLAB_CELERY_RESULTS="1")
    done = subprocess.run(
        [tools / "python", HERE / "send_work.py", broker.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    read = json.loads(done.stdout)
    assert set(read["sent"]) == {"send_task", "eta", "countdown", "chain", "group", "chord"}
    assert read["came"] == {"send_task": "TimeoutError", "chord": "TimeoutError"}
    assert read["ready"] == []
    with broker.client() as client:
        # a task each, but two of a group and of a chord, whose callback nobody sends
        assert client.llen("celery") == 8
        assert client.exists("arq:queue") == 0
        assert client.keys("celery-task-meta-*") == []
    assert process.is_up


def test_flower_says_revoked_whatever_happens_and_the_task_says_what_did(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    worker()
    seen = flower(tools)
    enqueue(broker, ("sleep", {"s": 60, "_job_id": "long"}))
    eventually(lambda: seen.task("long").get("state") == "STARTED")
    answer = seen.post("/api/task/revoke/long", terminate="true")
    assert (answer.status_code, answer.json()) == (200, {"message": "Revoked 'long'"})
    enqueue(broker, ("add", {"x": 1, "y": 2, "_job_id": "after"}))
    eventually(lambda: seen.task("after").get("state") == "SUCCESS")
    assert seen.task("long")["state"] == "STARTED"
    with broker.client() as client:
        assert client.exists("arq:abort") == 0


def test_another_kind_of_broker_is_refused_with_what_is_allowed(
    broker: Broker, started: list[Running]
) -> None:
    process = arq_worker(
        broker, "workers.queues.load_test.WorkerSettings", REDIS_URL="amqp://guest@127.0.0.1:1//"
    )
    started.append(process)
    assert process.process.wait(timeout=60) != 0
    assert "REDIS_URL cannot be read; allowed are redis://" in process.said


def test_without_a_result_backend_flower_has_no_results(
    flower_2_2: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    worker()
    seen = flower(flower_2_2)
    enqueue(broker, ("add", {"x": 1, "y": 2, "_job_id": "sum"}))
    eventually(lambda: seen.task("sum").get("state") == "SUCCESS")
    assert seen.get("/api/task/result/sum").status_code == 503


def test_who_listens_later_does_not_hear_what_was_said_before(
    flower_2_2: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    worker()
    enqueue(broker, ("add", {"x": 1, "y": 2, "_job_id": "early"}))
    with broker.client() as client:
        eventually(lambda: client.exists("arq:result:early"))
    seen = flower(flower_2_2)
    enqueue(broker, ("add", {"x": 1, "y": 2, "_job_id": "late"}))
    eventually(lambda: seen.task("late").get("state") == "SUCCESS")
    assert set(seen.tasks()) == {"late"}


def test_a_celery_worker_shares_the_broker_with_arqs(
    tools: Path,
    flower: FlowerStarter,
    worker: WorkerStarter,
    broker: Broker,
    started: list[Running],
) -> None:
    worker()
    seen = flower(tools)
    celerys = Running.of(
        [tools / "celery", "-A", "celery_app", "worker", "-E", "-P", "solo"], BROKER_URL=broker.url
    )
    started.append(celerys)
    eventually(lambda: sorted(seen.workers().values()) == [True, True])
    assert any(name.startswith("celery@") for name in seen.workers())
    assert "Traceback" not in celerys.said
