"""A task type that counts its executions in Redis, where a row could hide a second one."""

import asyncio
from typing import Annotated, Any

from loadlab import load_task
from workers.tasks.parameters import Between


@load_task("count_executions", summary="Counts how often it ran.")
async def count_executions(
    ctx: dict[str, Any],
    *,
    hold_ms: Annotated[float, Between(0, 60_000, unit="ms", meaning="how long it runs")] = 0,
) -> dict[str, float]:
    """Add one to this task's own counter, then hold the slot."""
    executions = await ctx["redis"].hincrby("executions", ctx["job_id"], 1)
    await asyncio.sleep(hold_ms / 1000)
    return {"executions": executions}
