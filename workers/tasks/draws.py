"""Random draws that depend on nothing but the seed, the task's sequence and what is drawn for."""

import random
from typing import Any

from workers import ids


def sequence_in(ctx: dict[Any, Any]) -> int:
    """The sequence of the task that runs in this context, 0 for a job that belongs to no run."""
    return ids.sequence_of(str(ctx.get("job_id", ""))) or 0


def draws(*, seed: int, sequence: int, purpose: str) -> random.Random:
    """A generator for one task and one purpose: the same wherever and whenever it runs."""
    # why text: Random(str) hashes all of it, so that neighbours share nothing
    return random.Random(f"{purpose}:{seed}:{sequence}")  # noqa: S311 - not a secret
