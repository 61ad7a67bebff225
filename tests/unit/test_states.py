"""A run's life: what may follow what."""

from itertools import pairwise

import pytest

from runs.states import ACTIVE, TERMINAL, RunStatus, TaskState, may_become

ORDER = [RunStatus.PENDING, RunStatus.DISPATCHING, RunStatus.RUNNING, RunStatus.COMPLETED]


def test_the_straight_way_is_open() -> None:
    assert all(may_become(a, b) for a, b in pairwise(ORDER))


def test_no_way_leads_back_and_no_state_follows_itself() -> None:
    assert not any(may_become(b, a) for i, a in enumerate(ORDER) for b in ORDER[i:])


@pytest.mark.parametrize("ended", sorted(TERMINAL))
def test_what_has_ended_stays_ended(ended: RunStatus) -> None:
    assert not any(may_become(ended, status) for status in RunStatus)


@pytest.mark.parametrize("status", [RunStatus.PENDING, *sorted(ACTIVE)])
def test_every_living_run_can_be_stopped_or_fail(status: RunStatus) -> None:
    assert may_become(status, RunStatus.CANCELLED)
    assert may_become(status, RunStatus.FAILED)
    assert may_become(status, RunStatus.TIMED_OUT)


def test_a_run_waits_is_active_or_has_ended() -> None:
    assert set(RunStatus) == {RunStatus.PENDING} | ACTIVE | TERMINAL
    assert not ACTIVE & TERMINAL


def test_published_words() -> None:
    assert [*RunStatus] == [
        "pending",
        "dispatching",
        "running",
        "completed",
        "failed",
        "cancelled",
        "timed_out",
    ]
    assert [*TaskState] == ["completed", "failed", "cancelled", "lost"]
