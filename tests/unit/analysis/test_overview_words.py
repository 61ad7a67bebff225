"""What is said of many queues, configurations and tests: one sentence, one thing to do."""

from datetime import UTC, datetime

import pytest

from runs.analysis.overview_words import (
    QueueNow,
    Standing,
    listed_changes,
    say_baselines,
    say_queues,
    say_since,
    say_tests,
)

AT = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)
WORSE = Standing(
    name="nightly cpu",
    verdict="regressed",
    change=-0.12,
    since=AT,
    value="41.2 /s",
    baseline="46.8 /s",
    changed="revision 4be1c0d → 9d2f31a",
)
SLOW = Standing(name="mails", verdict="regressed")
SAME = Standing(name="burst", verdict="unchanged")


def queue(name: str = "media", **changes: object) -> QueueNow:
    return QueueNow(**{"name": name, "reachable": True, **changes})  # type: ignore[arg-type]


def test_a_redis_that_is_away_is_all_there_is_to_say() -> None:
    said = say_queues([queue(), queue(reachable=False, because="Nobody listens.")])
    assert said.headline == "Redis does not answer: queues and workers cannot be seen."
    assert said.reason == "Nobody listens."


def test_work_that_waits_is_said_in_time_and_what_nobody_serves_is_named() -> None:
    said = say_queues(
        [
            queue("load_test", waiting=558, workers=1, served_per_s=60.0),
            queue("media", waiting=12, oldest_s=13_260.0),
        ]
    )
    assert said.headline == (
        "load_test has about 9 s of work waiting, at 60/s. media has 12 tasks and no worker."
    )
    assert said.action == "Start a worker for media"
    assert said.command == "manage.py runworker_loadtest --queue media"
    assert said.reason.startswith("The oldest task has waited")


@pytest.mark.parametrize("served", [None, 60.0])
def test_a_few_tasks_are_counted(served: float | None) -> None:
    said = say_queues([queue(waiting=3, workers=1, served_per_s=served)])
    assert said.headline == "media has 3 tasks waiting."
    assert not said.action


def test_where_nothing_waits_workers_are_counted() -> None:
    served = queue("load_test", workers=2)
    assert say_queues([served, queue()]).headline == "Nothing waits: 2 workers ready."
    assert not say_queues([served, queue()]).action
    alone = say_queues([queue()])
    assert alone.headline == "Nothing waits, and no worker answers."
    assert (alone.action, alone.reason) == ("Start a worker for media", "None answers now.")


def test_what_regressed_leads_the_baselines() -> None:
    one = say_baselines([WORSE, SAME], of={"regressed": 1, "unchanged": 7})
    assert one.headline == (
        "1 of 8 configurations is worse than it was: nightly cpu, 12 % since 19 Nov."
    )
    assert one.action == "Compare the last run of nightly cpu with the one before it changed"
    assert one.reason == "41.2 /s against 46.8 /s; revision 4be1c0d → 9d2f31a."
    two = say_baselines([SLOW, WORSE], of={"regressed": 2})
    assert two.headline.startswith("2 of 2 configurations are worse than they were: mails; nightly")
    assert (two.action, two.reason) == (
        "Compare the last run of mails with the one before",
        "",
    )


@pytest.mark.parametrize(
    ("of", "headline"),
    [
        ({}, "No run has ended yet."),
        ({"no_baseline": 3}, "No baseline yet for 3 configurations."),
        ({"unchanged": 2}, "No configuration is worse than it was."),
        ({"improved": 1}, "No configuration is worse than it was. 1 is better than before."),
        ({"improved": 2}, "No configuration is worse than it was. 2 are better than before."),
    ],
)
def test_baselines_none_of_which_is_worse(of: dict[str, int], headline: str) -> None:
    assert say_baselines([SAME], of=of).headline == headline


def test_the_dashboard_says_what_runs_and_what_got_worse() -> None:
    assert say_tests(0, waiting=0, standings=[SAME]).headline == "No test is running."
    busy = say_tests(1, waiting=1, standings=[WORSE])
    assert busy.headline == ("1 test is running, 1 waits. nightly cpu is 12 % worse since 19 Nov.")
    assert busy.action == "See since which run nightly cpu is worse"
    assert busy.reason == "41.2 /s against 46.8 /s, revision 4be1c0d → 9d2f31a."
    more = say_tests(2, waiting=3, standings=[SLOW])
    assert more.headline == "2 tests are running, 3 wait. mails is worse."


@pytest.mark.parametrize(
    ("verdict", "last", "said"),
    [
        ("improved", "improved", "better since 19 Nov"),
        ("regressed", None, "worse since 19 Nov"),
        (None, "unchanged", "different since 19 Nov"),
        ("improved", "regressed", "better from 19 Nov until the run before"),
        ("regressed", "improved", "worse from 19 Nov until the run before"),
    ],
)
def test_since_when(verdict: str | None, last: str | None, said: str) -> None:
    assert say_since(verdict, at=AT, last=last) == said


def test_changes_are_listed() -> None:
    changes = [{"field": "revision", "from": "a", "to": "b"}, {"field": "arq", "from": 1, "to": 2}]
    assert listed_changes(changes) == "revision a → b; arq 1 → 2"
