"""Worker processes on this machine that somebody here starts, waits for and stops again."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.client import QueueClient
from workers.errors import WorkerStartError
from workers.queues.serving import JOB_COMPLETION_WAIT_S, PHASE_VARIABLE
from workers.settings import CHECKOUT, var_directory

START_S = 20.0
STOP_S = JOB_COMPLETION_WAIT_S + 3.0
POLL_S = 0.05
TAIL_BYTES = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProcess:
    """A worker in a process and session of its own; it stops when this process is gone."""

    popen: subprocess.Popen[bytes]
    queue: str
    log: Path | None

    @classmethod
    def start(
        cls,
        queue: str,
        *,
        phase: float | None = None,
        burst: bool = False,
        verbose: bool = False,
        log: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> "WorkerProcess":
        """Start a worker that polls at this part of a poll interval and writes here or to `log`."""
        path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH", ""))))
        environment = {**os.environ, **(settings or {}), "PYTHONPATH": path}
        if phase is not None:
            environment[PHASE_VARIABLE] = f"{phase:.6f}"
        flags = (("--burst", burst), ("--verbose", verbose))
        command = [
            *(sys.executable, "-m", "workers.process", queue, "--until-stdin-ends"),
            *(flag for flag, wanted in flags if wanted),
        ]
        output = log.open("wb") if log else None
        try:
            popen = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=environment,
                start_new_session=True,  # why: Ctrl-C is for whoever started it, who stops it
            )
        finally:
            if output:
                output.close()
        return cls(popen=popen, queue=queue, log=log)

    def ask_to_stop(self) -> None:
        """SIGTERM: it finishes what is quickly done, puts the rest back and leaves."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Kill it if it still runs, and forget it."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        if self.popen.stdin is not None:
            self.popen.stdin.close()
        if self.log is not None and self.popen.returncode == 0:
            self.log.unlink(missing_ok=True)

    def last_words(self) -> str:
        """The last line of its log."""
        if self.log is None or not self.log.exists():
            return ""
        tail = self.log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
        lines = [line.strip() for line in tail.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def start_staggered(
    queue: str,
    *,
    count: int,
    burst: bool = False,
    verbose: bool = False,
    log_directory: Path | None = None,
    settings: Mapping[str, str] | None = None,
) -> list[WorkerProcess]:
    """Start workers whose polls are spread evenly over the poll interval.

    Polls in phase read the same ids: a page-limited fleet then serves no more than one worker does.
    """
    started: list[WorkerProcess] = []
    try:
        for index in range(count):
            log = log_directory and log_directory / f"worker-{queue}-{os.getpid()}-{index + 1}.log"
            started.append(
                WorkerProcess.start(
                    queue,
                    phase=index / count,
                    burst=burst,
                    verbose=verbose,
                    log=log,
                    settings=settings,
                )
            )
    except BaseException:
        for process in started:
            process.end()
        raise
    return started


@asynccontextmanager
async def local_workers(
    queue: str, count: int, *, settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[str, ...]]:
    """Workers of a queue for the time of a block, in processes here; yields their worker ids.

    `settings`: environment variables that these workers have besides ours.
    WorkerStartError where one ends, or says nothing, before all have reported to the fleet.
    """
    logs = var_directory() / "log"
    logs.mkdir(parents=True, exist_ok=True)
    processes = start_staggered(queue, count=count, log_directory=logs, settings=settings)
    try:
        yield await _all_reported(queue, processes)
    finally:
        await _stop(processes)


async def _all_reported(queue: str, processes: Sequence[WorkerProcess]) -> tuple[str, ...]:
    pids = [process.popen.pid for process in processes]
    deadline = time.monotonic() + START_S
    async with QueueClient.connect() as client:
        while True:
            for process in processes:
                if process.popen.poll() is not None:
                    raise WorkerStartError(
                        f"A worker of {queue} ended with code {process.popen.returncode} before it "
                        f"could be used: {process.last_words()} (its log: {process.log})"
                    )
            reported = {
                report.description.pid: report.description.worker_id
                for report in await client.fleet(queue)
                if report.description.host == socket.gethostname()
            }
            if all(pid in reported for pid in pids):
                return tuple(reported[pid] for pid in pids)
            if time.monotonic() > deadline:
                silent = next(process for process in processes if process.popen.pid not in reported)
                raise WorkerStartError(
                    f"A worker of {queue} has not reported within {START_S:g} s: "
                    f"{silent.last_words() or 'it said nothing'} (its log: {silent.log})"
                )
            await asyncio.sleep(POLL_S)


async def _stop(processes: Sequence[WorkerProcess]) -> None:
    deadline = time.monotonic() + STOP_S
    try:
        for process in processes:
            process.ask_to_stop()
        while time.monotonic() < deadline and any(p.popen.poll() is None for p in processes):  # noqa: ASYNC110 - a process's end sets no event
            await asyncio.sleep(POLL_S)
    finally:  # why: also where the wait was cancelled, none may be left
        for process in processes:
            process.end()
