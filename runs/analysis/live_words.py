"""What is said of a run that has not ended: how far it is, or what it waits for and what to do."""

import math
from dataclasses import dataclass

from runs.analysis.numbers import count, number
from runs.states import RunStatus

AFTERWARDS = "Verdict and percentiles come when the run has ended."
_STEADY_LEFT_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """What is known of a run under way."""

    status: RunStatus
    queue: str
    planned: int
    sent: int
    ended: int
    failed: int
    seconds_left: float | None = None
    deadline_s: float | None = None  # until it times out
    ahead: str | None = None  # the run it waits for
    ahead_left_s: float | None = None
    ahead_abandoned: bool = False
    dispatcher_alive: bool = True
    workers: int | None = None  # None where nobody has looked yet
    cancelling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWords:
    """One sentence, one explanation, perhaps a command; `warns` where somebody should act."""

    headline: str
    because: str
    left: str = ""
    command: str = ""
    warns: bool = False


def say_live(run: Underway) -> LiveWords:
    """The words of the moment, the most urgent first."""
    if run.cancelling:
        return LiveWords(
            headline=f"Cancelling after {number(run.sent)} of {count(run.planned, 'task')}",
            because="Nothing more is sent; what waits leaves the queue.",
        )
    if run.status is RunStatus.PENDING:
        return _waiting(run)
    if run.workers == 0 and run.ended < run.sent:
        return _nobody_works(run)
    failed = f", {number(run.failed)} failed" if run.failed else ""
    return LiveWords(
        headline=f"{number(run.ended)} of {number(run.planned)} finished{failed}",
        because=AFTERWARDS,
        left="" if run.seconds_left is None else f"{roughly(run.seconds_left)} left",
    )


def roughly(seconds: float) -> str:
    """about 10 s, about 40 s, about 2 min, about 3 h: an estimate has one digit or two."""
    if seconds < _STEADY_LEFT_S:
        return f"about {max(10, math.ceil(seconds / 10) * 10) if seconds > 5 else 5} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {round(seconds / 3600)} h"


def _waiting(run: Underway) -> LiveWords:
    if run.ahead is not None:
        left = (
            "" if run.ahead_left_s is None else f" That run has {roughly(run.ahead_left_s)} left."
        )
        if run.ahead_abandoned:
            return LiveWords(
                headline=f"Waiting for {run.ahead} on {run.queue}",
                because="Nobody conducts that run: start the daemons, or cancel it.",
                command="make up",
                warns=True,
            )
        return LiveWords(
            headline=f"Waiting for {run.ahead} on {run.queue}",
            because=f"One run at a time on a queue.{left}",
        )
    if not run.dispatcher_alive:
        return LiveWords(
            headline="No dispatcher is running",
            because="Nothing has been sent. The run starts by itself once a dispatcher answers:",
            command="make up",
            warns=True,
        )
    return LiveWords(
        headline=f"{count(run.planned, 'task')} about to be sent to {run.queue}",
        because=AFTERWARDS,
    )


def _nobody_works(run: Underway) -> LiveWords:
    left = "" if run.deadline_s is None else f", {roughly(max(0.0, run.deadline_s))} left"
    waiting = run.sent - run.ended
    verb = "waits" if waiting == 1 else "wait"
    return LiveWords(
        headline=f"No worker answers{left}",
        because=f"{count(waiting, 'task')} {verb} on {run.queue}. Start a worker:",
        command=f"manage.py runworker_loadtest --queue {run.queue}",
        warns=True,
    )
