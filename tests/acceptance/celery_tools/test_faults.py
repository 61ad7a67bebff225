"""Whatever breaks on Celery's side, jobs complete and workers stay up."""

import json
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from processes import TOLD_S, Broker, Flower, Running, arq_worker, enqueue, eventually
from test_wire import ask, capturing

WorkerStarter = Callable[..., Running]
FlowerStarter = Callable[..., Flower]

FAULTS = ("publish", "pack", "full", "begin", "finish", "end", "repr", "start", "leave", "beat")
HAVOC = {"LOADLAB_CELERY_RESULTS": "1", "LOADLAB_CELERY_CONTROL": "1"}


def some_of_everything(prefix: str) -> list[tuple[str, dict[str, object]]]:
    """Jobs that end in every way there is; their ids begin with `prefix`."""
    return [
        ("add", {"x": 1, "y": 2, "_job_id": f"{prefix}-add"}),
        ("fail", {"_job_id": f"{prefix}-fail"}),
        ("again", {"_job_id": f"{prefix}-again"}),
        ("hurried", {"s": 5, "_job_id": f"{prefix}-hurried"}),
        ("nowhere", {"_job_id": f"{prefix}-nowhere"}),
        ("unencodable", {"_job_id": f"{prefix}-unencodable"}),
        ("nasty", {"_job_id": f"{prefix}-nasty"}),
    ]


def assert_all_end(broker: Broker, prefix: str) -> None:
    jobs = some_of_everything(prefix)
    assert len(enqueue(broker, *jobs)) == len(jobs)
    with broker.client() as client:
        eventually(lambda: client.zcard("arq:queue") == 0)
        assert client.exists(*(f"arq:result:{job['_job_id']}" for _, job in jobs)) == len(jobs)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_error_inside_our_own_hooks_costs_no_job_and_no_worker(
    worker: WorkerStarter, broker: Broker, fault: str
) -> None:
    process = worker("faulty_app.WorkerSettings", FAULT=fault, **HAVOC)
    assert_all_end(broker, "one")
    time.sleep(0.3)  # why: until something would have been published
    assert_all_end(broker, "two")
    assert process.is_up
    time.sleep(0.3)  # why: arq, cancelled while it tidies up after a job, exits with an error
    assert process.terminate() == 0, process.said


@pytest.mark.parametrize("fault", ["full", "publish"])
def test_events_that_are_lost_are_counted_where_celery_inspects(
    flower_2_2: Path, worker: WorkerStarter, broker: Broker, fault: str
) -> None:
    process = worker("faulty_app.WorkerSettings", FAULT=fault)
    assert_all_end(broker, "lost")

    def lost() -> int:
        (stats,) = ask(flower_2_2, broker, ("stats", {}))
        return int(stats["arq"]["events_lost"])

    assert eventually(lost) > 0
    assert process.terminate() == 0, process.said
    assert re.search(r"celery_left told=\d+ lost=[1-9]", process.said), process.said


def test_a_redis_that_refuses_events_costs_no_job_and_no_worker(
    flower_2_2: Path, worker: WorkerStarter, broker: Broker
) -> None:
    rights = ("resetkeys", "resetchannels", "~*", "&/0.celery.pidbox", "+@all")
    with broker.client() as client:
        client.execute_command("ACL", "SETUSER", "mute", "on", ">s3cr3t", *rights)
    process = worker(BROKER_URL=broker.url.replace("//", "//mute:s3cr3t@"), **HAVOC)
    assert_all_end(broker, "one")
    assert_all_end(broker, "two")
    eventually(lambda: "celery_events_lost" in process.said)
    stats, conf = ask(flower_2_2, broker, ("stats", {}), ("conf", {}))
    assert stats["arq"]["events_lost"] > 0
    assert "s3cr3t" not in json.dumps([stats, conf]) + process.said
    assert process.is_up


def test_redis_restarts_and_events_go_on(
    flower_2_2: Path, flower: FlowerStarter, broker: Broker, started: list[Running]
) -> None:
    process = arq_worker(broker, "durable_app.WorkerSettings", **HAVOC)
    started.append(process)
    seen = flower(flower_2_2)
    assert_all_end(broker, "before")
    enqueue(broker, ("sleep", {"s": 2.5, "_job_id": "across"}))
    with broker.client() as client:
        eventually(lambda: client.exists("arq:in-progress:across"))
    broker.stop()
    time.sleep(1)
    broker.start()
    with broker.client() as client:
        eventually(lambda: client.pubsub_numpat() > 0)  # Flower itself needs a second or two
        assert_all_end(broker, "after")
        eventually(lambda: client.exists("arq:result:across"))
    assert process.is_up
    eventually(lambda: seen.task("after-add").get("state") == "SUCCESS")
    (name,) = seen.workers()
    eventually(lambda: seen.workers()[name])
    eventually(lambda: seen.json("/api/workers", refresh=True).get(name))


def test_flower_dies_and_comes_back(
    tools: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    process = worker(**HAVOC)
    first = flower(tools)
    assert_all_end(broker, "seen")
    first.running.kill()
    assert_all_end(broker, "unseen")
    second = flower(tools)
    eventually(lambda: list(second.workers().values()) == [True])
    assert_all_end(broker, "seen-again")
    eventually(lambda: second.task("seen-again-add").get("state") == "SUCCESS")
    assert process.is_up


def test_a_flower_that_reads_nothing_holds_up_nobody(
    flower_2_2: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    process = worker()
    stuck = flower(flower_2_2)
    stuck.running.process.send_signal(signal.SIGSTOP)
    assert_all_end(broker, "one")
    assert process.is_up
    stuck.running.process.send_signal(signal.SIGCONT)
    eventually(lambda: stuck.task("one-add").get("state") == "SUCCESS")


@contextmanager
def stalling(broker: Broker, *, seconds: float) -> Iterator[None]:
    """Every client's commands wait again and again; arq's are served in between."""
    stop = threading.Event()

    def stall() -> None:
        with broker.client() as client:
            while not stop.is_set():
                client.execute_command("CLIENT", "PAUSE", int(seconds * 1000), "ALL")
                time.sleep(seconds + 0.05)

    stalled = threading.Thread(target=stall)
    stalled.start()
    yield
    stop.set()
    stalled.join()


def test_a_slow_redis_loses_events_at_worst(worker: WorkerStarter, broker: Broker) -> None:
    process = worker(**HAVOC)
    with stalling(broker, seconds=1.3):
        assert_all_end(broker, "slow")
    assert process.is_up
    with capturing(broker) as capture:
        assert_all_end(broker, "quick")
        eventually(
            lambda: "quick-add" in {e["uuid"] for e in capture.events["arq"]["task-succeeded"]}
        )


def test_strange_messages_on_the_pidbox_are_ignored(
    flower_2_2: Path, worker: WorkerStarter, broker: Broker
) -> None:
    process = worker(**HAVOC)
    strange = (
        b"", b"\x80\x04", b"{}", b"[]", b'{"body": "!"}', b"[" * 100_000, b"x" * 300_000,
        b'{"body": "e30=", "properties": {"body_encoding": "base64"}}',
        b'{"body": "{\\"method\\": 7}"}', b'{"body": "{\\"method\\": \\"revoke\\"}"}',
        b"{}" * 10,
    )  # fmt: skip
    with broker.client() as client:
        eventually(lambda: client.pubsub_numsub("/0.celery.pidbox")[0][1] == 1)
        for message in strange:
            client.publish("/0.celery.pidbox", message)
    assert_all_end(broker, "after")
    assert process.is_up


def test_a_worker_that_is_flooded_when_it_ends_says_that_it_goes(
    flower_2_2: Path, flower: FlowerStarter, worker: WorkerStarter, broker: Broker
) -> None:
    process = worker()
    seen = flower(flower_2_2)
    enqueue(broker, *(("sleep", {"s": 0.02, "_job_id": f"flood-{n}"}) for n in range(300)))
    eventually(lambda: len(seen.tasks()) > 20)
    process.terminate()
    (name,) = seen.workers()
    eventually(lambda: not seen.workers()[name], within_s=TOLD_S)
