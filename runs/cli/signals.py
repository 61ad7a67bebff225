"""What do Ctrl-C and SIGTERM do to a run that is conducted here? They cancel it, cleanly."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_cancel(
    task: "asyncio.Task[Any] | None", *, say: Callable[[str], None]
) -> Iterator[None]:
    """The first of these signals cancels `task`; a second one ends the process as ever."""
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        remove()
        say("Cancelling: what is left of the run leaves the queue. A second Ctrl-C does not wait.")
        if task is not None:
            task.cancel()

    def remove() -> None:
        for signum in _SIGNALS:
            loop.remove_signal_handler(signum)

    # why both: a job in the background inherits SIGINT ignored
    for signum in _SIGNALS:
        loop.add_signal_handler(signum, cancel)
    try:
        yield
    finally:
        remove()
