"""What can be done with runs: each deed with its permission, its question and its use case.

One list serves the actions of the run list and the buttons of the run page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from runs.admin import permissions
from runs.again import run_again
from runs.baselines import pin, unpin
from runs.errors import LoadLabError
from runs.evaluate import evaluate_again
from runs.models import LoadTestRun
from runs.start import cancel_run
from workers.errors import WorkersError

Carry = Callable[[str, Any], Sequence[LoadTestRun]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing to be done with a run. `logged`: what stands in the log of the run."""

    name: str
    label: str
    permission: str
    question: str
    consequence: str
    logged: str
    carry_out: Carry
    starts: bool = False  # whether what comes back are new runs
    danger: bool = False


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of it, run by run."""

    done: list[LoadTestRun] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def carry_out(deed: Deed, *, test_ids: Sequence[str], user: Any) -> Outcome:
    """Do it for each run in the order of the ids; one that is refused does not stop the others."""
    outcome = Outcome()
    for test_id in sorted(test_ids):
        try:
            outcome.done.extend(deed.carry_out(test_id, user))
        except (LoadLabError, WorkersError) as error:
            outcome.refused.append(str(error))
    return outcome


def _cancel(test_id: str, _: Any) -> Sequence[LoadTestRun]:
    return [cancel_run(test_id=test_id)]


def _pin(test_id: str, _: Any) -> Sequence[LoadTestRun]:
    return [pin(test_id=test_id)]


def _unpin(test_id: str, _: Any) -> Sequence[LoadTestRun]:
    return [unpin(test_id=test_id)]


def _run_again(test_id: str, user: Any) -> Sequence[LoadTestRun]:
    return run_again([test_id], requested_by=user)


def _judge_again(test_id: str, _: Any) -> Sequence[LoadTestRun]:
    evaluate_again([test_id])
    return [LoadTestRun.objects.named(test_id)]


RUN_AGAIN = Deed(
    name="run_again",
    label="Run again",
    permission=permissions.LAUNCH,
    question="Run this again?",
    consequence="The same load is sent once more, as a new run that compares with this one.",
    logged="Launched again.",
    carry_out=_run_again,
    starts=True,
)
PIN = Deed(
    name="pin",
    label="Pin as baseline",
    permission=permissions.PIN,
    question="Pin this as the baseline?",
    consequence="Later runs of its configuration are judged against it, not against the history.",
    logged="Pinned as the baseline of its configuration.",
    carry_out=_pin,
)
UNPIN = Deed(
    name="unpin",
    label="Unpin",
    permission=permissions.PIN,
    question="Unpin this run?",
    consequence="Later runs of its configuration are judged against the history again.",
    logged="Unpinned.",
    carry_out=_unpin,
)
CANCEL = Deed(
    name="cancel",
    label="Cancel",
    permission=permissions.CANCEL,
    question="Cancel this run?",
    consequence="Nothing more is sent, and what still waits leaves the queue.",
    logged="Cancelled.",
    carry_out=_cancel,
    danger=True,
)
JUDGE = Deed(
    name="judge",
    label="Judge again",
    permission=permissions.JUDGE,
    question="Judge this run again?",
    consequence="Its report is made anew from its tasks, with the history and the laws of today.",
    logged="Judged again.",
    carry_out=_judge_again,
)
DEEDS = {deed.name: deed for deed in (RUN_AGAIN, PIN, UNPIN, CANCEL, JUDGE)}
