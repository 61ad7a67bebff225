"""Where in a report does something stand? Any part may be missing or null; that is no error."""

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

_ABSURD = 1e100  # no figure of ours is as large, whatever unit it is in


def value(document: Any, *path: str) -> Any:
    """Whatever stands at that place, or None."""
    for name in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(name)
    return document


def part(document: Any, *path: str) -> dict[str, Any]:
    """The object at that place; an empty one where there is none."""
    found = value(document, *path)
    return dict(found) if isinstance(found, Mapping) else {}


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
    """A number that can be reckoned with; None for any other, such as NaN or 1e300."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if abs(found) < _ABSURD else None
