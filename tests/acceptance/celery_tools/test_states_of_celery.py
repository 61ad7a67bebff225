"""Our states are Celery's: the same names, sets and order, asked of the real package."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import venvs

from workers.celery import states
from workers.celery.states import State

ASK = """
import itertools, json
from celery import states
names = [*states.ALL_STATES, states.REJECTED, states.IGNORED, "PROGRESS"]
sets = ("ALL_STATES", "READY_STATES", "UNREADY_STATES", "EXCEPTION_STATES", "PROPAGATE_STATES")
print(json.dumps({
    "sets": {name: sorted(getattr(states, name)) for name in sets},
    "precedence": {name: states.precedence(name) for name in names},
    "order": {f"{a} {b}": [states.state(a) > b, states.state(a) >= b,
                           states.state(a) < b, states.state(a) <= b]
              for a, b in itertools.product(sorted(states.ALL_STATES), names)},
}))
"""


@pytest.fixture(scope="module", params=[venvs.FLOWER_2_0, venvs.FLOWER_2_2])
def celerys(request: pytest.FixtureRequest) -> Any:
    python: Path = venvs.ensure(request.param) / "python"
    done = subprocess.run([python, "-c", ASK], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_sets_are_equal(celerys: Any) -> None:
    for name, members in celerys["sets"].items():
        assert sorted(map(str, getattr(states, name))) == members, name
    assert sorted(State) == sorted(celerys["sets"]["ALL_STATES"], key=states.precedence)[::-1]


def test_precedence_and_order_are_equal(celerys: Any) -> None:
    for name, rank in celerys["precedence"].items():
        assert states.precedence(name) == rank, name
    others = [*State, states.REJECTED, states.IGNORED, "PROGRESS"]
    for ours, other in itertools.product(State, others):
        found = [ours > other, ours >= other, ours < other, ours <= other]
        assert found == celerys["order"][f"{ours} {other}"], (ours, other)
