"""arq's workers say what a real Celery worker says: envelopes, events and replies side by side."""

import base64
import json
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from processes import HERE, Broker, Running, enqueue, eventually

WorkerStarter = Callable[..., Running]
Kinds = dict[str, list[dict[str, Any]]]

# Flower shifts times by an offset, so none is sent; the queue is told beside what Celery tells
LEFT_OUT = {"utcoffset"}
ADDED = {"task-received": {"routing_key"}}

HAPPENINGS = {
    "worker-online",
    "worker-heartbeat",
    "worker-offline",
    "task-received",
    "task-started",
    "task-succeeded",
    "task-failed",
    "task-retried",
    "task-revoked",
}


class Capture:
    """All that is published for Celery's tools, by who said it."""

    def __init__(self) -> None:
        self.events: dict[str, Kinds] = defaultdict(lambda: defaultdict(list))
        self.envelopes: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)

    def hear(self, channel: str, raw: bytes) -> None:
        envelope = json.loads(raw)
        body = json.loads(base64.b64decode(envelope.pop("body")))
        who = "celery" if envelope["headers"]["hostname"].startswith("celery@") else "arq"
        self.envelopes[who].append((channel, envelope))
        for event in body if isinstance(body, list) else [body]:
            self.events[who][event["type"]].append(event)

    def kinds(self, who: str) -> set[str]:
        return set(self.events[who])


@contextmanager
def capturing(broker: Broker) -> Iterator[Capture]:
    capture, stop = Capture(), threading.Event()

    def listen() -> None:
        with broker.client() as client, client.pubsub() as heard:
            heard.psubscribe("/0.celeryev/*")
            while not stop.is_set():
                try:
                    message = heard.get_message(timeout=0.1)
                except redis.ConnectionError:
                    return
                if message and message["type"] == "pmessage":
                    capture.hear(message["channel"].decode(), message["data"])

    listener = threading.Thread(target=listen)
    listener.start()
    with broker.client() as client:
        eventually(lambda: client.pubsub_numpat() > 0)
    yield capture
    stop.set()
    listener.join()


def ask(tools: Path, broker: Broker, *commands: tuple[str, dict[str, Any]]) -> list[Any]:
    done = subprocess.run(
        [tools / "python", HERE / "ask.py", broker.url, json.dumps(commands)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def kind_of(value: object) -> str:
    """Values are of one kind if a reader can treat them alike; None says nothing."""
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


def shape(events: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The keys of events, each with the kinds of its values."""
    found: dict[str, set[str]] = defaultdict(set)
    for event in events:
        for key, value in event.items():
            found[key].add(kind_of(value))
    return found


def test_events_and_replies_have_the_shapes_of_a_real_celery_workers(
    tools: Path, broker: Broker, worker: WorkerStarter, started: list[Running]
) -> None:
    inspected = [("active", {}), ("active_queues", {}), ("stats", {}), ("query_task", {})]
    with capturing(broker) as capture:
        celerys = Running.of(
            [tools / "celery", "-A", "celery_app", "worker", "-E", "-c", "2", "-l", "WARNING"],
            BROKER_URL=broker.url,
        )
        started.append(celerys)
        eventually(lambda: "worker-heartbeat" in capture.kinds("celery"))
        subprocess.run(
            [tools / "python", "celery_app.py"],
            cwd=HERE,
            env={"BROKER_URL": broker.url},
            check=True,
        )
        eventually(lambda: len(capture.events["celery"]["task-started"]) >= 5)
        commands = [
            (m, a | {"ids": ["celery-long"]} if m == "query_task" else a) for m, a in inspected
        ]
        theirs = ask(
            tools, broker, *commands, ("terminate", {"signal": "SIGTERM", "task_id": "celery-long"})
        )
        eventually(lambda: "task-revoked" in capture.kinds("celery"))
        celerys.terminate()
        eventually(lambda: capture.kinds("celery") >= HAPPENINGS)

        arqs = worker(LOADLAB_CELERY_CONTROL="1")
        enqueue(
            broker,
            ("add", {"x": 1, "y": 2}),
            ("fail", {}),
            ("again", {}),
            ("sleep", {"_job_id": "arq-long"}),
        )
        eventually(lambda: len(capture.events["arq"]["task-started"]) >= 5)
        commands = [
            (m, a | {"ids": ["arq-long"]} if m == "query_task" else a) for m, a in inspected
        ]
        ours = ask(
            tools, broker, *commands, ("terminate", {"signal": "SIGTERM", "task_id": "arq-long"})
        )
        eventually(lambda: "task-revoked" in capture.kinds("arq"))
        eventually(lambda: "worker-heartbeat" in capture.kinds("arq"))
        arqs.terminate()
        eventually(lambda: capture.kinds("arq") == HAPPENINGS)

    for kind in HAPPENINGS:
        told, expected = shape(capture.events["arq"][kind]), shape(capture.events["celery"][kind])
        assert set(told) - ADDED.get(kind, set()) == set(expected) - LEFT_OUT, kind
        for key in set(expected) - LEFT_OUT:
            assert told[key] - {"NoneType"} <= expected[key] or expected[key] <= told[key], (
                kind,
                key,
            )

    channels = {channel for channel, _ in capture.envelopes["celery"]}
    assert {channel for channel, _ in capture.envelopes["arq"]} == channels
    for _, envelope in capture.envelopes["arq"]:
        (_, expected_one) = capture.envelopes["celery"][0]
        assert envelope.keys() == expected_one.keys()
        assert envelope["properties"].keys() == expected_one["properties"].keys()
        assert envelope["headers"].keys() == expected_one["headers"].keys()
        assert envelope["content-type"] == expected_one["content-type"]

    assert_replies_agree(theirs, ours)


def assert_replies_agree(theirs: list[Any], ours: list[Any]) -> None:
    (active, queues, stats, query, ended), (a, q, s, y, e) = theirs, ours
    assert a[0].keys() == active[0].keys()
    assert a[0]["delivery_info"].keys() == active[0]["delivery_info"].keys()
    assert q[0].keys() == queues[0].keys()
    assert q[0]["exchange"].keys() == queues[0]["exchange"].keys()
    assert s.keys() >= stats.keys()
    assert s["pool"].keys() >= stats["pool"].keys() - {"writes"}
    assert s["rusage"].keys() == stats["rusage"].keys()
    assert [state for state, _ in y.values()] == [state for state, _ in query.values()]
    assert e.keys() == ended.keys() == {"ok"}


def test_clients_with_prefixes_of_their_own_are_met_where_they_are(
    tools: Path, broker: Broker, worker: WorkerStarter
) -> None:
    prefix = "app"  # without a separator Celery adds one to results, and to nothing else
    worker(
        LOADLAB_CELERY_RESULTS="1",
        LOADLAB_CELERY_KEY_PREFIX=prefix,
        LOADLAB_CELERY_FANOUT_PREFIX="/mine-{db}.",
    )
    enqueue(broker, ("add", {"x": 1, "y": 2, "_job_id": "sum"}))
    options = json.dumps({"global_keyprefix": prefix, "fanout_prefix": "/mine-{db}."})
    done = subprocess.run(
        [tools / "python", HERE / "with_prefixes.py", broker.url, options, "sum"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout)
    assert set(came["heard"]) & HAPPENINGS
    assert (came["pings"], came["result"]) == ([[{"ok": "pong"}]], 3)


def test_a_worker_loads_neither_celery_nor_kombu_nor_django() -> None:
    script = (
        "import sys, arq_app; names = {name.partition('.')[0] for name in sys.modules};"
        "print(sorted(names & {'celery', 'kombu', 'billiard', 'vine', 'django', 'runs'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"BROKER_URL": "redis://127.0.0.1:1/0", "PYTHONPATH": str(HERE)},
        cwd=HERE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
