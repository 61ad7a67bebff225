"""The limit, the one change that lifts it most, and the cliffs beside it."""

from dataclasses import replace

import pytest
from made_runs import constants, fleet, worker
from simulated_worker import SimulatedWorker, Simulation

from runs.analysis.bottleneck import Bottleneck, bottleneck
from runs.analysis.ceiling import Ceiling, CeilingName, Situation
from runs.analysis.ceilings import ceilings_of
from runs.analysis.changes import (
    Change,
    best_change,
    current_value,
    predict,
    with_change,
)
from runs.analysis.constants import Constants
from runs.analysis.fleet import Fleet
from runs.analysis.machine_ceilings import on_shared_cores
from runs.analysis.service import ServiceTimes

KNOWN = constants(
    start_s=1.0,
    skip_s=0.4,
    overhead_s=3.0,
    poll_lag_s=1.0,
    loop_cpu_s=0.95,
    redis_cpu_s=0.2,
    shared_cpu_s=0.4,
)


def found(of: Fleet, task_s: float, known: Constants = KNOWN, **more: float) -> Bottleneck:
    return bottleneck(of, service=ServiceTimes.fixed(task_s), constants=known, **more)


def change_of(of: Fleet, task_s: float, known: Constants = KNOWN) -> Change:
    change = found(of, task_s, known).change
    assert change is not None
    return change


def simulated(of: Fleet, task_s: float, n: int = 1200) -> float:
    """What a fleet of simulated workers, their polls spread, finishes per second."""
    run = Simulation(
        workers=[
            SimulatedWorker(
                max_jobs=each.max_jobs,
                poll_delay_s=each.poll_delay_s,
                read_limit=each.read_limit,
                phase_s=each.poll_delay_s * number / of.processes,
            )
            for number, each in enumerate(of.settings)
        ],
        durations_s=[task_s] * n,
        lag_s=0.001,
    ).run()
    ends = sorted(run.ended.values())
    low, high = int(0.2 * n), int(0.8 * n)
    return (high - low) / (ends[high] - ends[low])


def test_a_worker_that_waits_for_its_polls_should_poll_more_often() -> None:
    change = change_of(fleet(max_jobs=30), 0.17)
    assert (change.setting, change.old, change.new) == ("poll_delay", 0.5, 0.05)
    assert change.predicted_throughput_per_s == pytest.approx(148, rel=0.03)
    assert change.gain == pytest.approx(1.47, rel=0.03)
    assert change.cost == "about 1.9 % CPU per idle worker"


def test_short_tasks_want_a_longer_page() -> None:
    change = change_of(fleet(max_jobs=30), 0.0)
    assert (change.setting, change.old) == ("queue_read_limit", 150)
    assert change.limited_by in {CeilingName.START_ROUND_TRIPS, CeilingName.QUEUE_READ_LIMIT}
    assert change.gain > 1.5


def test_a_fleet_at_its_page_wants_a_longer_one() -> None:
    change = change_of(fleet(8, max_jobs=20), 2.0)
    assert change.setting == "queue_read_limit"
    assert change.predicted_throughput_per_s == pytest.approx(64, rel=0.02)  # 64.8 measured


def test_full_slots_want_more_of_them() -> None:
    change = change_of(fleet(poll_delay_s=0.01), 2.0)
    assert (change.setting, change.old, change.new) == ("max_jobs", 10, 20)
    assert change.gain == pytest.approx(1.0, rel=0.05)
    assert "20 tasks at once instead of 10" in change.cost


def test_starting_wants_another_process_as_far_as_cores_go() -> None:
    change = change_of(fleet(max_jobs=100, queue_read_limit=10_000), 0.0)
    assert (change.setting, change.new) == ("processes", 2)
    assert change.gain == pytest.approx(2 / 1.4 - 1, rel=0.05)


@pytest.mark.parametrize(
    ("processes", "redis_ms", "reached"),
    [
        (5, None, 240.0),  # 1 / √(1/300² + 1/400²)
        (4, 0.3, 240.0),  # the fifth is Redis
        (4, None, 300.0),  # a core for each
        (1, 0.3, 300.0),
    ],
)
def test_workers_that_are_more_than_their_cores_reach_no_ceiling(
    processes: int, redis_ms: float | None, reached: float
) -> None:
    known = constants() if redis_ms is None else constants(shared_cpu_s=redis_ms)
    crowd = situation(fleet(processes), 0.2, known)
    poll, cpu = (
        Ceiling(name=name, throughput_per_s=rate, formula="", inputs=())
        for name, rate in ((CeilingName.POLL_DELAY, 300.0), (CeilingName.CPU, 400.0))
    )
    assert on_shared_cores((poll, cpu), situation=crowd) == pytest.approx(reached)
    assert on_shared_cores((poll,), situation=crowd) == 300.0
    assert on_shared_cores((cpu,), situation=crowd) == pytest.approx(400.0)


def test_a_small_pool_on_many_cores_wants_more_children() -> None:
    known = constants(pool_cpu_s=150.0, loop_cpu_s=1.0)
    change = change_of(fleet(max_jobs=30, pool_processes=2, poll_delay_s=0.05), 0.15, known)
    assert (change.setting, change.old, change.new) == ("pool_processes", 2, 4)
    assert change.cost == "4 cores busy"


def test_nothing_helps_where_cores_or_the_load_are_the_limit() -> None:
    known = constants(pool_cpu_s=150.0, loop_cpu_s=1.0)
    assert (
        found(fleet(max_jobs=30, pool_processes=4, poll_delay_s=0.05), 0.15, known).change is None
    )
    assert found(fleet(), 0.2, offered_rate_per_s=5.0).change is None
    assert best_change(situation(fleet(0)), ceilings=()) is None


def situation(of: Fleet, task_s: float = 0.2, known: Constants = KNOWN) -> Situation:
    return Situation(fleet=of, service=ServiceTimes.fixed(task_s), constants=known)


def test_a_value_of_each_setting_can_be_tried() -> None:
    of = fleet(max_jobs=30)
    for setting, value in (
        ("poll_delay", 0.1),
        ("queue_read_limit", 500),
        ("max_jobs", 60),
        ("processes", 3),
        ("pool_processes", 2),
    ):
        changed = with_change(situation(of), setting=setting, value=value)
        assert current_value(changed.fleet, setting=setting) == value


def test_arqs_own_read_limit_goes_with_max_jobs_and_a_set_one_stays() -> None:
    own = with_change(
        situation(fleet(max_jobs=30, queue_read_limit=150)), setting="max_jobs", value=60
    )
    assert own.fleet.read_limit == 300
    fixed = with_change(
        situation(fleet(max_jobs=30, queue_read_limit=77)), setting="max_jobs", value=60
    )
    assert fixed.fleet.read_limit == 77


def test_fewer_processes_are_fewer_workers() -> None:
    assert with_change(situation(fleet(3)), setting="processes", value=1).fleet.processes == 1


def test_blocking_work_does_not_grow_with_workers() -> None:
    known = constants(start_s=1, skip_s=0.4, blocking_s=10, loop_cpu_s=11)
    blocked = Situation(fleet=fleet(), service=ServiceTimes.fixed(0.01), constants=known)
    more = with_change(blocked, setting="processes", value=2)
    assert more.constants.loop_cpu_s == known.loop_cpu_s


def test_a_forecast_promises_the_lower_of_two_regimes() -> None:
    """Ten starts take 12 ms and a task 14: in one run slots fill, in the next they do not."""
    now = situation(fleet(2, poll_delay_s=0.1), 0.009, constants(start_s=1.4, overhead_s=4.0))
    then = with_change(now, setting="poll_delay", value=0.02)
    assert ceilings_of(now)[0].name is not CeilingName.POLL_DELAY
    assert ceilings_of(then)[0].name is CeilingName.POLL_DELAY
    least, most = 2 * 10 / (2 * 0.02), 2 * 10 / 0.02  # each slot is held for one poll or two
    assert least < ceilings_of(then)[0].throughput_per_s < most < 2 / 0.0014


def test_what_a_machine_gains_must_be_more_than_its_laws_are_wrong_by() -> None:
    of = fleet(poll_delay_s=0.05, queue_read_limit=10_000)
    certain = constants(start_s=1.0, skip_s=0.5, loop_cpu_s=0.9)
    assert change_of(of, 0.0, certain).setting == "processes"
    waiting = constants(start_s=1.0, skip_s=0.9, loop_cpu_s=0.2)  # nearly all of it round trips
    assert found(of, 0.0, waiting).change is None


def test_more_polls_pass_by_a_running_task_and_cost_cpu() -> None:
    known = constants(start_s=1.2, skip_s=0.6, loop_cpu_s=1.1)
    now = situation(fleet(poll_delay_s=0.5), 0.2, known)
    then = with_change(now, setting="poll_delay", value=0.05)
    cpu = then.constants.loop_cpu_s
    assert cpu is not None
    assert cpu.value == pytest.approx(0.0011 + 0.4 * 0.001 * 3)  # four polls see a task of 0.2 s
    for unknown in (constants(loop_cpu_s=1.0), replace(known, blocking_s=known.start_s)):
        before = replace(now, constants=unknown)
        same = with_change(before, setting="poll_delay", value=0.05).constants.loop_cpu_s
        assert same == unknown.loop_cpu_s


def test_a_prediction_of_nothing_is_none() -> None:
    nothing = situation(fleet(0))
    assert predict(nothing, setting="poll_delay", old=0.5, new=0.05, now=20.0) is None
    assert predict(situation(fleet()), setting="poll_delay", old=0.5, new=0.05, now=0.0) is None
    assert current_value(fleet(0), setting="max_jobs") == 0


def test_without_heartbeats_the_cost_of_polling_is_told_in_polls() -> None:
    change = change_of(fleet(max_jobs=30), 0.17, Constants())
    assert change.cost == "20 polls per second and idle worker"


@pytest.mark.parametrize(
    ("of", "task_s"),
    [
        (fleet(), 0.2),
        (fleet(max_jobs=30), 0.17),
        (fleet(max_jobs=30), 0.05),
        (fleet(max_jobs=20, poll_delay_s=0.1), 0.3),
        (fleet(2, of={"staggered": True}), 0.2),
        (fleet(8, max_jobs=20, of={"staggered": True}), 2.0),
        (fleet(2, poll_delay_s=0.05, of={"staggered": True}), 0.1),
        (fleet(max_jobs=30, queue_read_limit=40), 0.0),
    ],
)
def test_advice_brings_what_it_promises_to_a_simulated_fleet(of: Fleet, task_s: float) -> None:
    change = change_of(of, task_s)
    changed = with_change(situation(of, task_s), setting=change.setting, value=change.new)
    before, after = simulated(of, task_s), simulated(changed.fleet, task_s)
    assert after / before - 1 == pytest.approx(change.gain, rel=0.2)


def test_a_cliff_is_named_before_it_is_reached() -> None:
    """Tasks of 490 ms at d = 0.5 s: 10 ms more halve throughput."""
    cliff = found(fleet(), 0.490, constants(start_s=0.5)).cliff
    assert cliff is not None
    assert cliff.slower_s == pytest.approx(0.01, abs=0.011)
    assert cliff.factor == pytest.approx(0.5, abs=0.3)
    assert found(fleet(), 0.2).cliff is None


def test_a_step_up_is_named_too() -> None:
    chance = found(fleet(), 0.502, constants(start_s=0.2)).chance
    assert chance is not None
    assert chance.slower_s < 0
    assert chance.factor > 1.25
    assert found(fleet(), 0.002, Constants()).chance is None


def test_there_is_no_cliff_where_polls_are_not_the_limit() -> None:
    assert found(fleet(), 0.0).cliff is None


def test_the_boundary_between_full_and_free_slots_is_said() -> None:
    assert found(fleet(), 0.010).at_boundary
    assert not found(fleet(), 0.2).at_boundary
    assert not found(fleet(), 0.0, Constants()).at_boundary


def test_what_is_missing_is_said() -> None:
    missing = " ".join(found(fleet(), 0.2, Constants()).missing)
    for name in ("start_round_trips", "cpu and event_loop", "redis"):
        assert name in missing
    assert found(fleet(), 0.2).missing == ()
    uneven = Fleet(workers=(worker("a"), worker("b", max_jobs=30)))
    assert "differ" in found(uneven, 0.2).missing[0]


def test_no_workers_or_no_tasks_leave_nothing_to_say() -> None:
    nobody = found(fleet(0), 0.2)
    assert nobody.binding is nobody.capacity is nobody.change is None
    assert "No worker" in nobody.missing[0]
    nothing = bottleneck(fleet(), service=None, constants=KNOWN)
    assert nothing.ceilings == ()
    assert "No task" in nothing.missing[0]


def test_the_capacity_is_the_queues_own() -> None:
    kept = found(fleet(), 0.2, offered_rate_per_s=5.0)
    assert kept.binding is not None
    assert kept.capacity is not None
    assert kept.binding.name is CeilingName.ARRIVALS
    assert kept.capacity.name is CeilingName.POLL_DELAY


def test_ceilings_never_rise_by_slower_tasks() -> None:
    rates = [
        ceilings_of(situation(fleet(max_jobs=30), task_s))[0].throughput_per_s
        for task_s in (0.05, 0.1, 0.2, 0.45, 0.7, 1.3)
    ]
    assert rates == sorted(rates, reverse=True)
