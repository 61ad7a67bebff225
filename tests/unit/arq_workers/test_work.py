"""The built-in tasks do what they say: known answers, the same work for the same seed."""

import asyncio
import statistics
from typing import Any

import pytest
from arq.worker import Retry

from workers.ids import task_id
from workers.tasks import cpu, failure, io, memory, sleep
from workers.tasks.draws import draws, sequence_in
from workers.tasks.registry import task_type

FIBONACCI = (0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
SMALL = {"fibonacci_n": 20, "primes_below": 200, "series_terms": 100, "string_rounds": 10}


def context(sequence: int, **more: Any) -> dict[str, Any]:
    return {"job_id": task_id("lt_x", sequence), **more}


def declared(name: str) -> set[str]:
    return {metric.name for metric in task_type(name).metrics}


def test_fibonacci_of_30_is_832040() -> None:
    assert cpu.fibonacci(30)[0] == 832_040
    assert [cpu.fibonacci(n)[0] for n in range(13)] == list(FIBONACCI)


def test_additions_are_counted_not_estimated() -> None:
    # below 11 the additions run in a row: n of them; above, both branches and one more
    assert cpu.fibonacci(10)[1] == 10
    assert cpu.fibonacci(12)[1] == (10 + 9 + 1) + 10 + 1


def test_primes_are_found_by_division() -> None:
    assert cpu.count_primes(100)[0] == 25
    assert cpu.count_primes(10_000)[0] == 1_229
    # 2 and 3 need none; 4 is divided once; 5, 7 by two; 6 once; 8 once; 9 twice
    assert cpu.count_primes(10) == (4, 0 + 0 + 1 + 1 + 1 + 1 + 1 + 2)


def test_the_same_parameters_do_the_same_operations() -> None:
    once, twice = cpu.compute(**SMALL, seed=1), cpu.compute(**SMALL, seed=1)
    for figure in ("fibonacci_result", "primes_found", "series_sum", "cpu_operations"):
        assert once[figure] == twice[figure]
    assert once["operations_per_ms"] == once["cpu_operations"] / once["execution_time_ms"]


async def test_cpu_work_in_the_loop_carries_every_metric() -> None:
    result = await cpu.cpu_intensive({}, **SMALL, block_event_loop=True, seed=0)  # type: ignore[arg-type]
    assert result.keys() >= declared("cpu_intensive")
    assert result["pool_wait_ms"] == 0


def test_two_places_take_the_calls_as_they_come_free() -> None:
    """First place: 40, then 5. Second place: 30, then 10. The fourth call waits for 30, not 40."""
    assert io.ideal_elapsed_ms([40, 30, 10, 5], concurrency=2) == 45
    assert io.ideal_elapsed_ms([40, 30, 10, 5], concurrency=1) == 85
    assert io.ideal_elapsed_ms([40, 30, 10, 5], concurrency=9) == 40
    assert io.ideal_elapsed_ms([], concurrency=4) == 0


def test_io_figures_follow_their_formulas() -> None:
    found = io.figures(measured_ms=[40.0, 30.0, 10.0], elapsed_ms=50.0, ideal_ms=45.0)
    assert found == {
        "total_io_time_ms": 80.0,
        "elapsed_ms": 50.0,
        "io_calls": 3,
        "parallel_speedup": 1.6,
        "concurrency_benefit": pytest.approx(0.375),
        "io_efficiency_percent": 90.0,
    }


def test_io_durations_depend_on_seed_and_sequence_alone() -> None:
    kinds = [(3, 40.0), (2, 20.0)]
    assert io.drawn_calls_ms(kinds, seed=1, sequence=5) == io.drawn_calls_ms(
        kinds, seed=1, sequence=5
    )
    assert io.drawn_calls_ms(kinds, seed=1, sequence=5) != io.drawn_calls_ms(
        kinds, seed=1, sequence=6
    )
    assert io.drawn_calls_ms(kinds, seed=2, sequence=5) != io.drawn_calls_ms(
        kinds, seed=1, sequence=5
    )


def test_the_default_io_job_takes_about_a_sixth_of_a_second() -> None:
    defaults = {p.name: p.default for p in task_type("io_simulation").parameters}
    kinds = [(int(defaults[f"{k}_calls"]), float(defaults[f"{k}_ms"])) for k in KINDS]
    spans = [
        io.ideal_elapsed_ms(
            io.drawn_calls_ms(kinds, seed=0, sequence=n), concurrency=int(defaults["concurrency"])
        )
        for n in range(2_000)
    ]
    assert 160 < statistics.mean(spans) < 185
    assert statistics.quantiles(spans, n=20)[-1] < 280


KINDS = ("network", "database", "api")


async def test_io_work_carries_every_metric() -> None:
    result = await io.io_simulation(context(1), network_ms=2, database_ms=1, api_ms=3, seed=0)
    assert result.keys() >= declared("io_simulation")
    assert result["parallel_speedup"] > 1
    assert 0 < result["concurrency_benefit"] < 1
    assert 0 < result["io_efficiency_percent"] <= 100


async def test_io_without_any_call_claims_no_ratio() -> None:
    result = await io.io_simulation({}, network_calls=0, database_calls=0, api_calls=0)
    assert result["io_calls"] == 0
    assert "parallel_speedup" not in result


async def test_sleep_carries_every_metric_and_sleeps_what_it_says() -> None:
    result = await sleep.sleep(context(3), duration_ms=5)
    assert result.keys() == declared("sleep")
    assert result["slept_ms"] >= 4
    assert result["overshoot_ms"] == pytest.approx(result["slept_ms"] - 5)


@pytest.mark.parametrize("distribution", ["fixed", "exponential", "lognormal"])
def test_every_distribution_keeps_the_mean(distribution: sleep.Distribution) -> None:
    drawn = [
        sleep.drawn_ms(
            draws(seed=0, sequence=n, purpose="sleep"),
            mean_ms=100,
            distribution=distribution,
            sigma=0.5,
        )
        for n in range(4_000)
    ]
    assert statistics.mean(drawn) == pytest.approx(100, rel=0.05)
    assert max(drawn) <= sleep.LONGEST_MS


def test_a_mean_of_nothing_is_nothing() -> None:
    chance = draws(seed=0, sequence=1, purpose="sleep")
    assert sleep.drawn_ms(chance, mean_ms=0, distribution="exponential", sigma=0.5) == 0


def test_allocations_are_counted_where_they_are_made() -> None:
    made = memory.allocate(structure_mb=1, entries=100, objects=40, seed=0)
    blocks = 1_000_000 // memory.BLOCK_BYTES
    assert made["allocations_count"] == (2 * blocks + 2) + (2 * 100 + 2) + (40 + 1)
    assert made["gc_collected_objects"] >= 20  # ten pairs of nodes that only the collector frees
    assert made["gc_collections"] >= 1
    assert 1.9 < made["estimated_peak_memory_mb"] < 2.2  # a block and its copy
    assert made["memory_throughput_mb_per_sec"] > 0
    assert made.keys() >= declared("memory_operations") - {"pool_wait_ms"}


def test_the_same_parameters_make_the_same_objects() -> None:
    once = memory.allocate(structure_mb=0.5, entries=50, objects=20, seed=3)
    twice = memory.allocate(structure_mb=0.5, entries=50, objects=20, seed=3)
    for figure in ("allocations_count", "estimated_peak_memory_mb"):
        assert once[figure] == twice[figure]


def fates(*, failure_rate: float, failure_kind: str = "mixed", seed: int = 0) -> list[str | None]:
    return [
        failure.chosen_failure(
            seed=seed, sequence=n, failure_rate=failure_rate, failure_kind=failure_kind
        )
        for n in range(1, 3_001)
    ]


def test_the_asked_share_of_tasks_fails_in_every_way() -> None:
    chosen = fates(failure_rate=0.1)
    failing = [fate for fate in chosen if fate]
    assert len(failing) / len(chosen) == pytest.approx(0.1, abs=0.02)
    assert set(failing) == set(failure.KINDS)
    assert chosen == fates(failure_rate=0.1)
    assert chosen != fates(failure_rate=0.1, seed=1)


def test_no_rate_fails_none_and_a_full_one_all() -> None:
    assert set(fates(failure_rate=0)) == {None}
    assert set(fates(failure_rate=1, failure_kind="retry")) == {"retry"}


async def test_a_task_chosen_to_retry_asks_once_and_then_fails() -> None:
    options: dict[str, Any] = {"failure_rate": 1.0, "failure_kind": "retry", "work_ms": 0.0}
    with pytest.raises(Retry):
        await failure.failure_testing(context(1, job_try=1), **options)
    with pytest.raises(failure.SimulatedFailure) as failed:
        await failure.failure_testing(context(1, job_try=2), **options)
    assert failed.value.metrics == {"failure_kind": "retry"}


async def test_an_abort_of_a_task_that_waits_for_its_timeout_stays_an_abort() -> None:
    task = asyncio.ensure_future(
        failure.failure_testing(context(1), failure_rate=1.0, failure_kind="timeout", work_ms=0.0)
    )
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_that_is_not_chosen_succeeds() -> None:
    assert await failure.failure_testing(context(1), failure_rate=0.0, work_ms=0.0) == {}


def test_a_job_of_no_run_has_sequence_0() -> None:
    assert sequence_in({"job_id": "cron:x:12345"}) == 0
    assert sequence_in({}) == 0
    assert sequence_in(context(12)) == 12


def test_draws_for_different_purposes_share_nothing() -> None:
    drawn = {draws(seed=0, sequence=1, purpose=p).random() for p in ("io", "sleep", "failure")}
    assert len(drawn) == 3
