"""How fast in its stride, by two published rules."""

import numpy as np
import pytest
from made_runs import fleet, paced, samples, summary_of, waves
from simulated_worker import SimulatedWorker, Simulation

from runs.analysis.steady import SteadyRule, mser5


def test_mser_5_on_the_golden_series() -> None:
    """Twenty values of 100, then fifty pairs of 9 and 11: cut 20, statistic 0.002."""
    found = mser5([100.0] * 20 + [9.0, 11.0] * 50)
    assert found.cut == 20
    assert found.statistic == pytest.approx(0.002)
    assert found.settled


def test_mser_5_cuts_nothing_where_it_would_cut_to_the_middle() -> None:
    found = mser5(np.linspace(100, 0, 100))
    assert found.cut == 0
    assert not found.settled


def test_too_short_a_series_has_no_warm_up() -> None:
    assert mser5([1.0] * 9).cut == 0
    assert mser5([]).settled


def test_a_saturated_run_is_steady_while_its_slots_are_full() -> None:
    made = samples(waves(34, slots=30, first_s=0.1))
    summary = summary_of(made, of=fleet(max_jobs=30))
    assert summary.steady is not None
    assert summary.steady.rule is SteadyRule.FULL_SLOTS
    assert summary.steady.throughput_per_s == pytest.approx(60, rel=1e-3)
    assert summary.overall_throughput_per_s is not None
    assert summary.overall_throughput_per_s > 60  # ends with its last wave, not a poll after it
    assert summary.utilisation == pytest.approx(0.4, rel=1e-2)


def test_goodput_leaves_out_what_failed() -> None:
    made = samples(waves(40), failed=np.arange(400) % 10 == 0)
    steady = summary_of(made).steady
    assert steady is not None
    assert steady.goodput_per_s == pytest.approx(0.9 * steady.throughput_per_s, rel=1e-3)


def test_a_rate_that_is_kept_up_with_is_steady_until_the_last_send() -> None:
    n = 20 * 60
    run = Simulation(
        workers=[SimulatedWorker(max_jobs=30, phase_s=0.2)],
        durations_s=[0.2] * n,
        sent_s=(np.arange(n) / 20).tolist(),
    ).run()
    summary = summary_of(
        run.samples(burst=False), of=fleet(max_jobs=30), load=paced(20, duration_s=60)
    )
    assert summary.steady is not None
    assert summary.steady.rule is SteadyRule.MSER_5
    assert summary.steady.end_s == pytest.approx((n - 1) / 20)
    assert summary.steady.throughput_per_s == pytest.approx(20, rel=0.01)
    assert summary.settled


def test_a_few_waves_are_no_steady_state() -> None:
    summary = summary_of(samples(waves(2)))
    assert summary.steady is None
    assert summary.throughput_per_s == summary.overall_throughput_per_s
    assert summary_of(samples([0.1])).steady is None
    assert summary_of(samples([0.1, 0.2, 0.3])).steady is None


def test_without_polls_known_the_span_counts_as_it_is() -> None:
    starts = np.arange(1000) / 50
    summary = summary_of(samples(starts, execution_s=0.1), of=fleet(0))
    steady = summary.steady
    assert steady is not None
    assert summary.utilisation is None
    assert steady.throughput_per_s == pytest.approx(50, rel=0.01)
    paced_run = samples(starts, enqueued_s=starts - 0.01, execution_s=0.1, burst=False)
    steady = summary_of(paced_run, of=fleet(0), load=paced(50, duration_s=20)).steady
    assert steady is not None
    assert steady.throughput_per_s == pytest.approx(50, rel=0.01)


def test_a_throughput_that_never_settles_is_said_to() -> None:
    sent = np.sqrt(np.arange(2000.0))  # ever faster
    made = samples(sent + 0.1, enqueued_s=sent, execution_s=0.01, burst=False)
    summary = summary_of(made, of=fleet(max_jobs=500), load=paced(45, duration_s=45))
    assert not summary.settled
