"""Nothing: what the queue itself costs."""

from typing import Any

from workers.tasks.registry import load_task


@load_task("noop", summary="does nothing: what the queue itself costs")
async def noop(ctx: dict[Any, Any]) -> None:
    """Return at once."""
