"""Runs to look at, and people to look at them."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def boss(db: None) -> Any:
    """A superuser's browser."""
    from people import BOSS, client_of  # why here: models exist only once Django is set up

    return client_of(BOSS)


@pytest.fixture
def viewer(db: None) -> Any:
    """The browser of staff who may only look."""
    from people import VIEWER, client_of

    return client_of(VIEWER)


@pytest.fixture
def finished(db: None) -> Callable[..., Any]:
    """A judged run: `finished(seed=1)`."""
    from factories import a_configuration
    from simulated_runs import days_ago, simulated_run

    from workers.tasks.registry import parse_parameters, task_types

    def make(**changes: Any) -> Any:
        workload = {
            name: changes.pop(name)
            for name in (
                *("task_type", "num_tasks", "target_queue", "batch_size", "delay_ms"),
                *("rate_per_s", "duration_s", "arrival"),
            )
            if name in changes
        }
        workload = {"task_type": "io_simulation", "num_tasks": 150, **workload}
        kind = task_types()[workload["task_type"]]
        configuration = a_configuration(**workload, parameters=parse_parameters(kind, {}))
        at = changes.pop("at", None) or days_ago(changes.pop("days", 1.0))
        return simulated_run(configuration, at=at, **changes)

    return make
