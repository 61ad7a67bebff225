"""Task types of a user, for worker processes: they note in Redis that they were executed."""

import asyncio
from typing import Any

from loadlab import load_task


@load_task("count_executions")
async def count_executions(ctx: dict[Any, Any], *, hold_ms: float = 0.0) -> dict[str, float]:
    """Note the execution, then hold the slot."""
    await ctx["redis"].incr(f"executed:{ctx['job_id']}")
    await asyncio.sleep(hold_ms / 1000)
    return {"held_ms": hold_ms}
