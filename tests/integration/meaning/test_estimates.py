"""What is said before a run: by the laws, by what the tasks took, in few queries, without fail."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from stored_runs import Story, described, judged

from runs.estimate import RedisNow, estimate
from runs.explain import CannotExplain, explain
from runs.spec import Spec

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

KEYS = {"sentence", "seconds", "facts", "warnings", "throughput_per_s", "limited_by", "fits"}


def estimated(**asked: Any) -> dict[str, Any]:
    found = estimate(Spec(**asked))
    assert set(found) == KEYS
    return found


def past_run(execution_s: float = 0.2, *, cores: int = 2, **workload: Any) -> None:
    """A run on a worker as the queue's settings make it, 30 slots."""
    asked = {"task_type": "io_simulation", "parameters": _parameters(), **workload}
    worker = described(
        settings={"max_jobs": 30, "queue_read_limit": 150}, host_class={"cores": cores}
    )
    judged(Story(tasks=200, execution_s=execution_s, workload=asked, fleet=[worker]))


def _parameters() -> dict[str, Any]:
    from workers.tasks.registry import parse_parameters, task_types

    return parse_parameters(task_types()["io_simulation"], {})


class TestEstimate:
    def test_a_burst_of_known_tasks(self) -> None:
        past_run()
        found = estimated(num_tasks=1000)
        assert found["sentence"] == (
            "1000 tasks of about 200 ms on 30 slots: 17 s, at most 60/s, limited by poll_delay."
        )
        assert (found["limited_by"], found["fits"]) == ("poll_delay", None)
        assert found["throughput_per_s"] == pytest.approx(60, rel=0.02)
        assert found["seconds"] == pytest.approx(1000 / 60, rel=0.02)

    def test_the_same_tasks_in_another_workload_are_known_too(self) -> None:
        past_run(seed=3)
        assert "of about 200 ms" in estimated(num_tasks=5000)["sentence"]

    def test_its_own_last_run_counts_before_others(self) -> None:
        past_run(0.4, num_tasks=200)
        past_run(0.1, seed=5)
        assert "of about 400 ms" in estimated(num_tasks=200)["sentence"]

    @pytest.mark.parametrize(("rate", "fits"), [(40.0, True), (80.0, False)])
    def test_a_rate_fits_or_does_not(self, rate: float, fits: bool) -> None:
        past_run()
        found = estimated(rate_per_s=rate, duration_s=30.0)
        assert found["fits"] is fits
        assert found["sentence"].startswith(f"{rate:.0f}/s is ")

    def test_tasks_that_take_what_they_are_told_need_no_run(self) -> None:
        assert "of about 100 ms on 30 slots" in estimated(task_type="sleep")["sentence"]
        for spread in ("exponential", "lognormal"):
            asked = {"distribution": spread, "duration_ms": 300}
            found = estimated(task_type="sleep", parameters=asked)
            assert "of about 300 ms on 30 slots" in found["sentence"]
        found = estimated(task_type="noop")
        assert (found["limited_by"], found["throughput_per_s"]) == ("queue_read_limit", 300)

    def test_what_never_ran_is_not_known(self) -> None:
        found = estimated()
        assert "is known once io_simulation has run" in found["sentence"]
        assert found["seconds"] is found["throughput_per_s"] is found["limited_by"] is None

    @pytest.mark.parametrize(
        "asked",
        [
            {"num_tasks": 0},
            {"rate_per_s": 5.0},
            {"rate_per_s": -1.0, "duration_s": 3.0},
            {"task_type": "nobody"},
            {"target_queue": "nobody"},
            {"parameters": {"nothing": 1}},
            {"batch_size": 0},
            {"delay_ms": float("nan")},
            {"thresholds": ("p95<<5",)},
            {"baseline": "lt_nobody"},
        ],
        ids=lambda asked: next(iter(asked)),
    )
    def test_a_spec_that_is_not_valid_yet_is_said_to_be_so(self, asked: dict[str, Any]) -> None:
        assert estimated(**asked)["sentence"].startswith("No estimate yet: ")

    def test_without_redis_the_settings_speak(self, monkeypatch: pytest.MonkeyPatch) -> None:
        past_run()
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        found = estimated(num_tasks=1000)
        assert found["seconds"] is not None
        assert "127.0.0.1:1" in found["warnings"][0]
        told = estimate(Spec(), redis=RedisNow(because="Redis is away."))
        assert told["warnings"][0] == "Redis is away."

    def test_it_asks_few_questions_however_long_the_history(self) -> None:
        counts = []
        for _ in range(2):
            past_run()
            with CaptureQueriesContext(
                connection,
            ) as asked:
                estimated(num_tasks=1000)
            counts.append(len(asked))
        assert counts[0] == counts[1] <= 7


class TestExplain:
    def test_by_the_settings_and_by_what_the_last_tasks_took(self) -> None:
        past_run()
        found = explain(queue="load_test", rate_per_s=40.0)
        assert found["fleet"]["source"] == "settings: no worker serves it now"
        assert found["task_time_source"].startswith("the tasks of lt_")
        assert found["bottleneck"]["binding"] == "poll_delay"
        assert found["rate"]["fits"] is True

    def test_a_task_time_that_is_given_counts(self) -> None:
        past_run()
        found = explain(queue="load_test", task_time_s=0.6)
        assert (found["task_time_ms"], found["task_time_source"]) == (600, "given")
        assert found["bottleneck"]["ceilings"][0]["throughput_per_s"] == pytest.approx(30, rel=0.02)

    def test_constants_of_another_machine_are_not_used(self) -> None:
        past_run(cores=1024)
        missing = explain(queue="load_test", task_time_s=0.2)["missing"]
        assert any("start_round_trips is left out" in each for each in missing)

    def test_any_settings_class_by_its_path(self) -> None:
        found = explain(settings_path="workers.queues.media.WorkerSettings", task_time_s=0.2)
        assert found["fleet"]["slots"] == 10
        assert found["bottleneck"]["binding"] == "poll_delay"
        silent = explain(settings_path="workers.queues.media.WorkerSettings")
        assert "give --task-time" in silent["task_time_source"]

    @pytest.mark.parametrize(
        "asked",
        [
            {"queue": "nobody"},
            {"settings_path": "no.such.Class"},
            {"settings_path": "NoDots"},
            {"task_time_s": -1.0},
            {"task_time_s": float("nan")},
            {"workers": 0},
            {"rate_per_s": 0.0},
        ],
        ids=str,
    )
    def test_what_cannot_be_explained_is_refused(self, asked: dict[str, Any]) -> None:
        with pytest.raises(CannotExplain):
            explain(**asked)
