"""Who is who on the wire: ids of tasks and of worker processes."""

import functools
import os
import re
import secrets
import socket

CRON_PREFIX = "loadlab:"  # ids of the jobs that our own workers schedule

_TASK_ID = re.compile(r"(?P<test_id>.{1,100})-(?P<sequence>[0-9]{7,10})", re.ASCII)


def task_id(test_id: str, sequence: int) -> str:
    """The id of the `sequence`-th task (1-based) of a run; it is arq's job id.

    Zero-padded because Redis orders members of equal score by text.
    """
    return f"{test_id}-{sequence:07d}"


def sequence_of(task_id: str) -> int | None:
    """The sequence within its run, None for an id that no run of ours made."""
    match = _TASK_ID.fullmatch(task_id)
    return int(match["sequence"]) if match else None


def test_id_of(task_id: str) -> str | None:
    """The run that a task belongs to, None for an id that no run of ours made."""
    match = _TASK_ID.fullmatch(task_id)
    return match["test_id"] if match else None


def cursor_key(test_id: str) -> str:
    """Redis key of the last sequence that was sent of a run, or `closed`."""
    return f"loadlab:{test_id}:sent"


def fleet_key(queue: str) -> str:
    """Redis sorted set of the worker ids of a queue, scored by their last beat (epoch, s)."""
    return f"loadlab:workers:{queue}"


def description_key(worker_id: str) -> str:
    """Redis key of what a worker process says about itself once."""
    return f"loadlab:worker:{worker_id}"


def beat_key(worker_id: str) -> str:
    """Redis key of a worker's last heartbeat."""
    return f"loadlab:worker:{worker_id}:beat"


def worker_id() -> str:
    """This process's id as a worker: `host:pid:random`, new for every process."""
    # why by pid: a forked child must not answer with its parent's name
    return _worker_id(os.getpid())


@functools.lru_cache(maxsize=1)
def _worker_id(pid: int) -> str:
    # why the random part: containers share host names and pids, and a pid returns
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:60]
    return f"{host}:{pid}:{secrets.token_hex(3)}"
