"""Pages that cost the same wherever they are: each begins behind the last row of the one before."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request

DEFAULT_SIZE = 50
MAX_SIZE = 200


def cursor_form(parts: int) -> str:
    """What a cursor of so many whole numbers looks like; callers should not care."""
    return "-".join(["[0-9]{1,18}"] * parts)


def cursor_after(*position: int) -> str:
    """The cursor of the page behind the row at `position`."""
    return "-".join(map(str, position))


def position_of(cursor: str) -> tuple[int, ...]:
    """The whole numbers in a cursor of the right form."""
    return tuple(map(int, cursor.split("-")))


def page(
    request: Request, *, rows: Sequence[dict[str, Any]], next_cursor: str | None
) -> dict[str, Any]:
    """One page and where the next one is."""
    following = None
    if next_cursor is not None:
        asked = {**request.query_params.dict(), "cursor": next_cursor}
        following = request.build_absolute_uri(f"{request.path}?{urlencode(asked)}")
    return {"results": list(rows), "next_cursor": next_cursor, "next": following}
