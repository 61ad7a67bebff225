"""Where in a report does something stand? Any part may be missing or null; that is no error."""

import math
from collections.abc import Mapping
from typing import Any


def value(document: Any, *path: str) -> Any:
    """Whatever stands at that place, or None."""
    for name in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(name)
    return document


def part(document: Any, *path: str) -> Mapping[str, Any]:
    """The object at that place; an empty one where there is none."""
    found = value(document, *path)
    return found if isinstance(found, Mapping) else {}


def items(document: Any, *path: str) -> list[Any]:
    """The list at that place; an empty one where there is none."""
    found = value(document, *path)
    return list(found) if isinstance(found, list | tuple) else []


def words(document: Any, *path: str) -> str:
    """The text at that place; an empty one where there is none."""
    found = value(document, *path)
    return found if isinstance(found, str) else ""


def amount(document: Any, *path: str) -> float | None:
    """The number at that place; None where there is none."""
    return number_or_none(value(document, *path))


def amounts(document: Any, *path: str) -> list[float | None]:
    """The numbers at that place, None for what is none."""
    return [number_or_none(each) for each in items(document, *path)]


def number_or_none(found: object) -> float | None:
    """A finite number, or None."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        number = float(found)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
