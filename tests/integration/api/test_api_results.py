"""Reading results, lists of runs and a run's tasks over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from callers import TASKS
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from factories import a_run, tasks_of

from runs.models import LoadTestRun, TaskMetric
from runs.models.ingest import ingest
from runs.states import RunStatus, TaskState

ORIGIN = datetime(2026, 11, 23, 9, 45, tzinfo=UTC)


def queries(ask: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert ask().status_code == 200
    return len(captured)


def pages(api: Any, path: str) -> list[dict[str, Any]]:
    """Every row, page after page by `next`."""
    rows: list[dict[str, Any]] = []
    following: str | None = path
    while following is not None:
        page = api.get(following).json()
        assert set(page) == {"results", "next_cursor", "next"}
        rows += page["results"]
        following = page["next"]
    return rows


class TestResult:
    def path(self, run: LoadTestRun) -> str:
        return f"{TASKS}load-test-result/{run.test_id}"

    def finished(self) -> LoadTestRun:
        return a_run(
            status=RunStatus.COMPLETED,
            report={
                "schema": 1,
                "test_id": "x",
                "status": "completed",
                "configuration": {"target_queue": "load_test"},
                "metrics": {},
            },
        )

    def test_a_finished_run_answers_with_its_report_as_it_is_stored(self, api: Any) -> None:
        run = self.finished()
        response = api.get(self.path(run))
        assert response.status_code == 200
        assert response.json() == run.report
        assert "Retry-After" not in response

    def test_what_has_not_changed_is_not_sent_again(self, api: Any) -> None:
        run = self.finished()
        etag = api.get(self.path(run))["ETag"]
        for said in (etag, f'"other", {etag}', "*", f"W/{etag}"):
            response = api.get(self.path(run), headers={"If-None-Match": said})
            assert (response.status_code, response.content) == (304, b"")
            assert response["ETag"] == etag
        run.report["headline"] = "judged again"
        run.save()
        response = api.get(self.path(run), headers={"If-None-Match": etag})
        assert response.status_code == 200
        assert response["ETag"] != etag

    def test_a_run_under_way_answers_with_its_progress_and_when_to_ask_again(
        self, api: Any
    ) -> None:
        run = a_run(status=RunStatus.RUNNING, num_tasks=10)
        ingest(run.pk, tasks_of(run, range(1, 5)))
        response = api.get(self.path(run))
        document = response.json()
        assert document["status"] == "running"
        assert (document["progress"]["planned"], document["progress"]["completed"]) == (10, 4)
        assert document["metrics"]["tasks_completed"] == 4
        assert int(response["Retry-After"]) >= 1

    def test_a_run_under_way_estimates_when_it_will_have_ended(self, api: Any) -> None:
        run = a_run(status=RunStatus.RUNNING, num_tasks=10)
        progress = api.get(self.path(run)).json()["progress"]
        assert (progress["throughput_per_s"], progress["seconds_left"]) == (None, None)
        run.mark_started(at=ORIGIN)
        LoadTestRun.objects.update(deadline_at=Now() + timedelta(seconds=run.timeout_s - 20))
        ingest(run.pk, tasks_of(run, range(1, 5)))  # 4 of 10 in 20 s
        response = api.get(self.path(run))
        progress = response.json()["progress"]
        assert progress["throughput_per_s"] == pytest.approx(0.2, rel=0.2)
        assert progress["seconds_left"] == pytest.approx(30, rel=0.2)
        assert 20 <= int(response["Retry-After"]) <= 30

    def test_a_waiting_run_says_after_which(self, api: Any) -> None:
        ahead = a_run(status=RunStatus.RUNNING)
        document = api.get(self.path(a_run())).json()
        assert document["status"] == "pending"
        assert ahead.test_id in document["progress"]["waiting_for"]

    def test_a_run_of_another_queue_is_not_found(self, api: Any) -> None:
        run = a_run(status=RunStatus.RUNNING)
        assert api.get(f"{self.path(run)}?target_queue=load_test").status_code == 200
        response = api.get(f"{self.path(run)}?target_queue=media")
        assert response.status_code == 404
        assert response.json()["error"] == "unknown_run"

    def test_an_unknown_queue_is_refused_with_those_there_are(self, api: Any) -> None:
        response = api.get(f"{self.path(a_run())}?target_queue=medai")
        assert response.status_code == 400
        assert "load_test, system, media" in response.json()["fields"]["target_queue"]

    def test_a_group_that_does_not_exist_is_not_found(self, api: Any) -> None:
        assert api.get(f"{TASKS}load-test-result/lg_nothing").status_code == 404

    def test_it_costs_the_same_for_a_run_of_a_million_tasks(self, api: Any) -> None:
        small = a_run(status=RunStatus.RUNNING, num_tasks=10)
        large = a_run(status=RunStatus.RUNNING, num_tasks=1_000_000, target_queue="media")
        many_tasks(large, 200_000)
        api.get(self.path(small))
        assert queries(lambda: api.get(self.path(small))) == queries(
            lambda: api.get(self.path(large))
        )


class TestRuns:
    path = f"{TASKS}load-tests"

    def test_the_newest_is_first_and_every_page_follows(self, api: Any) -> None:
        made = [a_run().test_id for _ in range(7)]
        rows = pages(api, f"{self.path}?page_size=3")
        assert [row["test_id"] for row in rows] == made[::-1]

    def test_a_run_that_comes_in_between_moves_no_page(self, api: Any) -> None:
        made = [a_run().test_id for _ in range(4)]
        first = api.get(f"{self.path}?page_size=2").json()
        a_run()
        second = api.get(first["next"]).json()
        assert [row["test_id"] for row in second["results"]] == made[1::-1]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("status=failed", "ab"),
            ("status=failed&verdict=regressed", "b"),
            ("target_queue=media", "c"),
            ("task_type=sleep", "c"),
            ("label=before", "bc"),
            ("label=before%20the", "b"),
            ("label=BEFORE", ""),
            ("label=%25", ""),
            ("verdict=regressed", "bc"),
            ("group_id=lg_1", "a"),
            ("created_after=2026-11-23T09:47:00Z", "bc"),
            ("created_before=2026-11-23T09:47:00Z", "a"),
            ("created_after=2026-11-23T11:47:00%2B02:00", "bc"),
            ("created_after=2026-11-23t09:47:00.5z", "c"),
        ],
    )
    def test_filters(self, api: Any, query: str, expected: str) -> None:
        runs = {
            "a": a_run(status=RunStatus.FAILED, group_id="lg_1"),
            "b": a_run(status=RunStatus.FAILED, label="before the upgrade", verdict="regressed"),
            "c": a_run(
                target_queue="media", task_type="sleep", label="before", verdict="regressed"
            ),
        }
        for minutes, run in enumerate(runs.values(), start=1):
            LoadTestRun.objects.filter(pk=run.pk).update(
                created_at=ORIGIN + timedelta(minutes=minutes)
            )
        found = {row["test_id"] for row in api.get(f"{self.path}?{query}").json()["results"]}
        assert found == {runs[name].test_id for name in expected}

    @pytest.mark.parametrize(
        ("query", "field", "allowed"),
        [
            ("status=done", "status", "completed"),
            ("verdict=better", "verdict", "improved"),
            ("target_queue=x", "target_queue", "load_test"),
            ("page_size=0", "page_size", "from 1 to 200"),
            ("page_size=201", "page_size", "from 1 to 200"),
            ("page_size=ten", "page_size", "from 1 to 200"),
            ("page_size=1.5", "page_size", "from 1 to 200"),
            ("cursor=!", "cursor", "next_cursor"),
            ("cursor=1-2", "cursor", "next_cursor"),
            ("cursor=" + "9" * 19, "cursor", "next_cursor"),
            ("created_after=yesterday", "created_after", "2026-11-23T09:45:00Z"),
            ("created_after=2026-11-23", "created_after", "2026-11-23T09:45:00Z"),
            ("created_after=2026-11-23T09:45:00", "created_after", "2026-11-23T09:45:00Z"),
            ("created_after=2026-13-23T09:45:00Z", "created_after", "2026-11-23T09:45:00Z"),
            ("label=a%00b", "label", "control character"),
            ("statuss=failed", "statuss", "did you mean status?"),
            ("status=failed&status=completed", "status", "once"),
        ],
    )
    def test_what_is_wrong_is_named(self, api: Any, query: str, field: str, allowed: str) -> None:
        response = api.get(f"{self.path}?{query}")
        assert response.status_code == 400
        assert list(response.json()["fields"]) == [field]
        assert allowed in response.json()["fields"][field]

    def test_a_page_costs_the_same_however_long_it_is(self, api: Any) -> None:
        a_run()
        api.get(self.path)
        one = queries(lambda: api.get(self.path))
        for n in range(60):
            a_run(num_tasks=n + 1)
        assert queries(lambda: api.get(f"{self.path}?page_size=50")) == one

    def test_a_row_does_not_read_the_reports(self, api: Any) -> None:
        a_run(status=RunStatus.COMPLETED, report={"x": "y" * 1000})
        with CaptureQueriesContext(connection) as captured:
            api.get(self.path)
        assert not any('"report"' in query["sql"] for query in captured)


class TestTasks:
    def path(self, run: LoadTestRun, query: str = "") -> str:
        return f"{TASKS}load-test/{run.test_id}/tasks?{query}"

    def some(self) -> LoadTestRun:
        run = a_run(status=RunStatus.RUNNING, num_tasks=20)
        ingest(run.pk, tasks_of(run, [1, 2, 4, 5, 7]))
        ingest(run.pk, tasks_of(run, [3, 6], state=TaskState.FAILED))
        TaskMetric.objects.account_for_rest(run_id=run.pk, up_to=9, state=TaskState.LOST)
        for sequence in range(1, 8):  # the later the quicker, 4 and 5 alike
            took = timedelta(milliseconds=100 - (4 if sequence == 5 else sequence))
            task = TaskMetric.objects.get(run=run, sequence=sequence)
            TaskMetric.objects.filter(pk=task.pk).update(finished_at=task.started_at + took)
        return run

    def test_in_the_order_of_sending(self, api: Any) -> None:
        rows = pages(api, self.path(self.some(), "page_size=4"))
        assert [row["sequence"] for row in rows] == list(range(1, 10))

    def test_the_slowest_first_without_those_that_never_ran(self, api: Any) -> None:
        rows = pages(api, self.path(self.some(), "page_size=2&order=slowest"))
        assert [row["sequence"] for row in rows] == [1, 2, 3, 5, 4, 6, 7]
        assert rows[0]["execution_time_ms"] == 99.0

    @pytest.mark.parametrize(
        ("state", "expected"),
        [("failed", [3, 6]), ("lost", [8, 9]), ("completed", [1, 2, 4, 5, 7]), ("cancelled", [])],
    )
    def test_by_state(self, api: Any, state: str, expected: list[int]) -> None:
        rows = pages(api, self.path(self.some(), f"state={state}&page_size=1"))
        assert [row["sequence"] for row in rows] == expected

    def test_the_slowest_of_a_state(self, api: Any) -> None:
        rows = pages(api, self.path(self.some(), "state=failed&order=slowest&page_size=1"))
        assert [row["sequence"] for row in rows] == [3, 6]

    def test_a_task_says_what_became_of_it(self, api: Any) -> None:
        run = self.some()
        rows = pages(api, self.path(run))
        assert rows[0]["id"] == f"{run.test_id}-0000001"
        assert rows[0]["started_at"].endswith("Z")
        assert rows[0]["metrics"] == {"slept_ms": 5.0}
        assert (rows[2]["state"], rows[2]["error_type"]) == ("failed", "ValueError")
        assert [row["celery_state"] for row in rows[1:3]] == ["SUCCESS", "FAILURE"]
        assert (rows[8]["state"], rows[8]["execution_time_ms"]) == ("lost", None)

    def test_the_tasks_of_another_run_are_not_among_them(self, api: Any) -> None:
        other = a_run(target_queue="media")
        ingest(other.pk, tasks_of(other, [1]))
        assert pages(api, self.path(a_run())) == []

    def test_a_cursor_beyond_everything_is_the_end(self, api: Any) -> None:
        far, run = "9" * 18, self.some()
        for order in ("sequence", "slowest"):
            response = api.get(self.path(run, f"order={order}&cursor={far}-{far}"))
            assert response.status_code == 200

    @pytest.mark.parametrize(
        "query", ["state=pending", "order=fastest", "cursor=5", "cursor=1-2-3"]
    )
    def test_what_is_wrong_is_refused(self, api: Any, query: str) -> None:
        assert api.get(self.path(a_run(), query)).status_code == 400

    def test_a_page_is_one_range_of_an_index_wherever_it_is(self, api: Any) -> None:
        run = a_run(status=RunStatus.RUNNING, num_tasks=1_000_000)
        many_tasks(run, 100_000)
        for query in (
            "",
            "cursor=0-99000",
            "order=slowest",
            "order=slowest&cursor=1000-1000",
            "state=failed",
            "state=failed&cursor=0-99000",
        ):
            with CaptureQueriesContext(connection) as captured:
                assert api.get(self.path(run, query)).status_code == 200
            reading = [q["sql"] for q in captured if 'FROM "runs_taskmetric"' in q["sql"]]
            assert len(reading) == 1
            assert rows_touched(reading[0]) <= 60, query


def rows_touched(sql: str) -> int:
    """The most rows that any step of the plan looked at."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        plan = cursor.fetchone()[0][0]["Plan"]

    def most(step: dict[str, Any]) -> int:
        here = int(step["Actual Rows"] + step.get("Rows Removed by Filter", 0))
        return max([here, *map(most, step.get("Plans", []))])

    return most(plan)


def many_tasks(run: LoadTestRun, count: int) -> None:
    """So many tasks, each of 1 ms, every thousandth failed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO runs_taskmetric (task_id, run_id, sequence, state, started_at, finished_at,
                retries, worker, error_type, error_message, traceback)
            SELECT %(test_id)s || '-' || lpad(s::text, 7, '0'), %(run)s, s,
                CASE WHEN s %% 1000 = 0 THEN 'failed' ELSE 'completed' END,
                now(), now() + interval '1 ms', 0, '', '', '', ''
            FROM generate_series(1, %(count)s) s
            """,
            {"test_id": run.test_id, "run": run.pk, "count": count},
        )
        cursor.execute("ANALYZE runs_taskmetric")
