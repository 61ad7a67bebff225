"""Two task types whose workers can be made slower without anything of the workload changing.

`LOADLAB_BENCH_SLOWER` (1.1: 10 % longer) stands for what a worse revision of the same code does.
"""

import asyncio
import hashlib
import os
from typing import Any

from loadlab import load_task

SLEEP_S = 0.05
ROUNDS = 30_000  # about 20 ms of a processor


def slower() -> float:
    """How much longer tasks take in this worker."""
    return float(os.environ.get("LOADLAB_BENCH_SLOWER", "1"))


@load_task("bench_waits", summary="waits for 50 ms, as if for somebody else")
async def bench_waits(_ctx: dict[Any, Any]) -> None:
    """Hold a slot, no processor."""
    await asyncio.sleep(SLEEP_S * slower())


@load_task("bench_computes", summary="computes for about 20 ms in the event loop")
async def bench_computes(_ctx: dict[Any, Any]) -> None:
    """Hold a processor, and with it the whole worker."""
    digest = b""
    for _ in range(round(ROUNDS * slower())):
        digest = hashlib.sha256(digest).digest()
