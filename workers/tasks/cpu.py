"""Arithmetic: what happens to a queue whose tasks need a processor."""

import math
import random
import time
from typing import Annotated, Any

from workers.pool import run_apart
from workers.tasks.registry import Between, Meaning, Metric, load_task

METRICS = (
    Metric(
        name="fibonacci_result",
        unit="",
        formula="fibonacci(fibonacci_n), by double recursion down to 10 and additions below",
    ),
    Metric(
        name="cpu_operations",
        unit="operations",
        formula="counted as they happen: additions of fibonacci, divisions tried for primes, "
        "terms of the series, transformations of a text",
    ),
    Metric(
        name="execution_time_ms",
        unit="ms",
        formula="monotonic clock after − before the work, in the process that does it",
    ),
    Metric(
        name="cpu_time_ms",
        unit="ms",
        formula="processor time of that process over the same span; less than execution_time_ms "
        "where it had to wait for a core",
    ),
    Metric(name="operations_per_ms", unit="1/ms", formula="cpu_operations / execution_time_ms"),
    Metric(
        name="pool_wait_ms",
        unit="ms",
        formula="from the task's start until a child of the process pool took it; "
        "0 with block_event_loop",
    ),
)

_ITERATIVE_BELOW = 11


@load_task(
    "cpu_intensive",
    function="cpu_intensive_task",
    default_tasks=50,
    metrics=METRICS,
    summary="computes: fibonacci(30), primes, a series, strings",
)
async def cpu_intensive(
    ctx: dict[Any, Any],
    *,
    fibonacci_n: Annotated[int, Between(0, 40, meaning="which Fibonacci number")] = 30,
    primes_below: Annotated[
        int, Between(2, 1_000_000, meaning="count primes below this by trial division")
    ] = 10_000,
    series_terms: Annotated[
        int, Between(0, 10_000_000, meaning="terms of a series of roots and sines")
    ] = 60_000,
    string_rounds: Annotated[
        int, Between(0, 1_000_000, meaning="times a text of 64 characters is transformed")
    ] = 3_000,
    block_event_loop: Annotated[
        bool, Meaning("compute in the event loop, the mistake to see, not in the process pool")
    ] = False,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute in the process pool; the same parameters and seed do the same operations."""
    return await run_apart(
        ctx,
        compute,
        block_event_loop=block_event_loop,
        parameters={
            "fibonacci_n": fibonacci_n,
            "primes_below": primes_below,
            "series_terms": series_terms,
            "string_rounds": string_rounds,
            "seed": seed,
        },
    )


def compute(
    *, fibonacci_n: int, primes_below: int, series_terms: int, string_rounds: int, seed: int
) -> dict[str, Any]:
    """Do the work and measure it; every part returns how many operations it counted."""
    started, started_cpu = time.perf_counter(), time.process_time()
    value, additions = fibonacci(fibonacci_n)
    primes, divisions = count_primes(primes_below)
    total = series(series_terms)
    transformations = transform_text(string_rounds, seed=seed)
    elapsed_ms = (time.perf_counter() - started) * 1000
    operations = additions + divisions + series_terms + transformations
    return {
        "fibonacci_result": value,
        "primes_found": primes,
        "series_sum": total,
        "cpu_operations": operations,
        "execution_time_ms": elapsed_ms,
        "cpu_time_ms": (time.process_time() - started_cpu) * 1000,
        "operations_per_ms": operations / elapsed_ms,
    }


def fibonacci(n: int) -> tuple[int, int]:
    """The n-th Fibonacci number and the additions it took.

    Double recursion as the textbook has it, but additions in a row below 11, so that 30 takes
    milliseconds and not a quarter of a second.
    """
    if n < _ITERATIVE_BELOW:
        before, value = 0, 1
        for _ in range(n):
            before, value = value, before + value
        return before, n
    left, additions_left = fibonacci(n - 1)
    right, additions_right = fibonacci(n - 2)
    return left + right, additions_left + additions_right + 1


def count_primes(limit: int) -> tuple[int, int]:
    """How many primes are below the limit, and how many divisions by trial that took."""
    found = divisions = 0
    for candidate in range(2, limit):
        for divisor in range(2, math.isqrt(candidate) + 1):
            divisions += 1
            if candidate % divisor == 0:
                break
        else:
            found += 1
    return found, divisions


def series(terms: int) -> float:
    """The sum of √k·sin(k) for k from 1: one operation a term."""
    return math.fsum(math.sqrt(k) * math.sin(k) for k in range(1, terms + 1))


def transform_text(rounds: int, *, seed: int) -> int:
    """Turn a seeded text about, five transformations a round; how many there were."""
    chance = random.Random(f"text:{seed}")  # noqa: S311 - not a secret
    words = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz ", k=64))
    transformations = 0
    for index in range(rounds):
        turned = words[::-1].upper().replace("A", "b").lower()
        words = turned[index % 64 :] + turned[: index % 64]
        transformations += 5
    return transformations
