"""What the database holds true about runs and tasks."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, close_old_connections, connection
from django.db.models.functions import Now
from factories import ORIGIN_US, a_configuration, a_run, tasks_of

from runs.errors import LeaseLost, NotAllowedNow, UnknownRun
from runs.models import LoadTestConfiguration, LoadTestRun, TaskMetric
from runs.models.daemon import DaemonRole
from runs.models.ingest import ingest
from runs.models.measured import failures_of, measured, metric_names_of
from runs.states import RunStatus, TaskState

pytestmark = pytest.mark.django_db


def test_equal_workloads_are_one_configuration() -> None:
    first, second = a_configuration(), a_configuration()
    other = a_configuration(seed=1)
    assert first == second
    assert first != other
    assert LoadTestConfiguration.objects.count() == 2


def test_an_unknown_id_says_where_to_look() -> None:
    with pytest.raises(UnknownRun, match=r"'lt_nothing'.*loadlab list"):
        LoadTestRun.objects.named("lt_nothing")


def test_a_queue_has_one_run_at_a_time() -> None:
    a_run(status=RunStatus.RUNNING)
    with pytest.raises(IntegrityError, match="one_run_at_a_time_on_a_queue"):
        a_run(status=RunStatus.DISPATCHING)


def test_runs_of_one_queue_are_claimed_one_after_the_other() -> None:
    first, second = a_run(), a_run()
    elsewhere = a_run(target_queue="media")
    claim = LoadTestRun.objects.claim_to_dispatch

    assert claim(owner="a") == first
    assert claim(owner="b") == elsewhere
    assert claim(owner="c") is None
    assert LoadTestRun.objects.ahead_of(second) == first

    first.refresh_from_db()
    first.move_to(RunStatus.RUNNING)
    first.move_to(RunStatus.COMPLETED)
    assert claim(owner="b") == second


def test_a_lease_holds_until_the_database_says_that_it_is_over() -> None:
    run = a_run()
    assert LoadTestRun.objects.claim_to_dispatch(owner="a") == run
    assert LoadTestRun.objects.claim_to_dispatch(owner="b") is None

    LoadTestRun.objects.update(dispatcher_until=Now() - timedelta(milliseconds=1))
    assert LoadTestRun.objects.claim_to_dispatch(owner="b") == run
    with pytest.raises(LeaseLost):
        run.renew(DaemonRole.DISPATCHER, owner="a")
    run.renew(DaemonRole.DISPATCHER, owner="b")


def test_what_an_owner_has_in_hand_is_not_claimed_again() -> None:
    run = a_run()
    assert LoadTestRun.objects.claim_to_dispatch(owner="a") == run
    assert LoadTestRun.objects.claim_to_dispatch(owner="a", without=frozenset({run.pk})) is None


def test_only_runs_under_way_are_collected() -> None:
    run = a_run()
    assert LoadTestRun.objects.claim_to_collect(owner="a") is None
    LoadTestRun.objects.claim_to_dispatch(owner="a")
    assert LoadTestRun.objects.claim_to_collect(owner="b") == run


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_at_once_never_share_a_queue() -> None:
    runs = [a_run() for _ in range(3)]
    claimed: list[LoadTestRun] = []
    start = threading.Barrier(4)

    def race(owner: str) -> None:
        start.wait()
        run = LoadTestRun.objects.claim_to_dispatch(owner=owner)
        if run is not None:
            claimed.append(run)
        connection.close()

    threads = [threading.Thread(target=race, args=(f"owner {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    assert claimed == [runs[0]]


def test_a_finished_run_never_moves_again() -> None:
    run = a_run(status=RunStatus.RUNNING)
    stale = LoadTestRun.objects.get(pk=run.pk)
    run.move_to(RunStatus.COMPLETED)
    with pytest.raises(NotAllowedNow, match="is completed"):
        stale.move_to(RunStatus.CANCELLED)
    assert stale.status == RunStatus.COMPLETED


def test_two_who_cancel_make_one_cancel() -> None:
    run = a_run(status=RunStatus.RUNNING)
    assert run.request_cancel()
    assert not run.request_cancel()


def test_ingesting_twice_gives_the_same_rows_and_counts() -> None:
    run = a_run(status=RunStatus.RUNNING)
    rows = tasks_of(run, range(1, 6)) + tasks_of(run, [6], state=TaskState.FAILED)
    assert ingest(run.pk, rows).total == 6
    assert ingest(run.pk, rows + tasks_of(run, [7])).total == 1

    run.reload()
    assert (run.completed_count, run.failed_count, run.sent_count) == (6, 1, 7)
    assert TaskMetric.objects.filter(run=run).count() == 7


def test_a_result_that_arrives_after_its_task_was_lost_changes_nothing() -> None:
    run = a_run(status=RunStatus.RUNNING)
    ingest(run.pk, tasks_of(run, [1]))
    TaskMetric.objects.account_for_rest(run_id=run.pk, up_to=3, state=TaskState.LOST)
    assert ingest(run.pk, tasks_of(run, [2])).total == 0
    run.reload()
    assert (run.completed_count, run.lost_count, run.outstanding_count) == (1, 2, 0)


def test_the_rest_gets_its_rows_once() -> None:
    run = a_run(status=RunStatus.RUNNING)
    for _ in range(2):
        TaskMetric.objects.account_for_rest(run_id=run.pk, up_to=10, state=TaskState.CANCELLED)
    run.reload()
    assert (run.cancelled_count, run.sent_count) == (10, 10)
    assert list(run.tasks.order_by("sequence").values_list("task_id", flat=True))[-1] == (
        f"{run.test_id}-0000010"
    )


def test_counts_beyond_what_was_sent_are_refused() -> None:
    run = a_run(status=RunStatus.RUNNING)
    with pytest.raises(IntegrityError, match="accounted_is_at_most_sent"):
        LoadTestRun.objects.filter(pk=run.pk).update(completed_count=1)


def test_what_was_measured_comes_back_as_arrays() -> None:
    run = a_run(status=RunStatus.RUNNING)
    ingest(run.pk, tasks_of(run, [1, 2]) + tasks_of(run, [3], state=TaskState.FAILED))
    TaskMetric.objects.account_for_rest(run_id=run.pk, up_to=5, state=TaskState.LOST)
    got = measured(
        run.pk,
        origin_us=ORIGIN_US,
        worker_names=["another", "w1"],
        metric_names=["slept_ms", "missing"],
    )
    assert got.sequence.tolist() == [1, 2, 3]
    assert got.enqueued_s.tolist() == pytest.approx([0.001] * 3)
    assert (got.finished_s - got.started_s).tolist() == pytest.approx([0.005] * 3)
    assert got.failed.tolist() == [False, False, True]
    assert got.worker.tolist() == [1, 1, 1]
    assert got.metrics["slept_ms"].tolist() == [5.0] * 3
    assert all(value != value for value in got.metrics["missing"])
    assert metric_names_of(run.pk) == ["slept_ms"]
    assert failures_of(run.pk) == [{"error_type": "ValueError", "count": 1, "example": "bad input"}]


def test_task_ids_need_no_second_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'runs_taskmetric'")
        names = {name for (name,) in cursor.fetchall()}
    assert not any(name.endswith("_like") for name in names)
