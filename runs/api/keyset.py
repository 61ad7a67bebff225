"""Pages that cost the same wherever they are: each begins behind the last row of the one before."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request

from runs.api.errors import InvalidRequest

DEFAULT_SIZE = 50
MAX_SIZE = 200
CURSOR_FORM = "[A-Za-z0-9_-]{1,200}"


def cursor_after(*position: int) -> str:
    """The cursor of the page behind the row at `position`."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def position_of(cursor: str | None, *, length: int) -> tuple[int, ...] | None:
    """The whole numbers that a cursor of ours holds, None where there is no cursor."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != length or not all(map(_is_ours, found)):
        raise InvalidRequest(
            {"cursor": "cursor is none of this list: take the next_cursor of the page before."}
        )
    return tuple(found)


def page(
    request: Request, *, rows: Sequence[dict[str, Any]], next_cursor: str | None
) -> dict[str, Any]:
    """One page and where the next one is."""
    following = None
    if next_cursor is not None:
        asked = {**request.query_params.dict(), "cursor": next_cursor}
        following = request.build_absolute_uri(f"{request.path}?{urlencode(asked)}")
    return {"results": list(rows), "next_cursor": next_cursor, "next": following}


def _is_ours(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62
