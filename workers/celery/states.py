"""Which state is a job in, in Celery's words? Names, sets and precedence are celery.states' own.

arq → Celery: deferred, queued → PENDING; picked up → RECEIVED; in progress → STARTED; asked for a
retry, or cancelled by a shutdown → RETRY; success → SUCCESS; any failure, expired and unknown
functions among them → FAILURE; aborted → REVOKED.
"""

import asyncio
from enum import StrEnum

from arq.jobs import JobStatus

REJECTED = "REJECTED"  # only in Celery's own events; arq has no such thing
IGNORED = "IGNORED"


class State(StrEnum):
    """A Celery state; comparing two compares their precedence, as `celery.states.state` does."""

    PENDING = "PENDING"
    RECEIVED = "RECEIVED"
    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    REVOKED = "REVOKED"
    RETRY = "RETRY"

    def __gt__(self, other: str) -> bool:
        return precedence(self) < precedence(other)

    def __ge__(self, other: str) -> bool:
        return precedence(self) <= precedence(other)

    def __lt__(self, other: str) -> bool:
        return precedence(self) > precedence(other)

    def __le__(self, other: str) -> bool:
        return precedence(self) >= precedence(other)


ALL_STATES = frozenset(State)
READY_STATES = frozenset({State.SUCCESS, State.FAILURE, State.REVOKED})
UNREADY_STATES = frozenset(
    {State.PENDING, State.RECEIVED, State.STARTED, REJECTED, State.RETRY},
)
EXCEPTION_STATES = frozenset({State.RETRY, State.FAILURE, State.REVOKED})
PROPAGATE_STATES = frozenset({State.FAILURE, State.REVOKED})

# strongest first; None stands for every state that Celery does not know
PRECEDENCE: tuple[str | None, ...] = (
    State.SUCCESS,
    State.FAILURE,
    None,
    State.REVOKED,
    State.STARTED,
    State.RECEIVED,
    REJECTED,
    State.RETRY,
    State.PENDING,
)
_INDEX = {name: index for index, name in enumerate(PRECEDENCE)}

# a job that is complete has its outcome as its state: see `of_outcome`
OF_JOB_STATUS: dict[JobStatus, State] = {
    JobStatus.deferred: State.PENDING,
    JobStatus.queued: State.PENDING,
    JobStatus.in_progress: State.STARTED,
    JobStatus.not_found: State.PENDING,
}


def precedence(name: str) -> int:
    """The rank of a state; the lower index is the stronger state."""
    return _INDEX.get(name, _INDEX[None])


def merged(current: State, incoming: State) -> State:
    """What a job's state is once `incoming` was heard, however late and out of order.

    A weaker state that comes late does not downgrade; RETRY is exempt both ways, because what
    follows a retry begins again (`celery.events.state.Task.event`).
    """
    if State.RETRY in {current, incoming} or incoming >= current:
        return incoming
    return current


def of_outcome(*, success: bool, error: object = None) -> State:
    """The state of a job that arq has finished: `error` is what it was finished with."""
    if success:
        return State.SUCCESS
    return State.REVOKED if isinstance(error, asyncio.CancelledError) else State.FAILURE
