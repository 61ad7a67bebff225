"""A few weeks in the life of a team, for pictures and for tests that look at every page.

`python tests/acceptance/browser/demo_data.py` fills the database that the environment names, and
prints as JSON which run is which. The runs are simulated and judged by the product itself: faster,
slower, unsure, cancelled, lost.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
PASSWORD = "correct horse battery"
BOSS, VIEWER = "ana", "vera"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run that is going to have been; `shows`: what somebody may want to see it for."""

    configuration: Any
    at: datetime
    how: dict[str, Any]
    shows: str = ""


def configuration(name: str = "", **content: Any) -> Any:
    """A workload, named."""
    from runs.models import LoadTestConfiguration
    from runs.spec import Spec, validate, workload_of

    found = LoadTestConfiguration.objects.holding(**workload_of(validate(Spec(**content))))
    if name:
        found.name = name
        found.save(update_fields=["name"])
    return found


def fill() -> dict[str, str]:
    """Everybody and everything, in one transaction: a commit for every step would take a minute.

    Runs happen in the order of their times, as they do in life. Returns the test ids of those
    worth a look, by what they show.
    """
    from django.db import transaction
    from simulated_runs import simulated_run

    from runs.baselines import pin

    found = {"before": "lg_a0b1c2d3e4f5", "after": "lg_b0b1c2d3e4f5"}
    with transaction.atomic():
        people = everybody()
        stories = (release_burst, nightly_cpu, checkout_mails, queue_itself, unsure, trial)
        planned = [each for story in (*stories, sad_ends) for each in story(people)]
        for each in sorted(planned, key=lambda plan: plan.at):
            run = simulated_run(each.configuration, at=each.at, **each.how)
            if each.shows:
                found[each.shows] = run.test_id
            if each.shows == "pinned":
                pin(test_id=run.test_id)
    return found


def everybody() -> dict[str, Any]:
    """One who may do everything, one who may look, one who only runs things at night."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Permission

    users = get_user_model().objects
    boss = users.create_superuser(BOSS, password=PASSWORD)
    viewer = users.create_user(VIEWER, password=PASSWORD, is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_loadtestrun"))
    return {
        BOSS: boss,
        VIEWER: viewer,
        "nightly": users.create_user("nightly", password=None),
        "tom": users.create_user("tom", password=None, is_staff=True),
    }


def release_burst(people: dict[str, Any]) -> Iterator[Plan]:
    """Nine runs that do not differ; the last one has two failures and held its thresholds."""
    from simulated_runs import days_ago

    burst = configuration("release burst", num_tasks=1000, batch_size=20, delay_ms=50.0)
    for turn in range(9):
        last = turn == 8
        how = {
            "seed": turn,
            "failing": (212, 655) if last else (),
            "requested_by": people[BOSS if turn in {0, 8} else "nightly"],
            "thresholds": ["p95_execution_time_ms<500", "overall_throughput>=20"] if last else [],
        }
        yield Plan(
            configuration=burst,
            at=days_ago(8 - turn, hour=0, minute=5 + turn),
            how=how,
            shows="finished" if last else "",
        )


def nightly_cpu(people: dict[str, Any]) -> Iterator[Plan]:
    """Faster since a fortnight, and slower since last night's deployment."""
    from simulated_runs import Machine, days_ago

    nightly = configuration(
        "nightly cpu", task_type="cpu_intensive", num_tasks=120, target_queue="system"
    )
    for turn in range(22):
        last = turn == 21
        median = 39.5 if turn < 8 else 42.0 if last else 36.0
        machine = Machine(
            slots=2,
            poll_delay_s=0.02,
            median_ms=median * (1 + 0.004 * (turn * 7 % 5 - 2)),
            p95_ms=1.25 * median,
            revision="9d2f31a" if last else "4be1c0d",
        )
        yield Plan(
            configuration=nightly,
            at=days_ago(21 - turn, hour=0, minute=4),
            how={"machine": machine, "seed": turn, "requested_by": people["nightly"]},
            shows="regressed" if last else "",
        )


def checkout_mails(people: dict[str, Any]) -> Iterator[Plan]:
    """A rate that the queue keeps up with; sooner since the last night."""
    from simulated_runs import Machine, days_ago

    mails = configuration("checkout e-mails", rate_per_s=40.0, duration_s=15.0)
    for turn in range(8):
        last = turn == 7
        machine = Machine(
            poll_delay_s=0.1,
            median_ms=150.0 if last else 182.0,
            p95_ms=205.0 if last else 252.0,
        )
        yield Plan(
            configuration=mails,
            at=days_ago(7 - turn, hour=0, minute=2),
            how={"machine": machine, "seed": turn, "requested_by": people["nightly"]},
            shows="keeping_up" if last else "",
        )
    once = configuration(rate_per_s=25.0, duration_s=12.0, arrival="poisson")
    yield Plan(
        configuration=once,
        at=days_ago(2, hour=15),
        how={"requested_by": people["tom"]},
        shows="alone",
    )


def queue_itself(people: dict[str, Any]) -> Iterator[Plan]:
    """What a task that does nothing costs; one run is pinned."""
    from simulated_runs import Machine, days_ago

    itself = configuration("queue itself", task_type="noop", num_tasks=1500)
    machine = Machine(slots=150, median_ms=10.0, p95_ms=10.5)
    for turn in range(12):
        yield Plan(
            configuration=itself,
            at=days_ago(11 - turn, hour=0, minute=1),
            how={"machine": machine, "seed": turn, "requested_by": people["nightly"]},
            shows="pinned" if turn == 8 else "",
        )


def unsure(people: dict[str, Any]) -> Iterator[Plan]:
    """Runs that vary too much to tell; and a type that fails on purpose."""
    from simulated_runs import Machine, days_ago

    memory = configuration(task_type="memory_operations", num_tasks=200)
    for turn, median in enumerate((80.0, 88.0, 78.0, 86.0, 83.0)):
        machine = Machine(slots=4, poll_delay_s=0.02, median_ms=median, p95_ms=median * 1.4)
        yield Plan(
            configuration=memory,
            at=days_ago(5 - turn, hour=11),
            how={"machine": machine, "seed": turn, "requested_by": people["tom"]},
            shows="inconclusive" if turn == 4 else "",
        )
    failing = configuration(task_type="failure_testing", num_tasks=300)
    machine = Machine(median_ms=40.0, p95_ms=60.0)
    for turn in range(4):
        those = range(5 + turn % 2, 300, 10)
        yield Plan(
            configuration=failing,
            at=days_ago(5 - turn, hour=13),
            how={
                "machine": machine,
                "seed": turn,
                "failing": those,
                "requested_by": people["tom"],
            },
            shows="failures" if turn == 3 else "",
        )


def trial(people: dict[str, Any]) -> Iterator[Plan]:
    """A change and its proof: A B B A A B B A A B."""
    from simulated_runs import Machine, days_ago

    tried = configuration(num_tasks=600, batch_size=20, delay_ms=50.0)
    start = days_ago(2, hour=10)
    for turn, letter in enumerate("ABBAABBAAB"):
        how = {
            "machine": Machine(poll_delay_s=0.5 if letter == "A" else 0.05),
            "seed": turn,
            "group_id": f"lg_{'a' if letter == 'A' else 'b'}0b1c2d3e4f5",
            "label": f"try {letter}",
            "requested_by": people[BOSS],
        }
        yield Plan(configuration=tried, at=start + timedelta(seconds=30 * turn), how=how)


def sad_ends(people: dict[str, Any]) -> Iterator[Plan]:
    """Cancelled, timed out, failed."""
    from simulated_runs import days_ago

    from runs.states import RunStatus

    for hour, status, came_back in (
        (14, RunStatus.CANCELLED, 180),
        (15, RunStatus.TIMED_OUT, 260),
        (16, RunStatus.FAILED, 0),
    ):
        yield Plan(
            configuration=configuration(num_tasks=400, target_queue="media"),
            at=days_ago(3, hour=hour),
            how={"status": status, "came_back": came_back, "requested_by": people[BOSS]},
            shows=status.value,
        )


if __name__ == "__main__":
    sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "tests")]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loadlab.settings")
    import django

    django.setup()
    sys.stdout.write(json.dumps(fill()))
