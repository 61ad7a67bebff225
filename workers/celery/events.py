"""What does Celery say when something happens to a task or a worker? One function per event.

Fields are those of a real Celery worker; `utcoffset` is left out, because Flower would shift
times by it, and `routing_key` is added to task-received, so that Flower shows the queue.
"""

import os
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

from workers.celery.envelope import LamportClock

HEARTBEAT_S = 2.0  # Celery's own; a worker silent for twice as long is offline
SIGTERM = 15  # what an abort counts as: arq cancels, it sends no signal

Event = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Events:
    """The events of one worker process."""

    hostname: str
    queue: str
    software: dict[str, str]
    pid: int = field(default_factory=os.getpid)
    clock: LamportClock = field(default_factory=LamportClock)

    def received(
        self,
        uuid: str,
        *,
        name: str,
        args: str,
        kwargs: str,
        retries: int,
        eta: str | None,
        root_id: str | None,
    ) -> Event:
        """A worker has taken the task; `root_id` is its run, where it has one."""
        return self._event("task-received", uuid=uuid) | {
            "name": name,
            "args": args,
            "kwargs": kwargs,
            "root_id": root_id or uuid,
            "parent_id": root_id,
            "retries": retries,
            "eta": eta,
            "expires": None,
            "routing_key": self.queue,
        }

    def started(self, uuid: str) -> Event:
        """The task runs."""
        return self._event("task-started", uuid=uuid)

    def succeeded(self, uuid: str, *, result: str, runtime_s: float) -> Event:
        """The task has returned."""
        return self._event("task-succeeded", uuid=uuid) | {"result": result, "runtime": runtime_s}

    def failed(self, uuid: str, *, exception: str, traceback: str) -> Event:
        """The task will not run again and has no result."""
        return self._event("task-failed", uuid=uuid) | {
            "exception": exception,
            "traceback": traceback,
        }

    def retried(self, uuid: str, *, exception: str, traceback: str) -> Event:
        """The task goes back to its queue."""
        return self._event("task-retried", uuid=uuid) | {
            "exception": exception,
            "traceback": traceback,
        }

    def revoked(self, uuid: str, *, terminated: bool) -> Event:
        """The task was aborted, while it ran (`terminated`) or before."""
        return self._event("task-revoked", uuid=uuid) | {
            "terminated": terminated,
            "signum": SIGTERM if terminated else None,
            "expired": False,
        }

    def worker(self, kind: str, *, active: int, processed: int) -> Event:
        """worker-online, worker-heartbeat or worker-offline."""
        return self._event(kind) | {
            "freq": HEARTBEAT_S,
            "active": active,
            "processed": processed,
            "loadavg": [round(load, 2) for load in os.getloadavg()],
            **self.software,
        }

    def _event(self, kind: str, **fields: Any) -> Event:
        return {
            "type": kind,
            "hostname": self.hostname,
            "timestamp": time.time(),
            "pid": self.pid,
            "clock": self.clock.forward(),
            **fields,
        }


def is_sampled(uuid: str, *, share: float) -> bool:
    """Whether events tell of this task: the same answer for all its events, in every process."""
    return share >= 1 or zlib.crc32(uuid.encode()) < share * 2**32
