"""What was asked, what became of it, and who served it."""

import pytest
from made_runs import accounting, fleet, paced, worker, workload

from runs.analysis.fleet import Fleet, WorkerSettings
from runs.arrivals import ArrivalModel


def test_only_batches_without_delay_are_a_burst() -> None:
    assert workload().burst
    assert not workload(batch_size=20, delay_s=0.05).burst
    assert not paced(40, duration_s=10).burst


def test_the_offered_rate_is_that_of_batches_or_the_one_asked_for() -> None:
    assert workload().offered_rate_per_s is None
    assert workload(batch_size=20, delay_s=0.05).offered_rate_per_s == 400
    assert paced(40, duration_s=10, arrival=ArrivalModel.POISSON).offered_rate_per_s == 40


def test_the_books_balance_or_do_not() -> None:
    books = accounting(90, failed=5, lost=3, cancelled=1, outstanding=1)
    assert books.balanced
    assert books.finished == 95
    assert books.completed_share == pytest.approx(0.9)
    assert books.failed_share == pytest.approx(5 / 95)
    assert books.finished_share == pytest.approx(0.95)
    assert not accounting(90, sent=91).balanced


def test_shares_of_nothing_are_none() -> None:
    nothing = accounting(0)
    assert nothing.completed_share is nothing.failed_share is nothing.finished_share is None


def test_the_read_limit_is_arqs_own_where_none_is_set() -> None:
    assert WorkerSettings(max_jobs=10, poll_delay_s=0.5).read_limit == 100
    assert WorkerSettings(max_jobs=30, poll_delay_s=0.5).read_limit == 150
    assert WorkerSettings(max_jobs=30, poll_delay_s=0.5, queue_read_limit=40).read_limit == 40


def test_a_fleet_adds_up_slots_and_counts_each_host_once() -> None:
    two = Fleet(
        workers=(
            worker("a", max_jobs=10, measured={"round_trip_s": 0.001, "loop_lag_s": 0.02}),
            worker(
                "b",
                max_jobs=30,
                poll_delay_s=0.1,
                measured={"round_trip_s": 0.003, "stolen_share": 0.1},
            ),
        )
    )
    assert (two.slots, two.processes, two.cores) == (40, 2, 4)
    assert two.poll_delay_s == 0.5
    assert two.read_limit == 150
    assert not two.uniform
    assert two.round_trip_s == pytest.approx(0.002)
    assert two.loop_lag_s == 0.02
    assert two.stolen_share == 0.1
    assert two.start_cpu_s is two.pool_cpu_s is None


def test_an_empty_fleet_has_nothing() -> None:
    none = fleet(0)
    assert (none.slots, none.processes, none.cores) == (0, 0, 0)
    assert none.uniform
    assert none.stolen_share is None
    assert none.poll_delay_s is none.read_limit is none.loop_lag_s is none.round_trip_s is None
