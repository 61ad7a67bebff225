"""Serving a queue until told to stop: one worker here, or several processes, restarted at will."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from workers.client import QueueClient
from workers.errors import WorkerStartError
from workers.fleet import WorkerReport
from workers.process import run_in_this_process
from workers.running import STOP_S, WorkerProcess, start_staggered

LOOK_S = 0.2
MAX_PROCESSES = 256
WATCHED_ENDINGS = (".lua", ".env")  # beside Python's own


def serve(
    queue: str,
    *,
    processes: int = 1,
    burst: bool = False,
    watch: Path | None = None,
    verbose: bool = False,
) -> None:
    """Serve a queue until SIGTERM or SIGINT; with `burst` until it is empty.

    With `watch` the processes are started anew whenever code in that folder changes, so that the
    changed code runs (arq's own --watch keeps the old one). WorkerStartError where a worker ends by
    itself: its place would be empty and nobody would know.
    """
    if processes == 1 and watch is None:
        run_in_this_process(queue, burst=burst, verbose=verbose)
        return

    def start() -> list[WorkerProcess]:
        return start_staggered(queue, count=processes, burst=burst, verbose=verbose)

    with _told_to_stop() as stop:
        if watch is None:
            _run_once(start(), stop=stop, burst=burst)
        else:
            workers = start()
            for changed in _changes(watch, stop=stop):
                if changed:
                    _say(f"{changed} changed: starting {queue} workers anew")
                    _stop_all(workers)
                    workers = start()
            _stop_all(workers)


async def answering(queue: str) -> list[WorkerReport]:
    """The workers of the queue that have reported within the last seconds."""
    async with QueueClient.connect() as client:
        return await client.fleet(queue)


def _run_once(workers: list[WorkerProcess], *, stop: threading.Event, burst: bool) -> None:
    failed: WorkerProcess | None = None
    try:
        while not stop.wait(LOOK_S):
            ended = [worker for worker in workers if worker.popen.poll() is not None]
            failed = next((w for w in ended if w.popen.returncode != 0 or not burst), None)
            if failed or len(ended) == len(workers):
                break
    finally:
        _stop_all(workers)
    if failed:
        raise WorkerStartError(
            f"A worker of {failed.queue} ended by itself with code {failed.popen.returncode}; "
            "the others were stopped."
        )


def _changes(folder: Path, *, stop: threading.Event) -> Iterator[str]:
    """The name of a changed file whenever code in the folder changes; else empty, now and then."""
    from watchfiles import PythonFilter, watch  # why here: only --watch needs it

    looks = watch(
        folder,
        watch_filter=PythonFilter(extra_extensions=WATCHED_ENDINGS),
        stop_event=stop,
        rust_timeout=int(LOOK_S * 1000),
        yield_on_timeout=True,
    )
    for changes in looks:
        yield min((path for _, path in changes), default="")


def _stop_all(workers: list[WorkerProcess]) -> None:
    deadline = time.monotonic() + STOP_S
    try:
        for worker in workers:
            worker.ask_to_stop()
        while time.monotonic() < deadline and any(w.popen.poll() is None for w in workers):
            time.sleep(LOOK_S / 4)
    finally:
        for worker in workers:
            worker.end()


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, for the time of a block."""
    stop = threading.Event()

    def tell(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
