"""Launching over HTTP: what is taken, what is refused, what is stored."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from callers import ALL, TASKS, Caller
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from factories import a_run

from runs.models import Daemon, IdempotencyKey, LoadTestRun
from runs.models.daemon import DaemonRole

LAUNCH = f"{TASKS}load-test"
PUBLISHED = {"task_id", "test_id", "status", "queued_at", "message", "result_url"}


def launch(api: Any, key: str | None = None, **asked: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post(LAUNCH, asked, format="json", headers=headers)


def refused_fields(response: Any) -> dict[str, str]:
    assert response.status_code == 400
    assert not LoadTestRun.objects.exists()
    return dict(response.json()["fields"])


def test_a_launch_stores_a_pending_run_and_says_where_its_result_will_be(api: Any) -> None:
    response = launch(api, task_type="noop", num_tasks=7, batch_size=3, delay_ms=5, label="x")
    assert response.status_code == 202
    answer = response.json()
    assert set(answer) == PUBLISHED
    assert answer["task_id"] == answer["test_id"]
    assert answer["status"] == "pending"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", answer["queued_at"])
    assert response["Location"] == answer["result_url"]
    assert api.get(answer["result_url"]).json()["test_id"] == answer["test_id"]

    run = LoadTestRun.objects.named(answer["test_id"])
    assert (run.status, run.label, run.requested_by) == ("pending", "x", api.user)
    configuration = run.configuration
    assert (configuration.task_type, configuration.num_tasks) == ("noop", 7)
    assert (configuration.batch_size, configuration.delay_ms) == (3, 5.0)


def test_an_empty_object_and_no_body_at_all_are_the_defaults(api: Any) -> None:
    for response in (launch(api), api.post(LAUNCH)):
        run = LoadTestRun.objects.named(response.json()["test_id"])
        assert run.configuration.in_words == "100 × io_simulation"
        assert run.target_queue == "load_test"


def test_every_option_of_run_is_taken(api: Any) -> None:
    response = launch(
        api,
        task_type="sleep",
        parameters={"duration_ms": 20, "distribution": "exponential"},
        rate_per_s=40,
        duration_s=2.5,
        arrival="poisson",
        seed=7,
        target_queue="media",
        label="before the upgrade",
        timeout_s=30,
        baseline="none",
        thresholds=["p95_sojourn_time_ms<700"],
        repeat=1,
    )
    run = LoadTestRun.objects.named(response.json()["test_id"])
    configuration = run.configuration
    assert (configuration.arrival, configuration.num_tasks, configuration.seed) == (
        "poisson",
        100,
        7,
    )
    assert configuration.parameters["duration_ms"] == 20.0
    assert configuration.parameters["distribution"] == "exponential"
    assert (run.target_queue, run.timeout_s, run.baseline_choice) == ("media", 30.0, "none")
    assert run.thresholds == ["p95_sojourn_time_ms<700"]


def test_null_is_the_default(api: Any) -> None:
    asked = dict.fromkeys(("num_tasks", "batch_size", "delay_ms", "rate_per_s", "arrival"))
    assert launch(api, task_type="noop", **asked).status_code == 202


def test_a_group_has_its_own_result(api: Any) -> None:
    answer = launch(api, task_type="noop", num_tasks=1, repeat=3).json()
    assert set(answer) == {*PUBLISHED, "group_id", "runs"}
    assert len({run["test_id"] for run in answer["runs"]}) == 3
    assert answer["test_id"] == answer["runs"][0]["test_id"]
    group = api.get(answer["result_url"]).json()
    assert group["group_id"] == answer["group_id"]
    assert [run["test_id"] for run in group["runs"]] == [run["test_id"] for run in answer["runs"]]


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ("small", "50 × cpu_intensive"),
        ("medium", "200 × io_simulation"),
        ("large", "1000 × memory_operations"),
    ],
)
def test_the_examples(api: Any, size: str, words: str) -> None:
    response = api.post(f"{TASKS}examples/load-test-{size}")
    assert response.status_code == 202
    assert set(response.json()) == PUBLISHED
    assert LoadTestRun.objects.get().configuration.in_words == words


def test_it_says_what_a_run_waits_for_and_who_is_missing(api: Any) -> None:
    ahead = launch(api, task_type="noop").json()
    assert "No dispatcher is running" in ahead["message"]
    Daemon.objects.beat(owner="d", role=DaemonRole.DISPATCHER, host="h", pid=1)
    message = launch(api, task_type="noop").json()["message"]
    assert message.endswith(f"on load_test, after {ahead['test_id']}.")


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("num_tasks", True, "a whole number"),
        ("num_tasks", "50", "a whole number"),
        ("num_tasks", 1.5, "a whole number"),
        ("num_tasks", 0, "from 1 to 1000000"),
        ("num_tasks", -1, "from 1 to 1000000"),
        ("num_tasks", 1_000_001, "from 1 to 1000000"),
        ("num_tasks", 10**30, "a whole number"),
        ("num_tasks", [1], "a whole number"),
        ("batch_size", 0, "from 1"),
        ("delay_ms", -1, "from 0"),
        ("delay_ms", False, "a number"),
        ("delay_ms", "5", "a number"),
        ("task_type", 3, "none of them a control character"),
        ("task_type", "nop", "noop"),
        ("task_type", "a\0b", "none of them a control character"),
        ("target_queue", "default", "load_test, system, media"),
        ("target_queue", None, "leave it out"),
        ("parameters", [], "an object"),
        ("parameters", {"duration": 1}, "duration_ms"),
        ("arrival", "uniform", "batches, constant, poisson"),
        ("seed", -1, "from 0"),
        ("seed", 2**63, "a whole number"),
        ("label", 5, "none of them a control character"),
        ("label", "x" * 201, "at most 200 characters"),
        ("label", "a\nb", "none of them a control character"),
        ("timeout_s", 0, "above 0"),
        ("baseline", "/etc/passwd", "auto, none or the id of a run"),
        ("baseline", "../report.json", "auto, none or the id of a run"),
        ("thresholds", "p95<5", "a list of texts"),
        ("thresholds", [5], "a list of texts"),
        ("thresholds", ["p95_execution<5"], "p95_execution_time_ms"),
        ("repeat", 0, "from 1 to 100"),
        ("repeat", 101, "from 1 to 100"),
        ("num_taks", 5, "did you mean num_tasks?"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(
    api: Any, field: str, value: Any, allowed: str
) -> None:
    fields = refused_fields(launch(api, **{"task_type": "sleep", field: value}))
    assert list(fields) == [field]
    assert allowed in fields[field]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "-1e400"])
def test_what_is_no_finite_number_is_refused(api: Any, number: str) -> None:
    body = f'{{"delay_ms": {number}}}'
    response = api.generic("POST", LAUNCH, body, content_type="application/json")
    assert response.status_code == 400
    assert not LoadTestRun.objects.exists()


def test_contradictions_are_refused(api: Any) -> None:
    assert refused_fields(launch(api, rate_per_s=40, duration_s=1, delay_ms=5)).keys() == {
        "delay_ms"
    }
    assert refused_fields(launch(api, rate_per_s=40)).keys() == {"duration_s"}


def test_every_wrong_field_is_named_at_once(api: Any) -> None:
    fields = refused_fields(launch(api, num_tasks="5", foo=1, target_queue="x"))
    assert fields.keys() == {"num_tasks", "foo", "target_queue"}


def test_a_field_given_twice_is_refused(api: Any) -> None:
    body = '{"num_tasks": 1, "num_tasks": 1000}'
    response = api.generic("POST", LAUNCH, body, content_type="application/json")
    assert response.status_code == 400
    assert "'num_tasks' is given twice" in response.json()["message"]


def test_one_who_has_many_waiting_waits(api: Any, settings: Any, somebody: Any) -> None:
    settings.LOADLAB_MAX_WAITING = 3
    assert launch(api, task_type="noop", repeat=2).status_code == 202
    response = launch(api, task_type="noop", repeat=2)
    assert response.status_code == 429
    assert response.json()["error"] == "too_many_waiting"
    assert "LOADLAB_MAX_WAITING" in response.json()["message"]
    assert response["Retry-After"]
    assert LoadTestRun.objects.count() == 2
    assert launch(api, task_type="noop").status_code == 202
    assert launch(somebody("launch_loadtestrun"), task_type="noop").status_code == 202
    LoadTestRun.objects.filter(requested_by=api.user).update(status="completed")
    assert launch(api, task_type="noop", repeat=3).status_code == 202


class TestKeys:
    def test_the_same_launch_with_the_same_key_is_one(self, api: Any) -> None:
        first = launch(api, key="a", task_type="noop", num_tasks=3)
        again = api.generic(
            "POST",
            LAUNCH,
            b' { "num_tasks" : 3, "task_type": "noop"}',
            content_type="application/json",
            headers={"Idempotency-Key": "a"},
        )
        assert (first.status_code, again.status_code) == (202, 202)
        assert first.json()["test_id"] == again.json()["test_id"]
        assert first["Location"] == again["Location"]
        assert "Idempotent-Replayed" not in first
        assert again["Idempotent-Replayed"] == "true"
        assert LoadTestRun.objects.count() == 1

    def test_another_launch_with_the_same_key_is_refused(self, api: Any) -> None:
        first = launch(api, key="a", task_type="noop", num_tasks=3).json()
        response = launch(api, key="a", task_type="noop", num_tasks=4)
        assert response.status_code == 409
        assert response.json()["error"] == "key_reused"
        assert first["test_id"] in response.json()["message"]
        assert (
            api.post(
                f"{TASKS}examples/load-test-small", headers={"Idempotency-Key": "a"}
            ).status_code
            == 409
        )
        assert LoadTestRun.objects.count() == 1

    def test_a_key_is_its_owners(self, api: Any, somebody: Any) -> None:
        one = launch(api, key="a", task_type="noop").json()
        other = launch(somebody("launch_loadtestrun"), key="a", task_type="noop").json()
        assert one["test_id"] != other["test_id"]

    def test_a_refused_launch_leaves_its_key_free(self, api: Any) -> None:
        assert launch(api, key="a", num_tasks=0).status_code == 400
        assert launch(api, key="a", num_tasks=1).status_code == 202

    def test_a_key_counts_for_a_day(self, api: Any) -> None:
        launch(api, key="a", task_type="noop")
        IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=23))
        assert launch(api, key="a", task_type="sleep").status_code == 409
        IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=25))
        assert launch(api, key="a", task_type="sleep").status_code == 202
        assert IdempotencyKey.objects.count() == 1

    def test_a_pruned_run_is_not_started_again(self, api: Any) -> None:
        launch(api, key="a", task_type="noop")
        LoadTestRun.objects.all().delete()
        response = launch(api, key="a", task_type="noop")
        assert response.status_code == 409
        assert "pruned" in response.json()["message"]
        assert not LoadTestRun.objects.exists()

    def test_a_group_comes_back_whole(self, api: Any) -> None:
        first = launch(api, key="a", task_type="noop", repeat=3).json()
        assert launch(api, key="a", task_type="noop", repeat=3).json()["runs"] == first["runs"]

    @pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel"])
    def test_a_key_is_printable_and_short(self, api: Any, key: str) -> None:
        response = launch(api, key=key, task_type="noop")
        assert "Idempotency-Key" in refused_fields(response)

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_with_one_key_one_starts(self) -> None:
        callers = [Caller("ana", *ALL)]
        token = callers[0].token.key
        answers: list[str] = []
        together = threading.Barrier(6)

        def send() -> None:
            from rest_framework.test import APIClient

            client = APIClient()
            client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
            together.wait()
            answers.append(launch(client, key="a", task_type="noop").json()["test_id"])
            connection.close()

        threads = [threading.Thread(target=send) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 6
        assert len(set(answers)) == 1
        assert LoadTestRun.objects.count() == 1


class TestQueryCounts:
    def count(self, api: Any, **asked: Any) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert launch(api, task_type="noop", **asked).status_code == 202
        return len(captured)

    def test_a_launch_costs_the_same_however_many_runs_there_are(self, api: Any) -> None:
        launch(api, task_type="noop")
        few = self.count(api)
        for _ in range(40):
            a_run(task_type="noop", requested_by=api.user)
        assert self.count(api) == few

    def test_a_group_costs_what_a_run_costs(self, api: Any) -> None:
        launch(api, task_type="noop")
        one = self.count(api)
        assert self.count(api, repeat=40) == one

    def test_a_key_costs_the_same_each_time(self, api: Any) -> None:
        launch(api, task_type="noop")
        first = self.count(api, key="a")
        assert self.count(api, key="b") == first
