"""How many tasks does this process run, and how many has it run? Counted around every task."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from workers.tasks.parameters import SEED


class Counts:
    """Tasks of this process since its start; asking for a retry is neither done nor failed."""

    __slots__ = ("done", "failed", "running")

    def __init__(self) -> None:
        self.running = 0
        self.done = 0
        self.failed = 0


COUNTS = Counts()


def counted(
    coroutine: Callable[..., Awaitable[Any]], *, with_seed: bool
) -> Callable[..., Awaitable[Any]]:
    """The coroutine as arq runs it: counted, and without the seed where it does not take it.

    Kept this small on purpose: it is all of ours that runs for every task.
    """
    from arq.worker import Retry  # why here: the parameters and types are read without arq

    counts = COUNTS

    @functools.wraps(coroutine)
    async def run(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> Any:
        if not with_seed:
            kwargs.pop(SEED, None)
        counts.running += 1
        try:
            value = await coroutine(ctx, *args, **kwargs)
        except Retry:
            raise
        except BaseException:
            counts.failed += 1
            raise
        else:
            counts.done += 1
            return value
        finally:
            counts.running -= 1

    return run
