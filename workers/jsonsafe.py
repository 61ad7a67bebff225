"""What does PostgreSQL's JSONB take, whatever the value was? Bounded, finite, clean text.

One NUL, lone surrogate or NaN in one value would fail a whole COPY.
"""

import math
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

MAX_DEPTH = 8
MAX_KEYS = 64
MAX_ITEMS = 256
MAX_TEXT = 4_000
MAX_KEY_TEXT = 200

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PLAIN = frozenset({type(None), bool, int, float, str, list})
_REPLACEMENT = "\ufffd"
_CUT = "…"


def text(value: str, *, limit: int = MAX_TEXT) -> str:
    """The text with NUL and lone surrogates replaced by U+FFFD, cut at `limit` characters."""
    if value.isprintable() and len(value) <= limit:  # no NUL and no surrogate is printable
        return value
    cleaned = _UNSTORABLE.sub(_REPLACEMENT, value[: limit + 1])
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + _CUT


def sanitise(value: Any, *, depth: int = MAX_DEPTH) -> Any:
    """The value as JSON can hold it; what it cannot hold becomes text, NaN and infinities None."""
    # why dict first: asking an abstract class costs a microsecond per value
    if isinstance(value, dict) or (type(value) not in _PLAIN and isinstance(value, Mapping)):
        return _mapping(value, depth=depth)
    if isinstance(value, list | tuple | set | frozenset):
        return _sequence(value, depth=depth)
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        # why float(): a subclass, numpy's say, is not what JSON encoders know
        return float(value) if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return _described(value)


def _integer(value: int) -> int | float | None:
    if -(2**63) <= value < 2**63:
        return int(value)
    # why a float: beyond 64 bits msgpack and numpy end; the magnitude is what a metric means
    try:
        return float(value)
    except OverflowError:
        return None


def _mapping(value: Mapping[Any, Any], *, depth: int) -> Any:
    if depth == 0:
        return _CUT
    return {
        text(key if isinstance(key, str) else _described(key), limit=MAX_KEY_TEXT): sanitise(
            item, depth=depth - 1
        )
        for key, item in islice(value.items(), MAX_KEYS)
    }


def _sequence(value: Iterable[Any], *, depth: int) -> Any:
    if depth == 0:
        return _CUT
    return [sanitise(item, depth=depth - 1) for item in islice(value, MAX_ITEMS)]


def _described(value: Any) -> str:
    try:
        return text(str(value), limit=MAX_KEY_TEXT)
    except Exception:  # noqa: BLE001  # why: a foreign __str__ may raise anything
        return f"<{type(value).__qualname__}>"
