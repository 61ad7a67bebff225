"""What does not work, and cannot: it fails clearly and harms nobody."""

from collections.abc import Callable
from pathlib import Path

import httpx
from processes import Broker, Flower, Running, enqueue, eventually

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
    for path in ("pool/grow", "pool/shrink", "queue/add-consumer", "queue/cancel-consumer"):
        answer = seen.post(f"/api/worker/{path}/{name}", n="1", queue="other")
        assert answer.status_code == 403, (path, answer.text)
        assert "unsupported by arq" in answer.text
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
