"""Every ceiling against measured answers of arq 0.28 and against a simulated worker."""

import math
from dataclasses import replace

import numpy as np
import pytest
from made_runs import constants, fleet, worker
from simulated_worker import SimulatedWorker, Simulation

from runs.analysis.bottleneck import Bottleneck
from runs.analysis.ceiling import Ceiling, CeilingName, Situation
from runs.analysis.ceilings import ceilings_of
from runs.analysis.constants import Constant, Constants
from runs.analysis.fleet import Fleet
from runs.analysis.laws import FleetLaws
from runs.analysis.limit_words import limited_by
from runs.analysis.service import ServiceTimes

# The machine of the reference: a start 1.18 ms, a skip 0.41 ms, a slot held 4 ms longer.
MEASURED = constants(start_s=1.18, skip_s=0.41, overhead_s=4.0)
NO_OVERHEAD = constants(start_s=1.18, skip_s=0.41)


def binding(of: Fleet, task_s: float, known: Constants = MEASURED, **more: float) -> Ceiling:
    return all_of(of, task_s, known, **more)[0]


def all_of(
    of: Fleet, task_s: float, known: Constants = MEASURED, **more: float
) -> tuple[Ceiling, ...]:
    return ceilings_of(
        Situation(fleet=of, service=ServiceTimes.fixed(task_s), constants=known, **more)
    )


def named(found: tuple[Ceiling, ...], name: CeilingName) -> Ceiling | None:
    return next((each for each in found if each.name is name), None)


@pytest.mark.parametrize(
    ("max_jobs", "read_limit", "delay_s", "task_s", "measured", "name"),
    [
        # measured with arq 0.28 on two cores, one worker; naive answers are 2 to 200 times these
        (10, 100, 0.5, 0.0, 200, CeilingName.QUEUE_READ_LIMIT),
        (30, 150, 0.5, 0.0, 300, CeilingName.QUEUE_READ_LIMIT),
        (30, 150, 0.5, 0.010, 300, CeilingName.QUEUE_READ_LIMIT),
        (32, 160, 0.5, 0.0, 320, CeilingName.QUEUE_READ_LIMIT),
        (10, 100, 0.05, 0.010, 197, CeilingName.POLL_DELAY),
        (10, 100, 0.5, 0.2, 20.0, CeilingName.POLL_DELAY),
        (10, 100, 0.25, 0.2, 40.0, CeilingName.POLL_DELAY),
        (10, 100, 0.1, 0.2, 33.3, CeilingName.POLL_DELAY),
        (10, 100, 0.05, 0.2, 41.8, CeilingName.POLL_DELAY),
        (10, 100, 0.01, 0.2, 45.9, CeilingName.MAX_JOBS),
        (30, 10_000, 0.5, 0.010, 840, CeilingName.START_ROUND_TRIPS),
        (100, 10_000, 0.01, 0.010, 810, CeilingName.START_ROUND_TRIPS),
        (100, 500, 0.5, 0.0, 847, CeilingName.START_ROUND_TRIPS),
    ],
)
def test_one_worker_as_measured(
    max_jobs: int,
    read_limit: int,
    delay_s: float,
    task_s: float,
    measured: float,
    name: CeilingName,
) -> None:
    of = fleet(max_jobs=max_jobs, queue_read_limit=read_limit, poll_delay_s=delay_s)
    found = binding(of, task_s)
    assert found.name is name
    assert found.throughput_per_s == pytest.approx(measured, rel=0.1)


def test_slots_that_just_fill_as_measured() -> None:
    """M·s is about D: 459, 451 and 423/s measured in three runs, 424 by M / (T·⌈D/T⌉)."""
    assert binding(fleet(poll_delay_s=0.01), 0.010).throughput_per_s == pytest.approx(424, rel=0.1)


def test_long_page_walks_slow_a_worker_of_many_slots() -> None:
    """M = 100, D = 0.2 s, d = 0.01 s, Q = 10 000: 328/s measured, 410 simulated, 476 naive."""
    of = fleet(max_jobs=100, poll_delay_s=0.01, queue_read_limit=10_000)
    found = binding(of, 0.2)
    assert found.name is CeilingName.START_ROUND_TRIPS
    assert found.throughput_per_s == pytest.approx(375, rel=0.15)
    assert "T = J·s' + n·s" in found.formula


def test_exponential_tasks_as_measured() -> None:
    """D ~ exp(0.2 s), M = 10, d = 0.5: 18.6 and 18.5 measured, 22.2 by M/(D + d/2)."""
    service = ServiceTimes.exponential(0.2)
    found = ceilings_of(Situation(fleet=fleet(), service=service, constants=MEASURED))[0]
    assert found.throughput_per_s == pytest.approx(18.5, rel=0.02)


@pytest.mark.parametrize(("workers", "measured"), [(1, 20.7), (2, 41.2), (4, 82.1), (8, 155)])
def test_slots_of_a_fleet_add_up(workers: int, measured: float) -> None:
    found = binding(fleet(workers), 0.2)
    assert found.name is CeilingName.POLL_DELAY
    assert found.throughput_per_s == pytest.approx(measured, rel=0.05)


@pytest.mark.parametrize(
    ("workers", "max_jobs", "task_s", "measured", "name"),
    [
        (1, 20, 2.0, 8.5, CeilingName.POLL_DELAY),
        (3, 20, 2.0, 25.4, CeilingName.POLL_DELAY),
        (6, 20, 2.0, 41.5, CeilingName.FLEET_QUEUE_READ_LIMIT),
        (8, 20, 2.0, 41.1, CeilingName.FLEET_QUEUE_READ_LIMIT),
        (10, 32, 1.0, 107, CeilingName.FLEET_QUEUE_READ_LIMIT),  # measured 97 to 118
    ],
)
def test_a_fleet_runs_no_more_than_one_page(
    workers: int, max_jobs: int, task_s: float, measured: float, name: CeilingName
) -> None:
    found = binding(fleet(workers, max_jobs=max_jobs), task_s)
    assert found.name is name
    assert found.throughput_per_s == pytest.approx(measured, rel=0.08)


@pytest.mark.parametrize(("offset_s", "measured"), [(0.0, 300), (0.1, 427), (0.25, 600)])
def test_the_phase_of_the_polls_decides_what_two_workers_read(
    offset_s: float, measured: float
) -> None:
    known = Constants(
        start_s=MEASURED.start_s,
        skip_s=MEASURED.skip_s,
        overhead_s=MEASURED.overhead_s,
        poll_phases=(0.0, offset_s / 0.5),
    )
    found = named(all_of(fleet(2, max_jobs=30), 0.0, known), CeilingName.FLEET_QUEUE_READ_LIMIT)
    assert found is not None
    assert found.throughput_per_s == pytest.approx(measured, rel=0.08)
    assert found.interval is None


def test_phases_not_known_leave_an_interval_unless_we_spread_them_ourselves() -> None:
    unknown = named(all_of(fleet(2, max_jobs=30), 0.0), CeilingName.FLEET_QUEUE_READ_LIMIT)
    assert unknown is not None
    assert unknown.interval == pytest.approx((300, 600), rel=0.01)
    assert unknown.throughput_per_s == unknown.interval[0]
    ours = all_of(fleet(2, max_jobs=30, of={"staggered": True}), 0.0)
    spread = named(ours, CeilingName.FLEET_QUEUE_READ_LIMIT)
    assert spread is not None
    assert spread.interval is None
    assert spread.throughput_per_s == pytest.approx(600, rel=0.01)


@pytest.mark.parametrize(
    ("workers", "measured"), [(1, 93.5), (2, 91.2), (3, 93.6), (4, 90.7), (6, 89.9)]
)
def test_round_trips_do_not_scale_with_workers(workers: int, measured: float) -> None:
    """RTT 2.5 ms: s = 10.7 ms and s' = 10.4 ms; 94 predicted for four workers, 90.7 measured."""
    slow = constants(start_s=10.7, skip_s=10.4)
    of = fleet(workers, max_jobs=30, poll_delay_s=0.01, queue_read_limit=10_000)
    found = binding(of, 0.0, slow)
    assert found.name is CeilingName.START_ROUND_TRIPS
    assert found.throughput_per_s == pytest.approx(measured, rel=0.08)


@pytest.mark.parametrize(("blocked_ms", "measured"), [(2, 253), (10, 78), (50, 18.9)])
def test_what_blocks_the_loop_blocks_every_slot(blocked_ms: float, measured: float) -> None:
    """time.sleep in the task, M = 100: 1/(s + b) gives 314, 89 and 19.5."""
    known = constants(start_s=1.18, skip_s=0.41, blocking_s=blocked_ms)
    of = fleet(max_jobs=100, poll_delay_s=0.05)
    found = named(all_of(of, blocked_ms / 1000, known), CeilingName.EVENT_LOOP)
    assert found is not None
    assert found.throughput_per_s == pytest.approx(measured, rel=0.25)
    assert found.formula == "k / (s + b)"


def test_uneven_fleets_sum_over_their_workers() -> None:
    uneven = Fleet(workers=(worker("a", max_jobs=10), worker("b", max_jobs=30, poll_delay_s=0.25)))
    found = binding(uneven, 0.2)
    assert found.name is CeilingName.POLL_DELAY
    assert found.throughput_per_s == pytest.approx(10 / 0.5 + 30 / 0.25, rel=0.01)


def test_cpu_pool_and_redis_are_their_own_ceilings() -> None:
    known = constants(
        start_s=1.0, skip_s=0.4, loop_cpu_s=1.0, pool_cpu_s=150.0, shared_cpu_s=0.5, redis_cpu_s=0.2
    )
    found = all_of(fleet(max_jobs=30, pool_processes=2), 0.15, known)
    values = {each.name: each.throughput_per_s for each in found}
    assert values[CeilingName.PROCESS_POOL] == pytest.approx(2 / 0.15)
    assert values[CeilingName.CPU] == pytest.approx(4 / 0.1515)
    assert values[CeilingName.EVENT_LOOP] == pytest.approx(1000)
    assert values[CeilingName.REDIS] == pytest.approx(5000)
    assert [each.throughput_per_s for each in found] == sorted(values.values())
    assert found[0].name is CeilingName.PROCESS_POOL


def test_what_loadlab_takes_of_the_cores_is_not_left_to_the_tasks() -> None:
    def cpu(cores: float) -> Ceiling:
        taken = Constant(value=cores, source="CPU")
        known = replace(constants(loop_cpu_s=1.0, shared_cpu_s=0.25), observer_cores=taken)
        found = named(all_of(fleet(), 0.2, known), CeilingName.CPU)
        assert found is not None
        return found

    half = cpu(0.5)
    assert half.throughput_per_s == pytest.approx(3.5 / 0.00125)
    assert half.formula == "(cores - observer) / CPU per task"
    assert limited_by(Bottleneck(ceilings=(half,)), reached=True) == (
        "Limited by cpu: a task takes 1.2 ms of CPU, and there are 4 cores, 0.5 taken by loadlab."
    )
    assert limited_by(Bottleneck(ceilings=(cpu(0.01),)), reached=True).endswith("are 4 cores.")
    assert cpu(7.0).throughput_per_s == pytest.approx(0.4 / 0.00125)


@pytest.mark.parametrize(
    ("workers", "max_jobs", "task_s", "checks_per_task"),
    [
        # measured with arq 0.28: WATCH commands per finished task
        *((k, 10, 0.0, float(k)) for k in (1, 2, 3, 4, 6)),
        (8, 20, 2.0, 31.9),
        (2, 30, 0.010, 2.0),
    ],
)
def test_polls_pass_by_a_task_as_often_as_measured(
    workers: int, max_jobs: int, task_s: float, checks_per_task: float
) -> None:
    service = ServiceTimes.fixed(task_s)
    laws = FleetLaws.of(fleet(workers, max_jobs=max_jobs), service=service, constants=MEASURED)
    assert laws.skips_per_task + 1 == pytest.approx(checks_per_task, rel=0.3)


def test_a_poll_delay_below_the_walk_is_stretched_by_it() -> None:
    [law] = FleetLaws.of(
        fleet(max_jobs=30, poll_delay_s=0.01, queue_read_limit=1000),
        service=ServiceTimes.fixed(0.2),
        constants=MEASURED,
    ).workers
    assert law.walked_period_s > 0.013  # 30 ids of 0.41 ms
    assert law.polls_seen == pytest.approx(0.204 / law.walked_period_s, rel=0.1)


def test_more_workers_cost_every_task_more_cpu() -> None:
    known = constants(start_s=1.2, skip_s=0.6, loop_cpu_s=1.0, redis_cpu_s=0.2)
    rates = {}
    for k in (1, 2, 3):
        found = named(all_of(fleet(k), 0.0, known), CeilingName.CPU)
        assert found is not None
        rates[k] = found.throughput_per_s
    assert rates[1] == pytest.approx(4 / 0.001)
    assert rates[2] == pytest.approx(4 / 0.0014)
    assert rates[3] == pytest.approx(4 / 0.0018)


def test_polls_that_cost_a_little_of_the_slots_are_max_jobs() -> None:
    near = all_of(fleet(max_jobs=30, poll_delay_s=0.01), 0.2, constants(start_s=1.0, skip_s=0.5))
    assert near[0].name is CeilingName.MAX_JOBS
    assert [each.name for each in near].count(CeilingName.MAX_JOBS) == 1
    far = all_of(fleet(max_jobs=100, poll_delay_s=0.01, queue_read_limit=10_000), 0.2)
    assert far[0].name is CeilingName.START_ROUND_TRIPS


def test_a_pool_at_rest_is_no_ceiling() -> None:
    known = constants(loop_cpu_s=1.0, pool_cpu_s=0.01)
    assert named(all_of(fleet(pool_processes=2), 0.2, known), CeilingName.PROCESS_POOL) is None
    assert named(all_of(fleet(), 0.2, constants(pool_cpu_s=50)), CeilingName.PROCESS_POOL) is None


def test_what_was_not_measured_is_left_out_and_slots_are_taken_to_fill() -> None:
    found = all_of(fleet(), 0.010, Constants())
    assert {each.name for each in found} == {
        CeilingName.POLL_DELAY,
        CeilingName.MAX_JOBS,
        CeilingName.QUEUE_READ_LIMIT,
    }
    assert found[0].throughput_per_s == pytest.approx(20)
    assert binding(fleet(), 0.0, Constants()).throughput_per_s == pytest.approx(200)


def test_the_load_offered_is_a_ceiling() -> None:
    found = binding(fleet(), 0.2, offered_rate_per_s=12.0)
    assert (found.name, found.throughput_per_s) == (CeilingName.ARRIVALS, 12.0)
    assert binding(fleet(), 0.2, offered_rate_per_s=400.0).name is CeilingName.POLL_DELAY
    assert binding(fleet(), 0.2, offered_rate_per_s=0.0).name is CeilingName.POLL_DELAY


def test_every_input_has_a_unit_and_a_source() -> None:
    known = constants(
        start_s=1.18, skip_s=0.41, overhead_s=4, poll_lag_s=1, round_trip_s=0.2, loop_cpu_s=1
    )
    for each in all_of(fleet(2), 0.2, known):
        assert each.formula
        assert each.inputs
        assert all(one.source and one.unit for one in each.inputs)


def test_no_workers_have_no_ceilings() -> None:
    assert (
        ceilings_of(Situation(fleet=fleet(0), service=ServiceTimes.fixed(0.2), constants=MEASURED))
        == ()
    )


def test_a_poll_delay_of_nothing_divides_nothing_by_zero() -> None:
    for task_s in (0.0, 0.2):
        for each in all_of(fleet(poll_delay_s=0.0), task_s, Constants()):
            assert math.isfinite(each.throughput_per_s)
            assert each.throughput_per_s > 0


def simulated_rate(of: list[SimulatedWorker], durations_s: np.ndarray, **costs: float) -> float:
    run = Simulation(workers=of, durations_s=durations_s.tolist(), **costs).run()
    ends = np.sort(list(run.ended.values()))
    low, high = int(0.15 * ends.size), int(0.85 * ends.size)
    return (high - low) / float(ends[high] - ends[low])


@pytest.mark.parametrize("delay_s", [0.5, 0.1, 0.05])
@pytest.mark.parametrize("max_jobs", [10, 30])
@pytest.mark.parametrize("kind", ["none", "50 ms", "200 ms", "exponential", "lognormal"])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_laws_agree_with_a_simulated_worker(
    delay_s: float, max_jobs: int, kind: str, workers: int
) -> None:
    rng = np.random.default_rng(3)
    n = 4000 if kind == "none" else 1500
    durations = {
        "none": np.zeros(n),
        "50 ms": np.full(n, 0.05),
        "200 ms": np.full(n, 0.2),
        "exponential": rng.exponential(0.1, n),
        "lognormal": rng.lognormal(math.log(0.15), 0.4, n),
    }[kind]
    known = constants(start_s=1.0, skip_s=0.4, overhead_s=2.5, poll_lag_s=1.0)
    phases = [delay_s * number / workers for number in range(workers)]
    rate = simulated_rate(
        [
            SimulatedWorker(max_jobs=max_jobs, poll_delay_s=delay_s, phase_s=phase)
            for phase in phases
        ],
        durations,
        lag_s=0.001,
    )
    of = fleet(workers, max_jobs=max_jobs, poll_delay_s=delay_s, of={"staggered": True})
    predicted = ceilings_of(
        Situation(fleet=of, service=ServiceTimes.of(durations), constants=known)
    )[0]
    assert predicted.throughput_per_s == pytest.approx(rate, rel=0.1)
