"""Stopping, pinning, comparing and explaining over HTTP."""

from typing import Any

import pytest
from callers import TASKS
from factories import a_run

from runs.models import LoadTestRun
from runs.states import RunStatus


def report_of(run: LoadTestRun, *, throughput: float, **configuration: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "test_id": run.test_id,
        "status": "completed",
        "configuration": {"target_queue": "load_test", "num_tasks": 100, **configuration},
        "metrics": {
            "tasks_completed": 100,
            "tasks_failed": 0,
            "total_duration_seconds": 10.0,
            "overall_throughput": throughput,
        },
        "analysis": {"regime": "saturated", "task_metrics": {}, "environment": {}},
    }


def finished(throughput: float = 60.0, **configuration: Any) -> LoadTestRun:
    run = a_run(status=RunStatus.COMPLETED)
    run.report = report_of(run, throughput=throughput, **configuration)
    run.save()
    return run


class TestCancel:
    def cancel(self, api: Any, run: LoadTestRun) -> Any:
        return api.post(f"{TASKS}load-test/{run.test_id}/cancel")

    def test_a_waiting_run_is_cancelled_at_once(self, api: Any) -> None:
        run = a_run()
        response = self.cancel(api, run)
        assert response.status_code == 202
        assert set(response.json()) == {"test_id", "status", "message", "result_url"}
        assert response.json()["status"] == "cancelled"
        run.refresh_from_db()
        assert run.status == RunStatus.CANCELLED

    def test_a_run_under_way_is_wound_up_and_twice_is_once(self, api: Any) -> None:
        run = a_run(status=RunStatus.RUNNING)
        for _ in range(2):
            response = self.cancel(api, run)
            assert response.status_code == 202
            assert response.json()["status"] == "running"
        run.refresh_from_db()
        assert run.cancel_requested_at is not None

    def test_what_has_ended_cannot_be_cancelled(self, api: Any) -> None:
        response = self.cancel(api, finished())
        assert response.status_code == 409
        assert response.json()["error"] == "not_allowed_now"


class TestBaseline:
    def path(self, run: LoadTestRun) -> str:
        return f"{TASKS}load-test/{run.test_id}/baseline"

    def test_a_completed_run_is_pinned_and_let_go(self, api: Any) -> None:
        run = finished()
        assert api.post(self.path(run)).json()["test_id"] == run.test_id
        run.configuration.refresh_from_db()
        assert run.configuration.pinned_run == run
        assert api.delete(self.path(run)).status_code == 200
        run.configuration.refresh_from_db()
        assert run.configuration.pinned_run is None

    def test_what_is_not_pinned_cannot_be_let_go(self, api: Any) -> None:
        response = api.delete(self.path(finished()))
        assert response.status_code == 409

    def test_a_run_that_has_not_completed_is_no_baseline(self, api: Any) -> None:
        response = api.post(self.path(a_run()))
        assert response.status_code == 409
        assert response.json()["error"] == "not_allowed_now"


class TestCompare:
    def compare(self, api: Any, *references: str) -> Any:
        return api.get(f"{TASKS}load-test/compare?runs={','.join(references)}")

    def test_two_runs(self, api: Any) -> None:
        before, now = finished(60.0), finished(90.0)
        document = self.compare(api, before.test_id, now.test_id).json()
        assert [side["name"] for side in document["sides"]] == [before.test_id, now.test_id]
        figure = document["comparisons"][0]["figures"]["overall_throughput"]
        assert (figure["before"], figure["value"]) == (60.0, 90.0)

    def test_another_workload_is_incomparable_and_named(self, api: Any) -> None:
        before, now = finished(), finished(num_tasks=200)
        comparison = self.compare(api, before.test_id, now.test_id).json()["comparisons"][0]
        assert comparison["verdict"] == "incomparable"
        assert "num_tasks" in comparison["because"]

    def test_a_run_under_way_cannot_be_compared_yet(self, api: Any) -> None:
        response = self.compare(api, finished().test_id, a_run().test_id)
        assert response.status_code == 409

    def test_a_report_of_another_version_is_said_to_be_one(self, api: Any) -> None:
        old = finished()
        old.report["schema"] = 0
        old.save()
        response = self.compare(api, finished().test_id, old.test_id)
        assert response.status_code == 409
        assert response.json()["error"] == "unreadable_report"

    @pytest.mark.parametrize(
        "runs", ["", "lt_a", "lt_a,", "/etc/passwd,lt_a", "a.json,b.json", ",".join(["lt_a"] * 21)]
    )
    def test_only_ids_are_compared_and_two_at_least(self, api: Any, runs: str) -> None:
        response = api.get(f"{TASKS}load-test/compare?runs={runs}")
        assert response.status_code == 400
        assert "2 to 20 ids" in response.json()["fields"]["runs"]

    def test_without_runs_it_says_so(self, api: Any) -> None:
        response = api.get(f"{TASKS}load-test/compare")
        assert response.json()["fields"] == {"runs": "runs is missing."}


class TestExplain:
    path = f"{TASKS}load-test/explain"

    def test_a_queue_by_its_settings(self, api: Any, redis_url: str) -> None:
        response = api.get(f"{self.path}?target_queue=media&task_time_s=0.2&rate_per_s=5&workers=2")
        document = response.json()
        assert (document["subject"], document["fleet"]["processes"]) == ("media", 2)
        assert document["task_time_ms"] == 200.0
        assert document["bottleneck"]["binding"]
        assert document["rate"]["fits"] is True

    def test_no_settings_class_is_imported_for_a_caller(self, api: Any) -> None:
        response = api.get(f"{self.path}?settings_path=antigravity.X")
        assert response.status_code == 400
        assert "settings_path" in response.json()["fields"]

    @pytest.mark.parametrize(
        "query", ["workers=0", "workers=two", "rate_per_s=0", "rate_per_s=NaN", "task_time_s=-1"]
    )
    def test_what_is_wrong_is_named(self, api: Any, query: str) -> None:
        response = api.get(f"{self.path}?{query}")
        assert response.status_code == 400
        assert list(response.json()["fields"]) == [query.partition("=")[0]]


class TestQueues:
    path = f"{TASKS}queues"

    def test_each_queue_with_its_depth(self, api: Any, redis_url: str) -> None:
        active = a_run(status=RunStatus.RUNNING)
        rows = {row["queue"]: row for row in api.get(self.path).json()["results"]}
        assert list(rows) == ["load_test", "system", "media"]
        assert rows["load_test"]["active_run"] == active.test_id
        assert (rows["media"]["reachable"], rows["media"]["queued"]) == (True, 0)

    def test_without_redis_each_says_so(self, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REDIS_URL", "redis://:hidden@127.0.0.1:1/0")
        response = api.get(self.path)
        assert response.status_code == 200
        for row in response.json()["results"]:
            assert row["reachable"] is False
            assert "127.0.0.1:1" in row["because"]
            assert "hidden" not in row["because"]
