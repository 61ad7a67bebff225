"""Probes, metrics, the contract and its page."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from callers import TASKS
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from factories import a_run, tasks_of
from prometheus_client.parser import text_string_to_metric_families

from runs.api.schema.components import COMPONENTS
from runs.models import Daemon
from runs.models.daemon import DaemonRole
from runs.models.ingest import ingest
from runs.states import RunStatus

CONTRACT = Path(__file__).parents[3] / "docs" / "openapi.yaml"


@contextmanager
def deaf_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class TestProbes:
    def test_alive_asks_nobody(self, stranger: Any) -> None:
        with CaptureQueriesContext(connection) as captured:
            response = stranger.get("/healthz")
        assert response.json() == {"status": "alive"}
        assert not captured

    def test_ready_names_each_dependency(self, stranger: Any) -> None:
        response = stranger.get("/readyz")
        assert response.status_code == 200
        assert response.json()["dependencies"] == {"database": "ok", "redis": "ok"}

    def test_what_is_away_is_named_and_no_address_is_told(
        self, stranger: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        monkeypatch.setenv("REDIS_URL", "redis://:hidden@127.0.0.1:1/0")
        response = stranger.get("/readyz")
        assert response.status_code == 503
        document = response.json()
        assert document["error"] == "not_ready"
        assert list(document["fields"]) == ["redis"]
        assert "127.0.0.1" not in response.content.decode()
        assert "127.0.0.1" in caplog.text
        assert "hidden" not in caplog.text

    def test_what_hangs_is_answered_within_two_seconds_each_time(
        self, stranger: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with deaf_server() as port:
            monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")
            for _ in range(3):
                began = time.monotonic()
                response = stranger.get("/readyz")
                assert time.monotonic() - began < 2
                assert response.status_code == 503
                assert list(response.json()["fields"]) == ["redis"]

    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_only_reading_is_possible(self, stranger: Any, path: str) -> None:
        response = stranger.post(path)
        assert response.status_code == 405
        assert response.json()["error"] == "method_not_allowed"


class TestMetrics:
    def figures(self, caller: Any) -> dict[tuple[str, ...], float]:
        response = caller.get("/metrics", HTTP_ACCEPT="application/openmetrics-text")
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/plain; version=0.0.4")
        return {
            (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
            for family in text_string_to_metric_families(response.content.decode())
            for sample in family.samples
        }

    def test_what_is_stored_and_what_is_queued(self, api: Any) -> None:
        running = a_run(status=RunStatus.RUNNING, num_tasks=10)
        ingest(running.pk, tasks_of(running, range(1, 5)))
        a_run()
        a_run(status=RunStatus.FAILED)
        Daemon.objects.beat(owner="d", role=DaemonRole.COLLECTOR, host="h", pid=1)
        found = self.figures(api)
        assert found["loadlab_runs", "running"] == 1
        assert found["loadlab_runs", "pending"] == 1
        assert found["loadlab_runs", "timed_out"] == 0
        assert found["loadlab_tasks_sent_total",] == 4
        assert found["loadlab_tasks_collected_total",] == 4
        assert found["loadlab_tasks_lost_total",] == 0
        assert found["loadlab_daemons", "collector"] == 1
        assert found["loadlab_daemons", "dispatcher"] == 0
        assert found["loadlab_queue_reachable", "media"] == 1
        assert found["loadlab_queue_depth", "queued", "media"] == 0
        assert found["loadlab_workers", "media"] == 0

    def test_how_late_sending_and_collecting_are(self, api: Any) -> None:
        run = a_run(status=RunStatus.DISPATCHING, num_tasks=10)
        run.mark_started(at=datetime.now(tz=UTC))
        type(run).objects.update(deadline_at=Now() + run._time_allowed - timedelta(seconds=30))
        found = self.figures(api)
        assert 29 < found["loadlab_dispatch_lag_seconds", "load_test"] < 60
        assert 29 < found["loadlab_collector_lag_seconds", "load_test"] < 60
        assert found["loadlab_dispatch_lag_seconds", "media"] == 0

        run.take(DaemonRole.COLLECTOR, owner="c")
        assert self.figures(api)["loadlab_collector_lag_seconds", "load_test"] < 29

    def test_without_redis_the_rest_is_there(
        self, api: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        found = self.figures(api)
        assert found["loadlab_queue_reachable", "media"] == 0
        assert not [name for name in found if name[0] == "loadlab_queue_depth"]

    def test_it_is_for_staff_or_a_token(self, stranger: Any, somebody: Any) -> None:
        response = stranger.get("/metrics")
        assert response.status_code == 401
        assert response.json()["error"] == "not_authenticated"
        bob = somebody()
        assert bob.get("/metrics").status_code == 200
        browser = Client()
        browser.force_login(bob.user)
        assert browser.get("/metrics").status_code == 403
        bob.user.is_staff = True
        bob.user.save()
        assert browser.get("/metrics").status_code == 200

    def test_it_costs_the_same_however_many_runs_there_are(self, api: Any) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.figures(api)
            return len(captured)

        a_run()
        few = count()
        for _ in range(30):
            a_run()
        assert count() == few


class TestContract:
    def test_the_file_and_the_code_agree(self, stranger: Any) -> None:
        served = stranger.get("/api/schema/").content.decode()
        assert served == CONTRACT.read_text(), "run `make schema`"

    def test_as_json_it_is_the_same(self, stranger: Any) -> None:
        response = stranger.get("/api/schema/?format=json")
        assert json.loads(response.content) == yaml.safe_load(CONTRACT.read_text())
        response = stranger.get("/api/schema/", HTTP_ACCEPT="application/json")
        assert json.loads(response.content)["openapi"] == "3.1.0"

    @pytest.fixture
    def contract(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(CONTRACT.read_text())
        return found

    def operations(self, contract: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, methods in contract["paths"].items():
            for method, operation in methods.items():
                yield f"{method} {path}", operation

    def test_every_operation_says_what_it_is_who_may_and_what_can_go_wrong(
        self, contract: dict[str, Any]
    ) -> None:
        for name, operation in self.operations(contract):
            assert operation["summary"], name
            assert operation["operationId"], name
            assert operation["tags"], name
            errors = {status for status in operation["responses"] if status >= "4"}
            assert {"400", "406", "500"} <= errors, name
            if "healthz" not in name and "readyz" not in name:
                assert {"401", "403", "429", "503"} <= errors, name
                assert operation["security"] == [{"tokenAuth": []}, {"cookieAuth": []}]

    def test_every_example_has_the_shape_that_it_shows(self, contract: dict[str, Any]) -> None:
        def valid(example: Any, schema: dict[str, Any]) -> None:
            whole = {**schema, "components": contract["components"]}
            jsonschema.Draft202012Validator(whole).validate(example)

        for name, operation in self.operations(contract):
            answers = list(operation["responses"].values())
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            shown = 0
            for referred in answers + bodies:
                name_of = referred.get("$ref", "").rpartition("/")[2]
                part = contract["components"]["responses"][name_of] if name_of else referred
                for media in part.get("content", {}).values():
                    examples = [each["value"] for each in media.get("examples", {}).values()]
                    examples += [media["example"]] if "example" in media else []
                    shown += part in operation["responses"].values() and len(examples)
                    for example in examples:
                        valid(example, media["schema"])
            assert shown, f"{name} shows no example of its answer"

    def test_our_components_are_json_schemas(self) -> None:
        for schema in COMPONENTS.values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_the_page_needs_no_other_host_and_no_inline_script(self, stranger: Any) -> None:
        response = stranger.get("/api/docs/")
        page = response.content.decode()
        assert response.status_code == 200
        assert "'unsafe" not in response["Content-Security-Policy"]
        assert "//" not in page.replace("<!DOCTYPE html>", "")
        assert " style=" not in page
        assert "<script>" not in page

    def test_what_the_page_needs_is_served(self, stranger: Any) -> None:
        page = stranger.get("/api/docs/").content.decode()
        parts = [part.split('"')[0] for part in page.split('="') if part.startswith("/")]
        assert len(parts) >= 5
        for part in parts:
            response = stranger.get(part)
            assert response.status_code == 200, part
            assert response.getvalue()
            response.close()

    @pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/"])
    def test_they_are_read_only(self, stranger: Any, path: str) -> None:
        response = stranger.post(path)
        assert response.status_code == 405
        assert response.json()["error"] == "method_not_allowed"


def test_types_are_described(api: Any) -> None:
    rows = {row["name"]: row for row in api.get(f"{TASKS}load-test-types").json()["results"]}
    assert {"cpu_intensive", "io_simulation", "memory_operations", "sleep", "noop"} <= set(rows)
    duration = next(p for p in rows["sleep"]["parameters"] if p["name"] == "duration_ms")
    assert (duration["kind"], duration["unit"], duration["minimum"]) == ("float", "ms", 0)
    assert {metric["name"] for metric in rows["sleep"]["metrics"]} == {"slept_ms", "overshoot_ms"}
