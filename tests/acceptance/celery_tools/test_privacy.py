"""Secrets do not leave the worker: not in events, not in answers, not in mirrored results."""

import json
from collections.abc import Callable

from processes import Broker, Running, enqueue, eventually
from test_wire import ask, capturing

WorkerStarter = Callable[..., Running]


def test_secrets_are_hidden_wherever_they_stand(
    flower_2_2: object, worker: WorkerStarter, broker: Broker
) -> None:
    secrets = {"password": "hunter2", "headers": {"Authorization": "Bearer s3cr3t", "X": "plain"}}
    with capturing(broker) as capture:
        worker(LOADLAB_CELERY_RESULTS="1", LOADLAB_CELERY_REDACT="card")
        enqueue(
            broker,
            ("secret", {"_job_id": "told", **secrets}),
            ("fail", {"_job_id": "failed", "message": "api_key=k3y at redis://u:pa55@host/0"}),
            ("nowhere", {"card": "4111", "passwd": "hunter2", "shown": "plain"}),
            ("sleep", {"_job_id": "runs", "s": 60, "token": "t0psecret"}),
        )
        eventually(lambda: len(capture.events["arq"]["task-failed"]) >= 2)
        eventually(lambda: capture.events["arq"]["task-succeeded"])
        answers = ask(flower_2_2, broker, ("active", {}))  # type: ignore[arg-type]
    with broker.client() as client:
        kept = [client.get(key) or b"" for key in client.keys("celery-task-meta-*")]
    said = json.dumps(capture.events) + json.dumps(answers) + b" ".join(kept).decode()
    for hidden in ("hunter2", "s3cr3t", "t0psecret", "k3y", "pa55", "4111"):
        assert hidden not in said, hidden
    for shown in ("plain", "[redacted]", "ValueError", "told"):
        assert shown in said, shown
