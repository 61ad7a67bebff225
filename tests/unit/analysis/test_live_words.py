"""What is said of a run that has not ended."""

from typing import Any

import pytest

from runs.analysis.live_words import AFTERWARDS, LiveWords, Underway, roughly, say_live
from runs.states import RunStatus


def said(**changed: Any) -> LiveWords:
    usual: dict[str, Any] = {
        "status": RunStatus.RUNNING,
        "queue": "load_test",
        "planned": 1000,
        "sent": 1000,
        "ended": 412,
        "failed": 0,
        "workers": 1,
    }
    return say_live(Underway(**(usual | changed)))


def pending(**changed: Any) -> LiveWords:
    return said(status=RunStatus.PENDING, sent=0, ended=0, workers=None, **changed)


def test_how_far_it_is() -> None:
    words = said(failed=2, seconds_left=9.6)
    assert words.headline == "412 of 1000 finished, 2 failed"
    assert words.left == "about 10 s left"
    assert words.because == AFTERWARDS
    assert said().headline == "412 of 1000 finished"
    assert said().left == ""


def test_a_run_that_is_being_cancelled() -> None:
    assert said(cancelling=True).headline == "Cancelling after 1000 of 1000 tasks"


def test_nobody_works() -> None:
    words = said(workers=0, deadline_s=25.0)
    assert words.headline == "No worker answers, about 30 s left"
    assert words.because == "588 tasks wait on load_test. Start a worker:"
    assert words.command == "manage.py runworker_loadtest --queue load_test"
    assert words.warns
    assert said(workers=0, ended=999).because.startswith("1 task waits on ")
    assert said(workers=0, ended=999).headline == "No worker answers"
    assert said(workers=0, deadline_s=-3.0).headline == "No worker answers, about 5 s left"
    assert not said(workers=0, ended=1000).warns  # what was sent has ended: nobody is missed


def test_it_waits_for_another_run() -> None:
    words = pending(ahead="lt_91", ahead_left_s=40.0)
    assert words.headline == "Waiting for lt_91 on load_test"
    assert words.because == "One run at a time on a queue. That run has about 40 s left."
    assert pending(ahead="lt_91").because == "One run at a time on a queue."
    abandoned = pending(ahead="lt_91", ahead_abandoned=True)
    assert abandoned.because.startswith("Nobody conducts that run")
    assert (abandoned.command, abandoned.warns) == ("make up", True)


def test_it_waits_for_a_dispatcher() -> None:
    words = pending(dispatcher_alive=False)
    assert words.headline == "No dispatcher is running"
    assert (words.command, words.warns) == ("make up", True)
    assert pending().headline == "1000 tasks about to be sent to load_test"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "about 5 s"),
        (5.1, "about 10 s"),
        (31.0, "about 40 s"),
        (90.0, "about 2 min"),
        (5399.0, "about 90 min"),
        (7200.0, "about 2 h"),
    ],
)
def test_an_estimate_has_one_digit_or_two(seconds: float, text: str) -> None:
    assert roughly(seconds) == text
