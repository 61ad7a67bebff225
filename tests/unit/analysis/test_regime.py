"""Which question did the run answer?"""

import numpy as np
import pytest
from made_runs import fleet, paced, samples, summary_of, waves, workload
from simulated_worker import SimulatedWorker, Simulation

from runs.analysis.regime import Regime, RegimeFinding, RegimeReason
from runs.analysis.summary import Summary
from runs.analysis.workload import Workload
from runs.arrivals import ArrivalModel


def found(summary: Summary) -> RegimeFinding:
    assert summary.regime is not None
    return summary.regime


def at_rate(
    rate: float, *, duration_s: float, poisson: bool = False, task_s: float = 0.2
) -> Summary:
    """Ten slots refilled every half second: 20 tasks a second at most."""
    n = round(rate * duration_s)
    rng = np.random.default_rng(1)
    sent = np.sort(rng.uniform(0, duration_s, n)) if poisson else np.arange(n) / rate
    run = Simulation(
        workers=[SimulatedWorker(max_jobs=10, phase_s=0.2)],
        durations_s=[task_s] * n,
        sent_s=sent.tolist(),
    ).run()
    arrival = ArrivalModel.POISSON if poisson else ArrivalModel.CONSTANT
    return summary_of(
        run.samples(burst=False), load=paced(rate, duration_s=duration_s, arrival=arrival)
    )


@pytest.mark.parametrize("rate", [21, 25, 100])
@pytest.mark.parametrize("poisson", [False, True])
def test_more_than_the_queue_serves_saturates_it(rate: float, poisson: bool) -> None:
    regime = found(at_rate(rate, duration_s=60, poisson=poisson))
    assert regime.regime is Regime.SATURATED
    assert regime.reason is RegimeReason.BACKLOG_GREW
    assert regime.arrival_rate_per_s == pytest.approx(rate, rel=0.02)
    assert regime.served_per_s == pytest.approx(20, rel=0.1)
    assert regime.backlog_early is not None
    assert regime.backlog_late > regime.backlog_early


@pytest.mark.parametrize("rate", [2, 10, 15, 19])
@pytest.mark.parametrize("poisson", [False, True])
def test_less_than_the_queue_serves_is_kept_up_with(rate: float, poisson: bool) -> None:
    regime = found(at_rate(rate, duration_s=60, poisson=poisson))
    assert regime.regime is Regime.KEEPING_UP
    assert regime.reason is RegimeReason.BACKLOG_STEADY
    assert regime.offered_load == pytest.approx(rate * 0.2, rel=0.05)


def test_everything_at_once_saturates_where_slots_are_refilled() -> None:
    regime = found(summary_of(samples(waves(10))))
    assert (regime.regime, regime.reason) == (Regime.SATURATED, RegimeReason.REFILLED)
    assert regime.arrival_rate_per_s is None


def test_everything_at_once_on_slots_for_all_answers_neither_question() -> None:
    regime = found(summary_of(samples(waves(1))))
    assert (regime.regime, regime.reason) == (Regime.MIXED, RegimeReason.NEVER_REFILLED)


def in_batches(n: int, *, batch: int, delay_s: float) -> tuple[Summary, Workload]:
    load = workload(n, batch_size=batch, delay_s=delay_s)
    run = Simulation(
        workers=[SimulatedWorker(max_jobs=30, phase_s=0.1)],
        durations_s=[0.2] * n,
        sent_s=(np.arange(n) // batch * delay_s).tolist(),
    ).run()
    return summary_of(run.samples(burst=False), of=fleet(max_jobs=30), load=load), load


def test_a_short_sending_with_a_long_rest_saturates() -> None:
    regime = found(in_batches(1000, batch=20, delay_s=0.05)[0])
    assert (regime.regime, regime.reason) == (Regime.SATURATED, RegimeReason.LONG_DRAIN)
    assert regime.arrival_rate_per_s == pytest.approx(400)
    assert regime.start_span_s > 10
    assert regime.backlog_late > 800


def test_a_short_sending_that_is_soon_done_with_shows_nothing() -> None:
    regime = found(in_batches(40, batch=10, delay_s=0.05)[0])
    assert (regime.regime, regime.reason) == (Regime.MIXED, RegimeReason.TOO_SHORT)


def test_a_queue_that_fell_behind_and_recovered_is_mixed() -> None:
    sent = np.arange(1000) / 20
    started = np.maximum(sent, 20 + np.arange(1000) / 60)  # nobody served it for 20 s
    regime = found(
        summary_of(
            samples(started, enqueued_s=sent, burst=False, execution_s=0.05),
            load=paced(20, duration_s=50),
        )
    )
    assert (regime.regime, regime.reason) == (Regime.MIXED, RegimeReason.CAUGHT_UP)


def test_tasks_for_more_slots_than_there_are_cannot_be_kept_up_with() -> None:
    sent = np.arange(100) / 10
    made = samples(sent + 0.2, enqueued_s=sent, execution_s=2.0, burst=False)
    regime = found(summary_of(made, load=paced(10, duration_s=10)))
    assert (regime.regime, regime.reason) == (Regime.MIXED, RegimeReason.MORE_OFFERED)
    assert regime.offered_load == pytest.approx(20, rel=0.02)


def test_without_a_known_fleet_the_slots_seen_in_use_count() -> None:
    regime = found(summary_of(samples(waves(10)), of=fleet(0)))
    assert regime.regime is Regime.SATURATED
    sent = np.arange(200) / 10
    made = samples(sent + 0.1, enqueued_s=sent, burst=False)
    regime = found(summary_of(made, of=fleet(0), load=paced(10, duration_s=20)))
    assert regime.regime is Regime.KEEPING_UP


def test_a_paced_run_of_one_instant_is_a_burst() -> None:
    made = samples(waves(4), burst=False)
    regime = found(summary_of(made, load=paced(1000, duration_s=0.04)))
    assert regime.reason is RegimeReason.REFILLED
