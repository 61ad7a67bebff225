"""Which states may a run and a task be in, and which may follow which?

The database holds these words; the transitions are decided here and nowhere else. A run that has
ended never begins again: running it again makes a new run.
"""

from enum import StrEnum


class RunStatus(StrEnum):
    """Where a run is in its life."""

    PENDING = "pending"  # asked for; not yet claimed, or another run holds the queue
    DISPATCHING = "dispatching"  # tasks are being sent
    RUNNING = "running"  # everything is sent; results are still missing
    COMPLETED = "completed"  # every task is accounted for
    FAILED = "failed"  # the run itself could not be carried out
    CANCELLED = "cancelled"  # somebody stopped it
    TIMED_OUT = "timed_out"  # its time ran out; what was missing is counted as lost


class TaskState(StrEnum):
    """How a task ended; a task that has not ended has no row and so no state."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"  # sent, and no result by the run's timeout


TERMINAL = frozenset(
    {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMED_OUT}
)
ACTIVE = frozenset({RunStatus.DISPATCHING, RunStatus.RUNNING})  # these hold their queue

_FOLLOWERS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.PENDING: frozenset(
        {RunStatus.DISPATCHING, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMED_OUT}
    ),
    RunStatus.DISPATCHING: frozenset({RunStatus.RUNNING}) | TERMINAL,
    RunStatus.RUNNING: TERMINAL,
}


def may_become(current: RunStatus, following: RunStatus) -> bool:
    """Whether a run in state `current` may change to `following`; no state follows itself."""
    return following in _FOLLOWERS.get(current, frozenset())
