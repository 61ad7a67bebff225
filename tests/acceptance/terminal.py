"""`loadlab` as a person or a script starts it: a process, its streams, its exit code."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

COMMAND = (sys.executable, "-m", "loadlab")
PATIENCE_S = 120.0


def environment(**variables: str) -> dict[str, str]:
    """The test session's own servers, and none of the terminal that the tests run in."""
    told = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM"}
    return {name: value for name, value in os.environ.items() if name not in told} | variables


def loadlab(
    *arguments: str, stdout: int | IO[str] = subprocess.PIPE, **variables: str
) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**variables),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )


@contextmanager
def started(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A command under way; killed if the test leaves it running."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def on_a_terminal(*arguments: str, **variables: str) -> tuple[int, str]:
    """The exit code, and everything that a terminal of 80 columns was sent."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(
            COMMAND[0], [*COMMAND, *arguments], environment(TERM="xterm-256color", **variables)
        )
    seen = b""
    with suppress(OSError):  # why: Linux says EIO where the other end is closed
        while chunk := os.read(terminal, 65_536):
            seen += chunk
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


def until(condition: Callable[[], bool]) -> None:
    """Wait for it, as long as a slow machine may need."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
