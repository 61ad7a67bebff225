"""Who may start a server now, and is one alive? Locks and sockets know, pid files do not."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import TextIO

import psutil

from loadlab.embedded.errors import EmbeddedServerError

LOCK_TIMEOUT_S = 120.0
_POLL_S = 0.02


class Pulse(Enum):
    """What a server's socket says: an answer, nothing yet (starting, busy), or nobody is there."""

    ANSWERS = auto()
    SILENT = auto()
    ABSENT = auto()


def wait_until(condition: Callable[[], bool], *, timeout_s: float) -> bool:
    """Whether `condition` came true within `timeout_s`, asked every 20 ms."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


@contextlib.contextmanager
def locked(var: Path) -> Iterator[None]:
    """Hold `var/.lock`, so that one process at a time starts, mends or stops servers there."""
    path = var / ".lock"
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        var.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            if not wait_until(partial(_took, file), timeout_s=deadline - time.monotonic()):
                raise EmbeddedServerError(
                    f"Another command has held {path} for {LOCK_TIMEOUT_S:.0f} s while starting "
                    "the embedded servers: end that command and try again."
                )
            if _is_still(path, file):
                yield
                return


def processes_in(folder: Path, *, program: str) -> list[psutil.Process]:
    """Return the live processes of `program` that run in `folder`.

    A killed server may stay a zombie where pid 1 does not reap, and a pid may be somebody else's by
    now; a live process of the right name with this working directory is neither.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if (
                process.name() == program
                and process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()) == folder
            ):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # gone meanwhile, or another user's
    return found


def _took(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, file: TextIO) -> bool:
    # why: `var` may have been removed while we waited, and another process locks a new file there
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
