"""What goes to Redis in one call, and what comes back: the values of `workers.client`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

MAX_PER_CALL = 500  # why: 1000 tasks in one script block Redis for 5.7 ms


class Cursor(Enum):
    """Why a run cannot be sent any further."""

    CLOSED = -1
    MISSING = -2

    @classmethod
    def read(cls, value: bytes | None) -> "int | Cursor":
        """What Redis keeps of a run's sending: the last sequence sent, unless that is over."""
        if value is None:
            return cls.MISSING
        return cls.CLOSED if value.startswith(b"closed") else int(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive tasks of a run that are due together; `first` is 1-based, at most 500 of them."""

    test_id: str
    queue: str
    first: int
    count: int
    function: str
    kwargs: Mapping[str, Any]
    enqueued_ms: int
    expires_ms: int
    cursor_ttl_s: int

    def __post_init__(self) -> None:
        if self.first < 1 or not 1 <= self.count <= MAX_PER_CALL:
            raise ValueError(f"a batch has 1 to {MAX_PER_CALL} tasks, from sequence 1 on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Where a run and its queue stand: `head` is the id next in the queue's order, if there is one.

    `queued` counts all ids on the queue, also those in progress.
    """

    cursor: int | Cursor
    queued: int
    head: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """What stands on a queue: `queued` ids in all, also those in progress (arq leaves them there).

    `due` may start now, `deferred` later; queued = due + deferred. `running` are those in progress,
    counted among the first 500 ids: None where all of these run and more follow.
    """

    queued: int
    due: int
    deferred: int
    running: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """The Redis server; `maxmemory` 0 means no limit, CPU seconds are system and user together."""

    version: str
    kind: str
    maxmemory: int
    maxmemory_policy: str
    used_memory: int
    used_cpu_s: float
    uptime_s: float
    total_commands: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """This process's clock − Redis's clock, give or take half the round trip of the reading."""

    offset_s: float
    error_s: float
