"""Waiting on others: simulated calls over the network, to a database and to an API, at once.

A call is a sleep of a drawn duration, so the figures tell how well the event loop overlaps waits
and how late it is when they end, not how fast any real server answers.
"""

import asyncio
import heapq
import math
import time
from collections.abc import Sequence
from typing import Annotated, Any

from workers.tasks.draws import draws, sequence_in
from workers.tasks.registry import Between, Metric, load_task

METRICS = (
    Metric(
        name="total_io_time_ms",
        unit="ms",
        formula="sum over all calls of the time measured around each",
    ),
    Metric(name="elapsed_ms", unit="ms", formula="monotonic clock after − before all calls"),
    Metric(
        name="parallel_speedup",
        unit="×",
        formula="total_io_time_ms / elapsed_ms: 1 where the calls ran one after the other",
    ),
    Metric(
        name="concurrency_benefit",
        unit="share",
        formula="1 − elapsed_ms / total_io_time_ms: the share of waiting that overlapping saved",
    ),
    Metric(
        name="io_efficiency_percent",
        unit="%",
        formula="100 × the time that the drawn durations need with this concurrency on an idle "
        "event loop / elapsed_ms: 100 where the loop added nothing",
    ),
    Metric(name="io_calls", unit="calls", formula="calls awaited, counted"),
)

SIGMA = 0.45  # spread of the logarithm of a call's duration
MAX_MS = 600_000.0

Calls = Annotated[int, Between(0, 200, unit="calls", meaning="how many of them")]
MeanMs = Annotated[float, Between(0, 60_000, unit="ms", meaning="mean duration of one such call")]


@load_task(
    "io_simulation",
    function="io_simulation_task",
    default_tasks=100,
    metrics=METRICS,
    summary="waits: simulated network, database and API calls at once, about 0.17 s in all",
)
async def io_simulation(  # noqa: PLR0913 - the signature is the list of its parameters
    ctx: dict[Any, Any],
    *,
    network_calls: Calls = 4,
    network_ms: MeanMs = 45.0,
    database_calls: Calls = 4,
    database_ms: MeanMs = 30.0,
    api_calls: Calls = 3,
    api_ms: MeanMs = 80.0,
    concurrency: Annotated[int, Between(1, 200, meaning="calls awaited at the same time")] = 4,
    seed: int = 0,
) -> dict[str, float | int]:
    """Await seeded durations, `concurrency` at a time, in the order in which they were drawn."""
    kinds = (
        (network_calls, network_ms),
        (database_calls, database_ms),
        (api_calls, api_ms),
    )
    planned_ms = drawn_calls_ms(kinds, seed=seed, sequence=sequence_in(ctx))
    gate = asyncio.Semaphore(concurrency)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(_call(ms, gate=gate)) for ms in planned_ms]
    elapsed_ms = (time.perf_counter() - started) * 1000
    return figures(
        measured_ms=[call.result() for call in calls],
        elapsed_ms=elapsed_ms,
        ideal_ms=ideal_elapsed_ms(planned_ms, concurrency=concurrency),
    )


def figures(
    *, measured_ms: Sequence[float], elapsed_ms: float, ideal_ms: float
) -> dict[str, float | int]:
    """The metrics of one task, as METRICS defines them; no ratios where nothing was awaited."""
    total_ms = math.fsum(measured_ms)
    found: dict[str, float | int] = {
        "total_io_time_ms": total_ms,
        "elapsed_ms": elapsed_ms,
        "io_calls": len(measured_ms),
    }
    if total_ms > 0 and elapsed_ms > 0:
        found["parallel_speedup"] = total_ms / elapsed_ms
        found["concurrency_benefit"] = 1 - elapsed_ms / total_ms
        found["io_efficiency_percent"] = 100 * ideal_ms / elapsed_ms
    return found


def drawn_calls_ms(kinds: Sequence[tuple[int, float]], *, seed: int, sequence: int) -> list[float]:
    """The durations of all calls of a task, shuffled: lognormal around each kind's mean."""
    chance = draws(seed=seed, sequence=sequence, purpose="io")
    durations = [
        min(chance.lognormvariate(math.log(mean_ms) - SIGMA**2 / 2, SIGMA), MAX_MS)
        if mean_ms > 0
        else 0.0
        for count, mean_ms in kinds
        for _ in range(count)
    ]
    chance.shuffle(durations)
    return durations


def ideal_elapsed_ms(durations_ms: Sequence[float], *, concurrency: int) -> float:
    """How long the calls take on a loop that is never late: each starts at the first free place."""
    places = [0.0] * min(concurrency, max(1, len(durations_ms)))
    for duration in durations_ms:
        heapq.heapreplace(places, places[0] + duration)
    return max(places)


async def _call(duration_ms: float, *, gate: asyncio.Semaphore) -> float:
    async with gate:
        before = time.perf_counter()
        await asyncio.sleep(duration_ms / 1000)
        return (time.perf_counter() - before) * 1000
