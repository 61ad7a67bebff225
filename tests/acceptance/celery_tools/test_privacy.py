"""Secrets do not leave the worker: not in events, not in answers, not in mirrored results."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from processes import CHECKOUT, Broker, Flower, Running, enqueue, eventually
from test_wire import ask, capturing

WorkerStarter = Callable[..., Running]


def test_secrets_are_hidden_wherever_they_stand(
    flower_2_2: Path, worker: WorkerStarter, broker: Broker
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
        answers = ask(flower_2_2, broker, ("active", {}))
    with broker.client() as client:
        kept = [client.get(key) or b"" for key in client.keys("celery-task-meta-*")]
    said = json.dumps(capture.events) + json.dumps(answers) + b" ".join(kept).decode()
    for hidden in ("hunter2", "s3cr3t", "t0psecret", "k3y", "pa55", "4111"):
        assert hidden not in said, hidden
    for shown in ("plain", "[redacted]", "ValueError", "told"):
        assert shown in said, shown


def test_flower_needs_no_right_to_arqs_keys(
    tools: Path, flower: Callable[..., Flower], worker: WorkerStarter, broker: Broker
) -> None:
    text = (CHECKOUT / "docs" / "celery.md").read_text()
    (rule,) = re.findall(r"```acl\n(.*?)\n```", text, re.DOTALL)
    with broker.client() as client:
        client.execute_command(*rule.split())
    url = broker.url.replace("//", "//flower:choose-one@")
    worker(LOADLAB_CELERY_RESULTS="1", LOADLAB_CELERY_CONTROL="1")
    seen = flower(tools, url=url, backend=url)
    enqueue(broker, ("add", {"x": 1, "y": 2, "_job_id": "sum"}), ("sleep", {"_job_id": "long"}))
    eventually(lambda: seen.task("sum").get("state") == "SUCCESS")
    (name,) = seen.workers()
    assert eventually(lambda: seen.json("/api/workers", refresh=True).get(name))
    assert seen.json("/api/task/result/sum")["result"] == 3
    assert seen.json("/api/queues/length")["active_queues"]
    seen.post("/api/task/revoke/long", terminate="true")
    eventually(lambda: seen.task("long")["state"] == "REVOKED")
    with redis.Redis.from_url(url) as client:
        for key in ("arq:result:sum", "arq:queue"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.exists(key)
