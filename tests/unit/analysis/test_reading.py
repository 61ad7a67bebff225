"""A document is read wherever it has gaps; what is no number, text or list is none."""

from typing import Any

import pytest

from runs.analysis.reading import amount, amounts, items, part, value, words

DOCUMENT: dict[str, Any] = {
    "metrics": {"sent": 3, "rate": 1.5},
    "notes": ["one", "two"],
    "headline": "59 tasks/s",
    "nothing": None,
    "mixed": [1, None, "2", float("nan"), True],
}


@pytest.mark.parametrize("path", [("absent",), ("nothing", "deeper"), ("headline", "deeper")])
def test_what_is_not_there_is_empty(path: tuple[str, ...]) -> None:
    assert value(DOCUMENT, *path) is None
    assert part(DOCUMENT, *path) == {}
    assert items(DOCUMENT, *path) == amounts(DOCUMENT, *path) == []
    assert words(DOCUMENT, *path) == ""
    assert amount(DOCUMENT, *path) is None


def test_what_is_there_is_given_as_what_it_is() -> None:
    assert part(DOCUMENT, "metrics") == {"sent": 3, "rate": 1.5}
    assert items(DOCUMENT, "notes") == ["one", "two"]
    assert words(DOCUMENT, "headline") == "59 tasks/s"
    assert amount(DOCUMENT, "metrics", "sent") == 3.0
    assert amounts(DOCUMENT, "mixed") == [1.0, None, None, None, None]


@pytest.mark.parametrize(
    "absurd", [True, "5", None, float("inf"), float("-inf"), float("nan"), 1e300, 10**400]
)
def test_what_cannot_be_reckoned_with_is_no_number(absurd: object) -> None:
    assert amount({"figure": absurd}, "figure") is None
