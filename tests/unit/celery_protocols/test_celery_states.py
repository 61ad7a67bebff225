"""A job's life in Celery's words."""

import asyncio

import pytest
from arq.jobs import JobStatus

from workers.celery.states import OF_JOB_STATUS, State, merged, of_outcome


@pytest.mark.parametrize(
    ("current", "late", "after"),
    [
        (State.SUCCESS, State.STARTED, State.SUCCESS),
        (State.SUCCESS, State.RECEIVED, State.SUCCESS),
        (State.SUCCESS, State.FAILURE, State.SUCCESS),
        (State.STARTED, State.RECEIVED, State.STARTED),
        (State.FAILURE, State.REVOKED, State.FAILURE),
        (State.REVOKED, State.PENDING, State.REVOKED),
        (State.PENDING, State.STARTED, State.STARTED),
        (State.STARTED, State.SUCCESS, State.SUCCESS),
        (State.STARTED, State.RETRY, State.RETRY),
        (State.RETRY, State.RECEIVED, State.RECEIVED),
    ],
)
def test_a_late_weaker_state_does_not_downgrade(current: State, late: State, after: State) -> None:
    assert merged(current, late) is after


def test_what_arq_has_finished_has_one_of_three_states() -> None:
    assert of_outcome(success=True) is State.SUCCESS
    assert of_outcome(success=False, error=asyncio.CancelledError()) is State.REVOKED
    for error in (ValueError(), TimeoutError(), "unable to serialize result", None):
        assert of_outcome(success=False, error=error) is State.FAILURE


def test_every_status_of_arq_but_complete_has_a_state() -> None:
    assert set(OF_JOB_STATUS) == set(JobStatus) - {JobStatus.complete}
    assert OF_JOB_STATUS[JobStatus.in_progress] is State.STARTED
