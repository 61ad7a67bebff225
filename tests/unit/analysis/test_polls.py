"""Polls read from starts, and slots in use between them."""

import numpy as np
import pytest
from made_runs import fleet, samples, summary_of, waves, worker
from simulated_worker import SimulatedWorker, Simulation

from runs.analysis.fleet import Fleet, WorkerSettings
from runs.analysis.polls import POINTS, PollCycle, poll_cycle, polls_of, worker_polls

SETTINGS = WorkerSettings(max_jobs=30, poll_delay_s=0.5)


def test_the_first_start_of_a_burst_marks_a_poll() -> None:
    starts = waves(8, slots=30, period_s=0.501)
    polls = polls_of(starts, finished_s=starts + 0.2, settings=SETTINGS)
    assert polls.ticks_s == pytest.approx(0.1 + 0.501 * np.arange(8))
    assert polls.period_s == pytest.approx(0.501)
    assert polls.serial_gaps_s == pytest.approx(np.full(8 * 29, 0.001))


def test_polls_that_started_nothing_leave_the_period_as_it_is() -> None:
    starts = np.array([0.0, 1.002, 1.503, 3.006, 9.5])
    polls = polls_of(starts, finished_s=starts, settings=SETTINGS)
    assert polls.period_s == pytest.approx(0.501)


def test_polls_cannot_follow_each_other_faster_than_poll_delay() -> None:
    starts = np.array([0.0, 0.2, 0.5, 0.7, 1.0])  # a page is walked slowly
    assert polls_of(starts, finished_s=starts, settings=SETTINGS).ticks_s.tolist() == [
        0.0,
        0.5,
        1.0,
    ]


def test_nothing_started_and_no_delay_show_no_polls() -> None:
    nothing = polls_of(np.empty(0), finished_s=np.empty(0), settings=SETTINGS)
    assert nothing.ticks_s.size == 0
    assert nothing.period_s is None
    instant = polls_of(
        np.arange(5.0),
        finished_s=np.arange(5.0),
        settings=WorkerSettings(max_jobs=10, poll_delay_s=0.0),
    )
    assert instant.ticks_s.size == 0
    assert instant.period_s is None


def test_only_workers_with_tasks_and_a_known_delay_have_polls() -> None:
    made = samples([0.1, 0.2], worker=[0, 1], worker_names=("a", "b", "c"))
    assert len(worker_polls(made, fleet=Fleet(workers=(worker("a"), worker("c"))))) == 1


def cycle_of(count: int = 20, **changed: float) -> PollCycle:
    summary = summary_of(samples(waves(count, slots=30, **changed)), of=fleet(max_jobs=30))
    assert summary.poll_cycle is not None
    return summary.poll_cycle


def test_slots_in_use_fall_to_nothing_between_two_polls() -> None:
    cycle = cycle_of(start_s=0.0)
    assert len(cycle.slots_in_use) == POINTS
    assert cycle.slots_in_use[:40] == (30.0,) * 40
    assert cycle.slots_in_use[41:] == (0.0,) * 59
    assert cycle.busy_percent == pytest.approx(40)


def test_the_fold_is_as_large_for_any_run_and_bears_late_polls() -> None:
    cycle = cycle_of(400, period_s=0.5013)
    assert len(cycle.slots_in_use) == POINTS
    assert cycle.period_s == 0.5
    assert cycle.busy_percent == pytest.approx(100 * 0.2 / 0.5013, rel=1e-3)
    assert cycle.slots_in_use[60] == 0.0


def test_busy_slots_are_those_of_littles_law_however_long_tasks_are() -> None:
    for task_s in (0.01, 0.3, 0.5, 0.7, 1.9):
        run = Simulation(
            workers=[SimulatedWorker(max_jobs=10), SimulatedWorker(max_jobs=10, phase_s=0.2)],
            durations_s=[task_s] * 400,
        ).run()
        summary = summary_of(run.samples(), of=fleet(2))
        assert summary.poll_cycle is not None
        assert summary.utilisation is not None
        assert summary.poll_cycle.busy_percent == pytest.approx(100 * summary.utilisation, rel=0.05)


def test_two_polls_are_no_cycle() -> None:
    assert summary_of(samples(waves(2))).poll_cycle is None
    assert summary_of(samples(waves(9)), of=fleet(0)).poll_cycle is None
    polls = polls_of(waves(9), finished_s=waves(9) + 0.2, settings=SETTINGS)
    assert poll_cycle([polls], slots=0, span=(0, 9)) is None


def test_a_slow_start_between_short_polls_is_no_pause() -> None:
    """With slots free and tasks waiting, a worker that starts nothing is not asleep."""
    starts = np.cumsum(np.where(np.arange(200) % 10 == 9, 0.012, 0.001))
    made = samples(starts, execution_s=0.001)
    of = fleet(max_jobs=30, poll_delay_s=0.01)
    (polls,) = worker_polls(made, fleet=of)
    assert polls.serial_gaps_s.mean() == pytest.approx(0.0021, rel=0.02)
    (sparse,) = worker_polls(samples(starts, enqueued_s=starts, execution_s=0.001), fleet=of)
    assert sparse.serial_gaps_s.mean() == pytest.approx(0.001)
