"""A run in figures: what the small parts add up to."""

import numpy as np
import pytest
from made_runs import accounting, fleet, paced, samples, summary_of, waves, workload
from simulated_worker import SimulatedWorker, Simulation

from runs.analysis.little import LittleCheck
from runs.analysis.pressure import QueuePressure, queue_pressure, wait_ratio
from runs.analysis.regime import Regime
from runs.analysis.summary import Summary, summarise
from runs.analysis.within_run import T_975, interval_of_means, rate_interval, time_intervals


def saturated() -> Summary:
    return summary_of(samples(waves(40, slots=30)), of=fleet(max_jobs=30))


def kept_up(rate: float = 20, *, duration_s: float = 60, slots: int = 30) -> Summary:
    n = round(rate * duration_s)
    run = Simulation(
        workers=[SimulatedWorker(max_jobs=slots, phase_s=0.2)],
        durations_s=np.random.default_rng(0).normal(0.2, 0.02, n).tolist(),
        sent_s=(np.arange(n) / rate).tolist(),
    ).run()
    load = paced(rate, duration_s=duration_s)
    return summary_of(run.samples(burst=False), of=fleet(max_jobs=slots), load=load)


def test_the_overall_throughput_counts_what_was_completed_from_first_send_to_last_finish() -> None:
    made = samples(waves(4), failed=np.arange(40) < 4)
    summary = summary_of(made)
    assert summary.duration_s == pytest.approx(0.1 + 3 * 0.5 + 0.009 + 0.2)
    assert summary.overall_throughput_per_s == pytest.approx(36 / summary.duration_s)


def test_littles_law_holds_and_shows_missing_rows() -> None:
    summary = saturated()
    assert summary.little is not None
    assert summary.little.agrees
    made = samples(waves(40))
    doubled = summarise(made, workload=workload(800), fleet=fleet(), accounting=accounting(800))
    assert doubled.little is not None
    assert not doubled.little.agrees
    assert LittleCheck(counted=0.3, expected=0.1).agrees  # half a task is no disagreement


def test_utilisation_is_of_the_slots_in_the_steady_span() -> None:
    assert saturated().utilisation == pytest.approx(0.4, rel=0.01)
    assert kept_up().utilisation == pytest.approx(20 * 0.2 / 30, rel=0.03)


def test_who_ran_what_is_counted() -> None:
    made = samples([0.1, 0.2, 0.3], worker=[0, 2, 2], worker_names=("a", "b", "unknown"))
    assert summary_of(made).workers_seen == {"a": 1, "unknown": 2}


def test_the_load_offered_is_set_against_the_load_asked_for() -> None:
    assert kept_up().offered_share == pytest.approx(1, rel=0.01)
    slow = samples(np.arange(100) / 5, enqueued_s=np.arange(100) / 5, burst=False)
    assert summary_of(slow, load=paced(10, duration_s=10)).offered_share == pytest.approx(
        0.5, rel=0.02
    )
    assert saturated().offered_share is None


def test_a_run_that_keeps_up_has_intervals_of_waits_and_a_saturated_one_does_not() -> None:
    assert {"p50_queue_wait_ms", "p95_sojourn_time_ms", "avg_execution_time_ms"} <= set(
        kept_up().intervals
    )
    assert not any("wait" in name or "sojourn" in name for name in saturated().intervals)
    assert "steady_state_throughput" in saturated().intervals


def test_waits_have_no_interval_above_ninety_percent_of_the_slots() -> None:
    made = samples(np.arange(2000) * 0.021, enqueued_s=np.arange(2000) * 0.021, burst=False)
    summary = summary_of(made, load=paced(1 / 0.021, duration_s=42))
    assert summary.kept_up
    assert summary.utilisation is not None
    assert summary.utilisation > 0.9
    assert not any("wait" in name for name in summary.intervals)


def test_intervals_are_those_of_ten_batch_means() -> None:
    values = np.random.default_rng(1).normal(0.2, 0.01, 1000)
    found = time_intervals(values, name="execution_time")
    means = values.reshape(10, 100).mean(axis=1) * 1000
    half = T_975 * means.std(ddof=1) / np.sqrt(10)
    assert found["avg_execution_time_ms"] == pytest.approx(
        (means.mean() - half, means.mean() + half)
    )
    assert set(found) == {f"{name}_execution_time_ms" for name in ("avg", "p50", "p95", "p99")}
    assert set(time_intervals(values[:150], name="x")) == {"avg_x_ms", "p50_x_ms"}
    assert time_intervals(values[:99], name="x") == {}


def test_the_quantile_of_student_is_scipys() -> None:
    from scipy.stats import t

    assert pytest.approx(t.ppf(0.975, 9), rel=1e-12) == T_975


def test_ten_equal_means_leave_no_doubt() -> None:
    assert interval_of_means([60.0] * 10) == (60.0, 60.0)


def test_a_saturated_run_knows_its_rate_however_sharp_its_waves() -> None:
    low, high = saturated().intervals["steady_state_throughput"]
    assert low == pytest.approx(60, rel=0.01)
    assert high == pytest.approx(60, rel=0.01)


def test_a_span_shorter_than_ten_waves_has_no_interval_of_its_rate() -> None:
    summary = summary_of(samples(waves(6)))
    assert summary.steady is not None
    assert "steady_state_throughput" not in summary.intervals
    without_polls = summary_of(samples(np.arange(500) / 50, execution_s=0.01), of=fleet(0))
    low, high = without_polls.intervals["steady_state_throughput"]
    assert low == pytest.approx(50, rel=0.02)
    assert high == pytest.approx(50, rel=0.02)


def test_batch_means_cover_the_true_throughput_of_a_poisson_process() -> None:
    from runs.analysis.counting import Counting
    from runs.analysis.steady import SteadyRule, SteadyState

    rng, inside = np.random.default_rng(2), 0
    for _ in range(400):
        events = Counting.of(np.cumsum(rng.exponential(0.1, 1200)))
        steady = SteadyState(
            rule=SteadyRule.MSER_5,
            start_s=0.0,
            end_s=100.0,
            period_s=0.5,
            finished=1000,
            throughput_per_s=10,
            goodput_per_s=10,
        )
        interval = rate_interval(events, steady=steady)
        assert interval is not None
        inside += interval[0] <= 10 <= interval[1]
    assert 0.92 <= inside / 400 <= 0.98


@pytest.mark.parametrize(
    ("regime", "utilisation", "ratio", "pressure"),
    [
        (Regime.SATURATED, 0.4, 30.0, QueuePressure.HIGH),
        (Regime.KEEPING_UP, 0.95, 0.3, QueuePressure.HIGH),
        (Regime.KEEPING_UP, 0.3, 2.5, QueuePressure.HIGH),
        (Regime.KEEPING_UP, 0.8, 0.3, QueuePressure.MODERATE),
        (Regime.MIXED, 0.3, 1.5, QueuePressure.MODERATE),
        (Regime.KEEPING_UP, 0.3, 0.4, QueuePressure.LOW),
        (Regime.KEEPING_UP, None, 0.4, QueuePressure.LOW),
        (Regime.MIXED, None, None, None),
    ],
)
def test_pressure_is_of_slots_and_waits(
    regime: Regime, utilisation: float | None, ratio: float | None, pressure: QueuePressure | None
) -> None:
    assert queue_pressure(regime=regime, utilisation=utilisation, ratio=ratio) is pressure


def test_waiting_for_the_next_poll_is_no_pressure() -> None:
    assert wait_ratio(mean_wait_s=0.25, mean_execution_s=0.0, poll_delay_s=0.5) == 0.5
    assert wait_ratio(mean_wait_s=0.25, mean_execution_s=0.0, poll_delay_s=None) is None
    assert kept_up().pressure is QueuePressure.LOW


def test_properties_of_a_run_without_tasks() -> None:
    nothing = summary_of(samples(np.empty(0)), lost=10)
    assert nothing.n == 0
    assert not nothing.kept_up
    assert not nothing.saturated
    assert nothing.throughput_per_s is nothing.steady_throughput_per_s is None
