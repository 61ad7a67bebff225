"""The machine's own constants, measured from a run and never assumed."""

import math

import numpy as np
import pytest
from made_runs import fleet, samples, waves
from simulated_worker import SimulatedWorker, Simulation

from runs.analysis.constants import Constants, measure_constants, service_times, value_of
from runs.analysis.samples import Samples

BEATS = {"round_trip_s": 0.0003, "start_cpu_s": 0.0009, "loop_lag_s": 0.002}


def ran(
    *, workers: int = 1, task_s: float = 0.05, n: int = 600, phases: bool = True, **costs: float
) -> Samples:
    return (
        Simulation(
            workers=[
                SimulatedWorker(max_jobs=30, phase_s=0.5 * i / workers if phases else 0.0)
                for i in range(workers)
            ],
            durations_s=[task_s] * n,
            **costs,
        )
        .run()
        .samples()
    )


def test_the_time_between_two_starts_is_the_cost_of_one() -> None:
    found = measure_constants(ran(start_s=0.0012), fleet=fleet(max_jobs=30, measured=BEATS))
    assert found.start_s is not None
    assert found.start_s.value == pytest.approx(0.0012, rel=0.03)
    assert "two starts in a row in this run" in found.start_s.source
    # 0.9 ms of it are CPU, 0.3 ms waiting: a skip saves 0.6 of the CPU
    assert value_of(found.skip_s) == pytest.approx(0.0003 + 0.4 * 0.0009, rel=0.1)
    assert value_of(found.overhead_s) == pytest.approx(0.5 * 0.0003 + 3 * 0.0009, rel=0.1)


def test_where_no_worker_tells_its_cpu_a_start_counts_as_waiting() -> None:
    found = measure_constants(ran(start_s=0.0012), fleet=fleet(max_jobs=30))
    assert value_of(found.skip_s) == pytest.approx(value_of(found.start_s))
    assert found.loop_cpu_s is found.round_trip_s is found.redis_cpu_s is None


def test_skips_between_starts_are_told_apart() -> None:
    """Two workers walk the same page: each skips what the other starts."""
    busy = {**BEATS, "start_cpu_s": 0.0014}
    made = ran(workers=2, phases=False, task_s=0.0, n=2000, start_s=0.0010, skip_s=0.0004)
    found = measure_constants(made, fleet=fleet(2, max_jobs=30, measured=busy))
    assert value_of(found.start_s) == pytest.approx(0.0010, rel=0.15)
    assert value_of(found.skip_s) == pytest.approx(0.0004, rel=0.25)


def test_without_a_burst_the_heartbeats_must_do() -> None:
    made = samples(np.arange(30) * 0.5)
    found = measure_constants(made, fleet=fleet(measured=BEATS))
    assert value_of(found.start_s) == pytest.approx(4 * 0.0003 + 0.0009)
    assert found.start_s is not None
    assert "heartbeats" in found.start_s.source
    assert measure_constants(made, fleet=fleet()).start_s is None
    assert measure_constants(made, fleet=fleet(0)) == Constants()


def test_polls_come_a_little_late() -> None:
    found = measure_constants(ran(lag_s=0.0011), fleet=fleet(max_jobs=30))
    assert value_of(found.poll_lag_s) == pytest.approx(0.0011, abs=0.0006)
    assert measure_constants(samples([0.1]), fleet=fleet()).poll_lag_s is None


def test_starved_polls_are_not_late_by_design() -> None:
    made = samples(waves(10, period_s=0.9))
    assert value_of(measure_constants(made, fleet=fleet()).poll_lag_s) <= 0.1


def test_phases_of_the_polls_are_seen() -> None:
    found = measure_constants(ran(workers=2), fleet=fleet(2, max_jobs=30))
    assert found.poll_phases == pytest.approx((0.0, 0.5), abs=0.02)


def test_phases_that_drift_or_of_different_delays_are_none() -> None:
    drifting = np.concatenate([waves(40), waves(40, period_s=0.5125)])
    made = samples(
        drifting, worker=np.repeat([0, 1], 400), worker_names=("w0", "w1"), execution_s=0.1
    )
    assert measure_constants(made, fleet=fleet(2)).poll_phases is None
    assert measure_constants(ran(), fleet=fleet(max_jobs=30)).poll_phases is None


def test_cpu_in_the_event_loop_blocks_it() -> None:
    burning = {**BEATS, "start_cpu_s": 0.0118, "loop_lag_s": 0.0157}
    made = ran(task_s=0.0105, start_s=0.0009, blocking_s=0.0118)
    found = measure_constants(made, fleet=fleet(max_jobs=30, measured=burning))
    assert value_of(found.blocking_s) == pytest.approx(0.0105, rel=0.1)
    assert value_of(found.start_s) < 0.004


def test_a_blocking_call_is_seen_by_the_lag_of_the_loop() -> None:
    sleeping = {**BEATS, "start_cpu_s": 0.0012, "loop_lag_s": 0.0107}
    made = ran(task_s=0.0105, start_s=0.0011, blocking_s=0.0105)
    found = measure_constants(made, fleet=fleet(max_jobs=30, measured=sleeping))
    assert value_of(found.blocking_s) == pytest.approx(0.0105, rel=0.1)
    assert found.blocking_s is not None
    assert "lag of the event loop" in found.blocking_s.source


def test_waiting_tasks_and_short_ones_do_not_block() -> None:
    assert measure_constants(ran(), fleet=fleet(max_jobs=30, measured=BEATS)).blocking_s is None
    late = {**BEATS, "loop_lag_s": 0.04}
    assert measure_constants(ran(), fleet=fleet(max_jobs=30, measured=late)).blocking_s is None
    short = {**BEATS, "start_cpu_s": 0.003}
    made = ran(task_s=0.001)
    assert measure_constants(made, fleet=fleet(max_jobs=30, measured=short)).blocking_s is None


def test_service_times_leave_out_waiting_for_the_pool() -> None:
    assert service_times(samples([0.1, 0.2])).mean_s == pytest.approx(0.2)
    waited = samples([0.1, 0.2], execution_s=0.5, pool_wait_s=[0.3, 0.3])
    assert service_times(waited).mean_s == pytest.approx(0.2)


def test_the_load_of_one_machine_is_what_was_measured_there() -> None:
    of = fleet(
        measured={"pool_cpu_s": 0.1},
        of={
            "redis_cpu_s": 0.0002,
            "shared_cpu_s": 0.0004,
            "observer_cores": 0.1,
        },
    )
    found = measure_constants(samples([0.1]), fleet=of)
    assert value_of(found.pool_cpu_s) == 0.1
    assert value_of(found.redis_cpu_s) == 0.0002
    assert value_of(found.shared_cpu_s) == 0.0004
    assert value_of(found.observer_cores) == 0.1
    assert all(math.isfinite(value_of(each)) for each in (found.start_s, found.skip_s))
