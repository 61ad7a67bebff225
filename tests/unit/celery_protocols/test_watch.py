"""What is told of jobs, however they end; and what the outbox keeps of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arq import Retry

from workers.celery.envelope import Channels
from workers.celery.events import Events, is_sampled
from workers.celery.options import Options
from workers.celery.outbox import CAPACITY, KEPT_BYTES, Outbox
from workers.celery.serving import Serving
from workers.celery.watch import Watch

NOW = datetime(2026, 11, 23, 9, 45, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
RUN = "lt_20261123T094501_7f3a9c"


def a_watch(**options: Any) -> Watch:
    serving = Serving.of({"job_timeout": 60}, functions={"add": None, "hurried": 0.0001})
    return Watch(
        serving=serving,
        options=Options(**{"events": True, **options}),
        events=Events(hostname="host:1:abc", queue=serving.queue, software=serving.software),
        outbox=Outbox(channels=Channels(), hostname="host:1:abc", results_ttl_s=60),
    )


def begin(watch: Watch, job_id: str = "j", *, name: str = "add", **ctx: Any) -> Any:
    context = {"job_id": job_id, "job_try": 1, "enqueue_time": NOW, "score": NOW_MS, **ctx}
    return watch.begin(context, name=name, args=(1,), kwargs={"y": 2})


def a_result(job_id: str = "j", **changes: Any) -> dict[str, Any]:
    written = {"id": job_id, "f": "add", "a": (1,), "k": {"y": 2}, "t": 1, "s": True, "r": 3}
    return {**written, "st": NOW_MS, "ft": NOW_MS + 5, **changes}


def told(watch: Watch) -> list[str]:
    return [event["type"] for event in watch.outbox._events]


def last(watch: Watch) -> dict[str, Any]:
    return watch.outbox._events[-1]


def test_a_success_is_received_started_succeeded_with_a_clock_that_rises() -> None:
    watch = a_watch()
    begin(watch)
    assert list(watch.running) == ["j"]
    watch.finish(a_result())
    watch.end("j")
    assert told(watch) == ["task-received", "task-started", "task-succeeded"]
    assert last(watch)["result"] == "3"
    assert last(watch)["runtime"] > 0
    clocks = [event["clock"] for event in watch.outbox._events]
    assert clocks == sorted(set(clocks))
    assert not watch.running
    assert (watch.processed, dict(watch.totals)) == (1, {"add": 1})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("boom"), "task-failed"),
        (TimeoutError(), "task-failed"),
        ("unable to serialize result", "task-failed"),
        (asyncio.CancelledError(), "task-revoked"),
    ],
)
def test_a_result_without_success_says_what_it_was(error: object, kind: str) -> None:
    watch = a_watch()
    begin(watch)
    watch.finish(a_result(s=False, r=error))
    assert told(watch)[-1] == kind
    assert last(watch).get("terminated", True) is True


def test_a_job_that_never_began_is_received_and_fails() -> None:
    watch = a_watch()
    watch.finish(a_result("x", f="<unknown>", s=False, r=RuntimeError("job expired"), t=2))
    assert told(watch) == ["task-received", "task-failed"]
    assert watch.outbox._events[0]["retries"] == 1
    assert watch.processed == 0


def test_a_job_aborted_before_it_began_is_revoked_and_not_terminated() -> None:
    watch = a_watch()
    watch.finish(a_result(s=False, r=asyncio.CancelledError()))
    assert told(watch) == ["task-received", "task-revoked"]
    assert (last(watch)["terminated"], last(watch)["signum"]) == (False, None)


@pytest.mark.parametrize(
    ("name", "error", "revoked", "kind"),
    [
        ("add", Retry(defer=1), False, "task-retried"),
        ("add", asyncio.CancelledError(), False, "task-retried"),
        ("add", asyncio.CancelledError(), True, "task-revoked"),
        ("hurried", asyncio.CancelledError(), False, "task-failed"),
        ("add", ValueError("boom"), False, "task-failed"),
        ("add", None, False, "task-succeeded"),
    ],
)
def test_a_job_that_ends_without_a_result_is_told_by_how_it_left(
    name: str, error: BaseException | None, revoked: bool, kind: str
) -> None:
    watch = a_watch()
    job = begin(watch, name=name)
    if revoked:
        watch.remember_revoked(["j"])
    if error is None:
        job.returned, job.value = True, 3
    else:
        job.error = error
    watch.end("j")
    assert told(watch)[-1] == kind
    watch.end("j")
    assert len(told(watch)) == 3


def test_a_run_is_the_root_of_its_tasks_and_any_other_job_its_own() -> None:
    watch = a_watch()
    begin(watch, f"{RUN}-0000007")
    begin(watch, "mine")
    ours, _, theirs, _ = watch.outbox._events
    assert (ours["root_id"], ours["parent_id"]) == (RUN, RUN)
    assert (theirs["root_id"], theirs["parent_id"]) == ("mine", None)


def test_a_deferred_job_has_an_eta() -> None:
    watch = a_watch()
    begin(watch, score=NOW_MS + 90_000)
    assert watch.outbox._events[0]["eta"] == (NOW + timedelta(seconds=90)).isoformat()


def test_while_events_are_disabled_nothing_is_told_of_tasks() -> None:
    watch = a_watch()
    watch.telling = False
    begin(watch)
    watch.finish(a_result())
    assert told(watch) == []
    assert watch.processed == 1


def test_a_sample_tells_all_of_a_task_or_nothing() -> None:
    watch = a_watch(sample=0.2)
    for number in range(1_000):
        begin(watch, f"{RUN}-{number:07d}")
        watch.finish(a_result(f"{RUN}-{number:07d}"))
    by_task: dict[str, int] = {}
    for event in watch.outbox._events:
        by_task[event["uuid"]] = by_task.get(event["uuid"], 0) + 1
    assert set(by_task.values()) == {3}
    assert 130 < len(by_task) < 270
    assert all(is_sampled(task, share=0.2) for task in by_task)


def test_the_outbox_loses_the_oldest_and_counts_them() -> None:
    watch = a_watch()
    for number in range(CAPACITY):
        begin(watch, str(number))
    assert len(watch.outbox._events) == CAPACITY
    assert watch.outbox.lost == CAPACITY
    assert last(watch)["uuid"] == str(CAPACITY - 1)


def test_the_latest_state_of_a_result_is_the_one_that_is_written() -> None:
    watch = a_watch(results=True)
    begin(watch)
    watch.finish(a_result())
    assert b'"status":"SUCCESS"' in watch.outbox._results["j"].document
    assert len(watch.outbox._results) == 1


def test_results_are_kept_within_bounds() -> None:
    watch = a_watch(results=True)
    for number in range(400):
        begin(watch, str(number))
        watch.finish(a_result(str(number), r={str(n): "x" * 3000 for n in range(20)}))
    held = sum(len(mirrored.document) for mirrored in watch.outbox._results.values())
    assert watch.outbox._kept_bytes == held <= KEPT_BYTES
    assert watch.outbox.lost == 400 - len(watch.outbox._results) > 0
    assert "399" in watch.outbox._results


def test_a_huge_result_is_left_out_of_the_mirror_with_its_size() -> None:
    watch = a_watch(results=True)
    begin(watch)
    watch.finish(a_result(r={str(n): "x" * 4000 for n in range(60)}))
    assert b"are kept" in watch.outbox._results["j"].document
    assert len(watch.outbox._results["j"].document) < 1_000


def test_what_was_asked_to_be_revoked_is_remembered_within_bounds() -> None:
    watch = a_watch()
    watch.remember_revoked([str(number) for number in range(10_050)])
    assert len(watch.revoked) == 10_000
    assert "0" not in watch.revoked
