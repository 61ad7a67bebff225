"""Holding a slot for a while without working: what polling and slots cost."""

import asyncio
import math
import random
import time
from typing import Annotated, Any, Literal

from workers.tasks.draws import draws, sequence_in
from workers.tasks.registry import Between, Meaning, Metric, load_task

LONGEST_MS = 600_000.0

Distribution = Literal["fixed", "exponential", "lognormal"]

METRICS = (
    Metric(name="slept_ms", unit="ms", formula="monotonic clock after − before the sleep"),
    Metric(
        name="overshoot_ms",
        unit="ms",
        formula="slept_ms − the duration drawn: how late the event loop woke the task",
    ),
)


@load_task("sleep", metrics=METRICS, summary="holds a slot for duration_ms without working")
async def sleep(
    ctx: dict[Any, Any],
    *,
    duration_ms: Annotated[
        float, Between(0, LONGEST_MS, unit="ms", meaning="how long, on average")
    ] = 100.0,
    distribution: Annotated[
        Distribution, Meaning("how durations spread around duration_ms, by seed and sequence")
    ] = "fixed",
    sigma: Annotated[
        float, Between(0, 3, meaning="lognormal only: standard deviation of the logarithm")
    ] = 0.5,
    seed: int = 0,
) -> dict[str, float]:
    """Hold a slot for a duration that seed and sequence decide."""
    chance = draws(seed=seed, sequence=sequence_in(ctx), purpose="sleep")
    asked_ms = drawn_ms(chance, mean_ms=duration_ms, distribution=distribution, sigma=sigma)
    started = time.perf_counter()
    await asyncio.sleep(asked_ms / 1000)
    slept_ms = (time.perf_counter() - started) * 1000
    return {"slept_ms": slept_ms, "overshoot_ms": slept_ms - asked_ms}


def drawn_ms(
    chance: random.Random, *, mean_ms: float, distribution: Distribution, sigma: float
) -> float:
    """A duration of the given mean, at most LONGEST_MS.

    lognormal: exp(N(μ, σ)) with μ = ln(mean) − σ²/2, so that the mean is `mean_ms` for every σ.
    """
    if mean_ms == 0 or distribution == "fixed":
        return mean_ms
    if distribution == "exponential":
        return min(chance.expovariate(1 / mean_ms), LONGEST_MS)
    return min(chance.lognormvariate(math.log(mean_ms) - sigma**2 / 2, sigma), LONGEST_MS)
