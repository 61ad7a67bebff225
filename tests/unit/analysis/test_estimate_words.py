"""What is said of a run before it is sent."""

from dataclasses import replace

import pytest

from runs.analysis.estimate_words import EstimateWords, Outlook, not_yet, say_estimate

BURST = Outlook(
    task_type="io_simulation",
    queue="load_test",
    tasks=1000,
    slots=30,
    workers=1,
    last_offset_s=0.0,
    task_time_s=0.17,
    capacity_per_s=60.0,
    limited_by="poll_delay",
)


def said(**changes: object) -> EstimateWords:
    return say_estimate(replace(BURST, **changes))  # type: ignore[arg-type]


def test_how_long_a_burst_takes_and_why() -> None:
    words = said()
    assert words.sentence == (
        "1000 tasks of about 170 ms on 30 slots: 17 s, at most 60/s, limited by poll_delay."
    )
    assert words.seconds == pytest.approx(1000 / 60)
    assert words.warnings == ()


def test_repeats_are_said() -> None:
    assert said(repeat=5).sentence.endswith("17 s, 5 times, at most 60/s, limited by poll_delay.")


def test_tasks_that_do_nothing_take_no_time_worth_saying() -> None:
    assert said(task_time_s=0.0).sentence.startswith("1000 tasks on 30 slots: 17 s, at most")


def test_batches_that_the_queue_keeps_up_with_last_as_long_as_sending() -> None:
    words = said(last_offset_s=50.0)
    assert words.seconds == 50.0
    assert words.sentence.endswith("50 s, 20/s are sent of 60/s that it can take.")
    assert "at most 60/s, limited by" in said(last_offset_s=2.5).sentence


def test_what_never_ran_is_not_known() -> None:
    unknown = said(task_time_s=None, capacity_per_s=None)
    assert unknown.seconds is None
    assert unknown.sentence == (
        "1000 tasks on 30 slots: how long that takes is known once io_simulation has run."
    )
    paced = said(rate_per_s=40.0, last_offset_s=25.0, task_time_s=None, capacity_per_s=None)
    assert "whether the queue keeps up is known once" in paced.sentence
    assert paced.seconds == 25.0


@pytest.mark.parametrize(
    ("rate", "ending"),
    [(20.0, "it should keep up."), (58.0, "waits grow long."), (80.0, "it cannot keep up.")],
)
def test_whether_a_rate_fits(rate: float, ending: str) -> None:
    words = said(rate_per_s=rate, last_offset_s=10.0, tasks=int(10 * rate))
    assert words.sentence.startswith(f"{rate:.0f}/s is ")
    assert words.sentence.endswith(ending)
    assert dict(words.facts)["answers with"].startswith("sojourn")


def test_a_timeout_that_comes_first_is_a_warning() -> None:
    [warning] = said(timeout_s=10.0).warnings
    assert warning == (
        "It would take 16.7 s, and what has no result 10 s after the last task was sent counts as"
        " lost."
    )


def test_what_would_keep_it_waiting() -> None:
    assert said(redis_because="Redis is away.").warnings == ("Redis is away.",)
    assert "No worker answers on load_test" in said(workers=0).warnings[0]
    idle = said(dispatcher_alive=False)
    assert "No dispatcher is running" in idle.warnings[0]
    assert dict(idle.facts)["starts"] == "once a dispatcher is running"
    assert dict(said(ahead="lt_1").facts)["starts"] == "after lt_1 on load_test"
    assert dict(said().facts)["starts"] == "at once, nothing runs on load_test"


def test_with_what_it_is_compared() -> None:
    assert dict(said().facts)["compared with"].startswith("nothing: the first run")
    assert dict(said(earlier_runs=1).facts)["compared with"] == "1 run: no baseline yet"
    eight = said(earlier_runs=8, earlier_per_s=59.6)
    assert dict(eight.facts)["compared with"] == "the last 8 runs, 60 /s"
    unrated = said(earlier_runs=8)
    assert dict(unrated.facts)["compared with"] == "the last 8 runs"


def test_the_memory_it_needs() -> None:
    assert dict(said(memory_bytes=500_000).facts)["Redis memory"] == "0.5 MB"
    roomy = said(memory_bytes=500_000, memory_free_bytes=64_000_000)
    assert dict(roomy.facts)["Redis memory"] == "0.5 MB of 64 MB free"


def test_of_what_cannot_be_asked_for_nothing_is_expected() -> None:
    words = not_yet(["num_tasks is 0: it must be a whole number from 1 to 1000000"])
    assert words.sentence.startswith("No estimate yet: num_tasks is 0")
    assert (words.seconds, words.facts, words.warnings) == (None, (), ())
    assert not_yet([]).sentence == "No estimate yet: a field is missing."
