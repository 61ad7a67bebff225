"""Running real arq workers in a test, and counting what they execute."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from arq.worker import Worker, create_worker, func

from workers.client import Batch, QueueClient
from workers.ids import task_id
from workers.queues.serving import settings_class

RUN = "lt_20261123T094501_7f3a9c"


async def count(ctx: dict[Any, Any], **_: object) -> None:
    """A task that notes in Redis that it was executed."""
    await ctx["redis"].hincrby("executions", ctx["job_id"], 1)


async def count_slowly(ctx: dict[Any, Any], **_: object) -> None:
    """A task that notes its execution, then holds its slot until somebody ends it."""
    await ctx["redis"].hincrby("executions", ctx["job_id"], 1)
    await asyncio.sleep(60)


def batch(first: int, count: int, *, function: str = "count", queue: str = "load_test") -> Batch:
    return Batch(
        test_id=RUN,
        queue=queue,
        first=first,
        count=count,
        function=function,
        kwargs={"seed": 0},
        enqueued_ms=int(time.time() * 1000),
        expires_ms=600_000,
        cursor_ttl_s=600,
    )


def ids(first: int, last: int) -> list[str]:
    return [task_id(RUN, sequence) for sequence in range(first, last + 1)]


def made_worker(*, queue: str = "load_test", burst: bool) -> Worker:
    tasks = [func(count, name="count"), func(count_slowly, name="count_slowly")]  # type: ignore[arg-type]
    settings = settings_class(queue, functions=tasks)
    return create_worker(settings, burst=burst, handle_signals=False, poll_delay=0.02)


async def work_off(*, queue: str = "load_test") -> None:
    """Let a worker run everything that stands on the queue."""
    worker = made_worker(queue=queue, burst=True)
    try:
        await worker.main()
    finally:
        await worker.close()


@asynccontextmanager
async def working(*, queue: str = "load_test") -> AsyncIterator[Worker]:
    """A worker at work for the time of a block."""
    worker = made_worker(queue=queue, burst=False)
    work = asyncio.create_task(worker.main())
    try:
        yield worker
    finally:
        work.cancel()
        await asyncio.wait([work])
        await worker.close()


async def executions(client: QueueClient, task_ids: list[str]) -> list[int]:
    """How often each task was executed."""
    counted = await client._ask("HMGET", "executions", *task_ids)
    return [int(value or 0) for value in counted]


async def until(holds: Callable[[], Awaitable[bool]], *, within_s: float = 30) -> None:
    """Wait until something is so; fail where it is not after a long time."""
    deadline = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.02)
