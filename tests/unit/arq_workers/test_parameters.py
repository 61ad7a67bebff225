"""A parameter is what its signature says, or it is refused in one sentence."""

import math
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.errors import InvalidParameter, InvalidTaskType
from workers.tasks.parameters import (
    Between,
    Meaning,
    Parameter,
    declared_by,
    parse_all,
    takes_seed,
)


async def sample(
    ctx: dict[Any, Any],
    *,
    count: Annotated[int, Between(1, 10, unit="rows", meaning="how many")] = 3,
    ratio: Annotated[float, Between(0, 1)] = 0.5,
    loud: Annotated[bool, Meaning("say more")] = False,
    mode: Literal["fast", "slow"] = "fast",
    label: str = "",
    seed: int = 0,
) -> None:
    """A task with a parameter of every kind."""


PARAMETERS = declared_by(sample)
COUNT, RATIO, LOUD, MODE, LABEL = PARAMETERS


def test_the_signature_declares_everything_but_context_and_seed() -> None:
    assert [p.name for p in PARAMETERS] == ["count", "ratio", "loud", "mode", "label"]
    assert (COUNT.minimum, COUNT.maximum, COUNT.unit, COUNT.meaning) == (1, 10, "rows", "how many")
    assert (LOUD.kind, LOUD.meaning) == (bool, "say more")
    assert (MODE.kind, MODE.choices) == (str, ("fast", "slow"))
    assert takes_seed(sample)


def test_a_plain_coroutine_is_a_task_too() -> None:
    async def custom(ctx: dict[Any, Any], rows=10, **rest: object) -> None:  # type: ignore[no-untyped-def]
        """Without annotations, with positional parameters and the rest."""

    (rows,) = declared_by(custom)
    assert (rows.name, rows.kind, rows.default) == ("rows", int, 10)
    assert takes_seed(custom)


@pytest.mark.parametrize(
    ("parameter", "given", "value"),
    [
        (COUNT, "7", 7),
        (COUNT, 7, 7),
        (COUNT, 7.0, 7),
        (RATIO, "1e-3", 0.001),
        (RATIO, 1, 1.0),
        (LOUD, "Yes", True),
        (LOUD, "0", False),
        (LOUD, True, True),
        (MODE, "slow", "slow"),
        (LABEL, "é", "é"),
    ],
)
def test_what_is_allowed_is_taken(parameter: Parameter, given: object, value: object) -> None:
    parsed = parameter.parse(given)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("parameter", "given"),
    [
        (COUNT, "seven"),
        (COUNT, "7.5"),
        (COUNT, 7.5),
        (COUNT, 0),
        (COUNT, 11),
        (COUNT, True),
        (COUNT, None),
        (COUNT, [7]),
        (COUNT, "1" * 400),
        (COUNT, math.nan),
        (RATIO, "nan"),
        (RATIO, "inf"),
        (RATIO, "1e999"),
        (RATIO, math.nan),
        (RATIO, True),
        (RATIO, 10**400),
        (LOUD, 1),
        (LOUD, "maybe"),
        (MODE, "medium"),
        (MODE, 1),
        (LABEL, "x" * 1_001),
        (LABEL, "\x00"),
        (LABEL, "\ud800"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(parameter: Parameter, given: object) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parameter.parse(given)
    sentence = str(refusal.value)
    assert parameter.name in sentence
    assert parameter.allowed in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 250


def test_the_sentence_names_parameter_value_and_range() -> None:
    with pytest.raises(InvalidParameter) as refusal:
        COUNT.parse("70")
    assert (
        str(refusal.value)
        == "Parameter count is '70'; a whole number from 1 to 10 rows is allowed."
    )


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none())
def test_anything_is_parsed_or_refused(given: object) -> None:
    for parameter in PARAMETERS:
        try:
            value = parameter.parse(given)
        except InvalidParameter:
            continue
        assert type(value) is parameter.kind


def test_defaults_are_filled_in() -> None:
    assert parse_all(PARAMETERS, given={"count": "4"}, of="sample") == {
        "count": 4,
        "ratio": 0.5,
        "loud": False,
        "mode": "fast",
        "label": "",
    }


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidParameter, match=r"'cuont' is unknown \(did you mean count\?\)"):
        parse_all(PARAMETERS, given={"cuont": 1}, of="sample")
    with pytest.raises(InvalidParameter, match="noop takes no parameters"):
        parse_all((), given={"x": 1}, of="noop")
    with pytest.raises(InvalidParameter, match="'seed' is unknown"):
        parse_all(PARAMETERS, given={"seed": 1}, of="sample")


async def no_context() -> None:
    """Nothing to run in."""


async def no_default(ctx: dict[Any, Any], *, rows: int) -> None:
    """Nothing to fill in."""


async def odd_kind(ctx: dict[Any, Any], *, rows: list[int] | None = None) -> None:
    """A kind that no command line can give."""


async def bad_default(ctx: dict[Any, Any], *, rows: Annotated[int, Between(1, 5)] = 9) -> None:
    """A default that it would refuse itself."""


async def positional(ctx: dict[Any, Any], *rows: int) -> None:
    """Arguments without names."""


@pytest.mark.parametrize("task", [no_context, no_default, odd_kind, bad_default, positional])
def test_a_signature_that_says_too_little_is_refused(task: Any) -> None:
    with pytest.raises(InvalidTaskType, match=task.__qualname__):
        declared_by(task)
