"""Failing on purpose: tasks that raise, run out of time or ask for a retry, chosen by seed."""

import asyncio
from typing import Annotated, Any, Literal

from arq.worker import Retry

from workers.tasks.draws import draws, sequence_in
from workers.tasks.registry import Between, Meaning, Metric, load_task

TIMEOUT_S = 1.0
RETRY_AFTER_S = 0.1

Failure = Literal["raise", "timeout", "retry"]
KINDS: tuple[Failure, ...] = ("raise", "timeout", "retry")

METRICS = (
    Metric(
        name="failure_kind",
        unit="",
        formula="of a failed task: raise, timeout (its function's timeout of 1 s ran out) or "
        "retry (it asked for another try and failed in that)",
    ),
)


class SimulatedFailure(Exception):
    """A failure that a task was chosen for; `metrics` stands with the failed task."""

    def __init__(self, message: str, *, kind: Failure) -> None:
        super().__init__(message)
        self.metrics = {"failure_kind": kind}


class SimulatedTimeoutError(TimeoutError):
    """A task that ran until its function's timeout, as it was chosen to."""

    metrics = {"failure_kind": "timeout"}  # noqa: RUF012 - read only, like a constant


@load_task(
    "failure_testing",
    timeout_s=TIMEOUT_S,
    metrics=METRICS,
    summary="fails failure_rate of the tasks: raises, runs out of time or asks for a retry",
)
async def failure_testing(
    ctx: dict[Any, Any],
    *,
    failure_rate: Annotated[float, Between(0, 1, meaning="share of the tasks that fail")] = 0.1,
    failure_kind: Annotated[
        Literal["mixed", "raise", "timeout", "retry"], Meaning("how they fail; mixed: by seed")
    ] = "mixed",
    work_ms: Annotated[
        float, Between(0, 500, unit="ms", meaning="how long each holds its slot first")
    ] = 10.0,
    seed: int = 0,
) -> dict[str, Any]:
    """Wait a little, then fail if seed and sequence have chosen this task."""
    fate = chosen_failure(
        seed=seed, sequence=sequence_in(ctx), failure_rate=failure_rate, failure_kind=failure_kind
    )
    await asyncio.sleep(work_ms / 1000)
    if fate == "raise":
        raise SimulatedFailure("this task was chosen to raise", kind=fate)
    if fate == "timeout":
        await _run_out_of_time(already_s=work_ms / 1000)
    if fate == "retry":
        if ctx.get("job_try", 1) == 1:
            raise Retry(defer=RETRY_AFTER_S)
        raise SimulatedFailure("this task was chosen to fail in its second try", kind=fate)
    return {}


def chosen_failure(
    *, seed: int, sequence: int, failure_rate: float, failure_kind: str
) -> Failure | None:
    """How the task of this sequence fails, None for one that succeeds."""
    chance = draws(seed=seed, sequence=sequence, purpose="failure")
    if chance.random() >= failure_rate:
        return None
    drawn = chance.choice(KINDS)
    return drawn if failure_kind == "mixed" else next(k for k in KINDS if k == failure_kind)


async def _run_out_of_time(*, already_s: float) -> None:
    """Wait for arq's own timeout of this function and say what it was; an abort stays an abort."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + TIMEOUT_S - already_s
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        # why a margin: the timeout runs from before the task's first step
        if loop.time() < deadline - 0.2:
            raise
        raise SimulatedTimeoutError(f"not done within its timeout of {TIMEOUT_S:g} s") from None
