"""The API in front of real daemons and workers, and with a server taken away under it."""

import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from service import ALL, ENDED, Service, eventually, result_once_ended, servers_of

from loadlab import embedded

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service() as running:
        yield running.prepare().web().daemons()


@pytest.fixture(scope="module")
def api(service: Service) -> Iterator[httpx.Client]:
    with service.caller(service.token_of("ana", *ALL)) as client:
        yield client


def test_a_run_is_launched_carried_out_and_read_back(api: httpx.Client) -> None:
    asked = {
        "task_type": "sleep",
        "parameters": {"duration_ms": 10},
        "num_tasks": 60,
        "batch_size": 20,
        "thresholds": ["tasks_failed==0"],
    }
    launched = api.post("/load-test", json=asked)
    assert launched.status_code == 202
    report = result_once_ended(api, launched.headers["Location"])

    assert report["test_id"] == launched.json()["test_id"]
    assert report["status"] == "completed"
    assert report["configuration"]["task_type"] == "sleep"
    metrics = report["metrics"]
    assert (metrics["tasks_sent"], metrics["tasks_completed"]) == (60, 60)
    assert report["thresholds"][0]["passed"] is True
    assert report["headline"]

    rows = api.get("/load-test/{}/tasks".format(report["test_id"]), params={"page_size": 200})
    assert [row["sequence"] for row in rows.json()["results"]] == list(range(1, 61))
    listed = api.get("/load-tests", params={"status": "completed", "page_size": 1}).json()
    assert listed["results"][0]["test_id"] == report["test_id"]

    etag = api.get(launched.headers["Location"]).headers["ETag"]
    unchanged = api.get(launched.headers["Location"], headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_a_group_is_carried_out_pinned_and_compared(api: httpx.Client) -> None:
    asked = {"task_type": "noop", "num_tasks": 20, "repeat": 2, "label": "group"}
    launched = api.post("/load-test", json=asked).json()
    group = result_once_ended(api, launched["result_url"])
    first, second = (run["test_id"] for run in group["runs"])
    assert {run["status"] for run in group["runs"]} == {"completed"}

    assert api.post(f"/load-test/{first}/baseline").status_code == 200
    assert api.delete(f"/load-test/{first}/baseline").status_code == 200
    compared = api.get("/load-test/compare", params={"runs": f"{first},{second}"})
    assert compared.status_code == 200
    assert compared.json()["comparisons"][0]["now"] == second


def test_a_run_under_way_is_cancelled(api: httpx.Client) -> None:
    asked = {"task_type": "sleep", "parameters": {"duration_ms": 500}, "num_tasks": 2000}
    launched = api.post("/load-test", json=asked).json()
    url = launched["result_url"]
    eventually(lambda: api.get(url).json()["metrics"]["tasks_sent"] > 0)
    under_way = api.get(url)
    assert under_way.json()["progress"]["planned"] == 2000
    assert under_way.headers["Retry-After"]
    assert api.post(f"/load-test/{launched['test_id']}/cancel").status_code == 202
    report = result_once_ended(api, url)
    metrics = report["metrics"]
    assert report["status"] == "cancelled"
    assert metrics["tasks_cancelled"] > 0
    assert metrics["tasks_sent"] == sum(
        metrics[f"tasks_{end}"] for end in ("completed", "failed", "lost", "cancelled")
    )


def test_queues_and_metrics_show_who_works(service: Service, api: httpx.Client) -> None:
    def workers() -> int:
        rows = {row["queue"]: row for row in api.get("/queues").json()["results"]}
        return len(rows["load_test"]["workers"])

    assert eventually(workers) == 1
    text = api.get(f"{service.url}/metrics").text
    assert 'loadlab_workers{queue="load_test"} 1.0' in text
    assert 'loadlab_daemons{role="dispatcher"} 1.0' in text
    explained = api.get("/load-test/explain", params={"task_time_s": 0.1}).json()
    assert explained["fleet"]["source"] == "heartbeats"


def test_fifty_clients_at_once_launch_each_run_exactly_once(
    service: Service, api: httpx.Client
) -> None:
    def launch(number: int) -> str:
        with httpx.Client(base_url=api.base_url, headers=api.headers, timeout=60) as client:
            response = client.post(
                "/load-test",
                json={"task_type": "noop", "num_tasks": 1, "target_queue": "media"},
                headers={"Idempotency-Key": f"pipeline {number // 2}"},  # each key twice
            )
        assert response.status_code == 202, response.text
        return str(response.json()["test_id"])

    with ThreadPoolExecutor(50) as clients:
        accepted = list(clients.map(launch, range(50)))
    assert len(set(accepted)) == 25
    with servers_of(service.var), psycopg.connect(embedded.postgres_url()) as database:
        stored = database.execute(
            "SELECT test_id FROM runs_loadtestrun WHERE target_queue = 'media'"
        ).fetchall()
    assert sorted(stored) == sorted((test_id,) for test_id in set(accepted))
    for test_id in set(accepted):
        api.post(f"/load-test/{test_id}/cancel")


def test_what_is_too_long_is_refused_and_the_next_request_is_served(api: httpx.Client) -> None:
    for megabytes in (1, 20):
        try:
            response = api.post(
                "/load-test",
                content=b"x" * megabytes * 2**20,
                headers={"Content-Type": "application/json"},
            )
            assert response.status_code == 413
            assert response.json()["error"] == "body_too_large"
        except httpx.WriteError:  # the answer came before all was sent, and the door was shut
            assert megabytes > 1
    assert api.get("/load-test-types").status_code == 200


def test_a_body_in_chunks_is_refused(api: httpx.Client) -> None:
    response = api.post("/load-test", content=iter([b'{"num_tasks"', b": 5}"]))
    assert response.status_code == 411
    assert response.json()["error"] == "length_required"


class Elsewhere:
    """Servers in a folder of their own, which can be stopped and started again."""

    def __init__(self) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="loadlab-srv-", dir="/tmp"))

    def start(self) -> tuple[str, str]:
        with servers_of(self.var):
            return embedded.postgres_url(), embedded.valkey_url()

    def stop(self) -> None:
        with servers_of(self.var):
            embedded.stop()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    servers = Elsewhere()
    yield servers
    servers.stop()
    shutil.rmtree(servers.var)


def test_without_redis_a_launch_is_taken_and_carried_out_when_it_is_back(
    elsewhere: Elsewhere,
) -> None:
    _, redis_url = elsewhere.start()
    with Service(REDIS_URL=redis_url) as service, service.caller() as api:
        service.prepare().web().daemons()
        service.log_in(api, "ana", *ALL)
        elsewhere.stop()
        launched = api.post("/load-test", json={"task_type": "noop", "num_tasks": 10})
        assert launched.status_code == 202
        ready = httpx.get(f"{service.url}/readyz")
        assert (ready.status_code, list(ready.json()["fields"])) == (503, ["redis"])
        assert not api.get("/queues").json()["results"][0]["reachable"]
        assert api.get(launched.headers["Location"]).json()["status"] not in ENDED

        elsewhere.start()
        report = result_once_ended(api, launched.headers["Location"])
        assert (report["status"], report["metrics"]["tasks_completed"]) == ("completed", 10)
        eventually(lambda: service.answers("/readyz"))


def test_without_postgresql_each_request_says_so_and_recovers_by_itself(
    elsewhere: Elsewhere,
) -> None:
    database_url, _ = elsewhere.start()
    with Service(DATABASE_URL=database_url) as service, service.caller() as api:
        service.prepare().web()
        service.log_in(api, "ana", *ALL)
        assert api.get("/load-tests").status_code == 200
        elsewhere.stop()
        for response in (
            api.get("/load-tests"),
            api.post("/load-test", json={"task_type": "noop"}),
            api.get(f"{service.url}/metrics"),
        ):
            assert response.status_code == 503
            assert response.json()["error"] == "database_unavailable"
            assert set(response.json()) == {"error", "message", "fields"}
            assert response.headers["Retry-After"]
        assert api.get(f"{service.url}/healthz").status_code == 200
        ready = api.get(f"{service.url}/readyz")
        assert (ready.status_code, list(ready.json()["fields"])) == (503, ["database"])

        elsewhere.start()
        eventually(lambda: api.get("/load-tests").status_code == 200)
        assert api.post("/load-test", json={"task_type": "noop"}).status_code == 202


def test_ready_answers_within_two_seconds_though_both_servers_hang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        hanging = {
            "DATABASE_URL": f"postgres://u:hidden@127.0.0.1:{port}/x",
            "REDIS_URL": f"redis://127.0.0.1:{port}/0",
        }
        with (
            Service(**hanging) as service,
            service.caller("anything") as api,
            ThreadPoolExecutor(4) as others,
        ):
            service.web()
            waiting = [others.submit(api.get, "/load-tests") for _ in range(4)]
            for _ in range(6):  # more often than there are threads to ask
                began = time.monotonic()
                ready = httpx.get(f"{service.url}/readyz", timeout=10)
                assert time.monotonic() - began < 2
                assert ready.status_code == 503
                assert set(ready.json()["fields"]) == {"database", "redis"}
                assert "hidden" not in ready.text
            assert {answer.result().status_code for answer in waiting} == {503}
            assert "hidden" not in service.log("web")
