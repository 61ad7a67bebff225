"""How is something conducted in this process: a bar on stderr, signals that cancel it cleanly."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from runs.cli.progress import ProgressLine, progress_line
from runs.cli.screen import Screen
from runs.cli.signals import signals_cancel

_T = TypeVar("_T")


def conducted(
    work: Callable[[ProgressLine], Awaitable[_T]], *, runs: int, screen: Screen
) -> _T | None:
    """What `work` returns, told how to report its progress; None where a signal cancelled it.

    The work itself sees the cancellation first and cleans up after its runs.
    """

    async def watched() -> _T | None:
        with (
            progress_line(screen, runs=runs) as watcher,
            signals_cancel(asyncio.current_task(), say=watcher.notice),
        ):
            try:
                return await work(watcher)
            except asyncio.CancelledError:
                return None

    return asyncio.run(watched())
