"""The stock celery command line asks arq's workers, and revokes their jobs."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from processes import HERE, Broker, Flower, Running, enqueue, eventually

Command = Callable[..., subprocess.CompletedProcess[str]]
WorkerStarter = Callable[..., Running]

ASKED_WITHOUT_MEANING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("pool_grow", {"n": 2}),
    ("pool_shrink", {"n": 1}),
    ("pool_restart", {"modules": ["os"], "reload": True}),
    ("autoscale", {"max": 4, "min": 1}),
    ("rate_limit", {"task_name": "add", "rate_limit": "5/m"}),
    ("time_limit", {"task_name": "add", "hard": 10, "soft": 5}),
    ("add_consumer", {"queue": "other"}),
    ("cancel_consumer", {"queue": "arq(arq:queue)"}),
    ("revoke_by_stamped_headers", {"headers": {"a": ["b"]}}),
    ("election", {"id": "1", "topic": "leader"}),
    ("shutdown", {}),
    ("clock", {}),
    ("memdump", {}),
    ("no_such_command", {}),
)


PATIENTLY = ("-t", "10")  # for a worker asked by name, whose answer ends the waiting


def answers(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What `--json` prints: each worker's answer."""
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def only(replies: dict[str, Any]) -> Any:
    """The answer of the one worker there is."""
    (answer,) = replies.values()
    return answer


def test_status_and_ping_find_every_worker(
    tools: Path, celery: Command, worker: WorkerStarter
) -> None:
    assert celery(tools, "status", "-t", "1").returncode != 0
    worker(), worker()

    def both() -> bool:
        return "2 nodes online" in celery(tools, "status", "-t", "1").stdout

    eventually(both)
    pings = answers(celery(tools, "inspect", "ping", "--json", "-t", "1"))
    assert list(pings.values()) == [{"ok": "pong"}, {"ok": "pong"}]
    one = min(pings)
    addressed = answers(celery(tools, "inspect", "ping", "--json", "-t", "1", "-d", one))
    assert list(addressed) == [one]


def test_inspect_answers_in_celerys_shapes(
    tools: Path, celery: Command, worker: WorkerStarter, broker: Broker
) -> None:
    process = worker()
    enqueue(
        broker,
        ("add", {"x": 1, "y": 2, "_job_id": "sum"}),
        ("sleep", {"s": 60, "_job_id": "long"}),
        ("sleep", {"s": 1, "_job_id": "later", "_defer_by": 1000}),
    )

    with broker.client() as client:
        eventually(lambda: client.exists("arq:in-progress:long", "arq:result:sum") == 2)
    (name,) = answers(celery(tools, "inspect", "ping", "--json", "-t", "1"))

    def asked(*arguments: str) -> Any:
        # why the name: who asks one worker is not made to wait for more to answer
        return only(answers(celery(tools, "inspect", *arguments, "--json", *PATIENTLY, "-d", name)))

    commands = [
        ("active",), ("registered",), ("reserved",), ("revoked",), ("scheduled",),
        ("active_queues",), ("stats",), ("conf",), ("query_task", "long", "later"),
    ]  # fmt: skip
    with ThreadPoolExecutor(3) as at_once:
        said = {
            command[0]: answer
            for command, answer in zip(
                commands, at_once.map(lambda command: asked(*command), commands), strict=True
            )
        }
    (active,) = said["active"]
    assert (active["id"], active["name"], active["kwargs"]) == ("long", "sleep", {"s": 60})
    assert active["worker_pid"] == process.pid
    assert "add" in said["registered"]
    assert said["reserved"] == []
    assert said["revoked"] == []
    (waiting,) = said["scheduled"]
    assert (waiting["request"]["id"], waiting["request"]["name"]) == ("later", "sleep")
    assert waiting["eta"].endswith("+00:00")
    (queue,) = said["active_queues"]
    assert queue["name"] == "arq(arq:queue)"
    stats = said["stats"]
    assert stats["total"] == {"add": 1, "sleep": 1}
    assert stats["pid"] == process.pid
    assert stats["pool"]["max-concurrency"] == 10
    assert stats["arq"]["on_queue"] == 2
    assert stats["arq"]["deferred"] == 1
    conf = said["conf"]
    assert conf["worker_concurrency"] == 10
    state, request = said["query_task"]["long"]
    assert (state, request["id"]) == ("active", "long")


def test_every_other_command_is_refused_in_words(
    tools: Path, celery: Command, broker: Broker, worker: WorkerStarter
) -> None:
    process = worker()
    done = subprocess.run(
        [tools / "python", HERE / "ask.py", broker.url, json.dumps(ASKED_WITHOUT_MEANING)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == [
        {"error": f"unsupported by arq: {method}"} for method, _ in ASKED_WITHOUT_MEANING
    ]
    said = celery(tools, "control", "-t", "1", "pool_grow", "2")
    assert "unsupported by arq: pool_grow" in said.stdout
    assert process.is_up


def test_events_dump_prints_arqs_tasks(
    tools: Path, broker: Broker, worker: WorkerStarter, started: list[Running]
) -> None:
    dump = Running.of(
        [tools / "celery", "-b", broker.url, "events", "--dump"], PYTHONUNBUFFERED="1"
    )
    started.append(dump)
    with broker.client() as client:
        eventually(lambda: client.pubsub_numpat() > 0)
    process = worker()
    enqueue(broker, ("add", {"x": 1, "y": 2, "_job_id": "dumped"}))
    eventually(lambda: "task succeeded: add(dumped)" in dump.said, within_s=10)
    assert f":{process.pid}:" in dump.said


@pytest.mark.parametrize("terminate", ["revoke", "terminate"])
def test_revoking_aborts_the_arq_job(
    tools: Path,
    celery: Command,
    worker: WorkerStarter,
    flower: Callable[..., Flower],
    broker: Broker,
    terminate: str,
) -> None:
    seen = flower(tools)
    worker(LOADLAB_CELERY_CONTROL="1")
    enqueue(broker, ("sleep", {"s": 60, "_job_id": "long"}))
    eventually(lambda: seen.task("long").get("state") == "STARTED")

    if terminate == "revoke":
        answer = seen.post("/api/task/revoke/long", terminate="true")
        assert answer.status_code == 200, answer.text
    else:
        (name,) = seen.workers()
        done = celery(tools, "control", *PATIENTLY, "-d", name, "terminate", "SIGTERM", "long")
        assert "terminate: long" in done.stdout, done.stdout + done.stderr

    eventually(lambda: seen.task("long")["state"] == "REVOKED")
    with broker.client() as client:
        assert client.zcard("arq:queue") == 0
        assert client.exists("arq:result:long")
    (name,) = seen.workers()
    revoked = celery(tools, "inspect", "revoked", "--json", *PATIENTLY, "-d", name)
    assert only(answers(revoked)) == ["long"]


def test_a_waiting_job_is_revoked_before_it_runs_and_a_running_one_is_left_alone(
    flower_2_2: Path,
    celery: Command,
    worker: WorkerStarter,
    flower: Callable[..., Flower],
    broker: Broker,
) -> None:
    seen = flower(flower_2_2)
    worker(LOADLAB_CELERY_CONTROL="1")
    enqueue(
        broker,
        ("sleep", {"s": 60, "_job_id": "runs"}),
        ("sleep", {"s": 0, "_job_id": "deferred", "_defer_by": 1000}),
    )
    eventually(lambda: seen.task("runs").get("state") == "STARTED")
    done = celery(flower_2_2, "control", "-t", "1", "revoke", "runs", "deferred", "never-was")
    said = done.stdout
    assert "flagged as revoked: deferred" in said
    assert "running, only --terminate ends them: runs" in said
    assert "tasks unknown to arq(arq:queue): never-was" in said
    eventually(lambda: seen.task("deferred").get("state") == "REVOKED")
    assert seen.task("runs")["state"] == "STARTED"
    with broker.client() as client:
        assert client.zrange("arq:abort", 0, -1) == []


def test_without_permission_nothing_is_revoked_and_the_answer_says_so(
    flower_2_2: Path, celery: Command, worker: WorkerStarter, broker: Broker
) -> None:
    worker()
    enqueue(broker, ("sleep", {"s": 0, "_job_id": "later", "_defer_by": 1000}))
    done = celery(flower_2_2, "control", "-t", "1", "revoke", "later")
    assert "revoke is off for this worker: set LOADLAB_CELERY_CONTROL=1" in done.stdout
    with broker.client() as client:
        assert client.exists("arq:abort") == 0
