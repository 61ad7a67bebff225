"""What may be shown of a value? Secrets replaced by key pattern, then shortened, never raising.

Events and results leave the worker in clear, for everybody who can read that Redis: a value whose
key looks like a secret's never gets there, however deep it lies, nor does `password=…` in a text.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

HIDDEN = "[redacted]"
MAX_SHOWN = 1024  # Celery's argsrepr_maxsize
MAX_DEPTH = 6
MAX_ITEMS = 64

HIDDEN_KEYS = (
    "passw|passphrase|pwd|secret|token|api[-_]?key|authori[sz]ation|credential|cookie"
    "|private[-_]?key|session[-_]?(?:id|key)"
)

_VALUE = r"""(?:(?:bearer|basic|token)\s+)?(?:"[^"]*"|'[^']*'|[^\s,;&)}\]]+)"""
_USERINFO = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")
_PLAIN = frozenset({int, float, bool, type(None)})


class Redaction:
    """Hides what `pattern` names; a key is a secret's if the pattern is found in it."""

    def __init__(self, pattern: str = HIDDEN_KEYS) -> None:
        self._key = re.compile(pattern, re.IGNORECASE)
        self._assigned = re.compile(
            rf"""(["']?[\w.-]*(?:{pattern})[\w.-]*["']?\s*[:=]\s*){_VALUE}""", re.IGNORECASE
        )
        self._is_secret = functools.lru_cache(maxsize=4096)(
            lambda key: self._key.search(key) is not None
        )

    def text(self, text: str) -> str:
        """The text without what is assigned to a secret key, and without passwords of URLs."""
        if "://" in text:
            text = _USERINFO.sub(HIDDEN, text)
        if self._key.search(text) is None:
            return text
        return self._assigned.sub(rf"\1{HIDDEN}", text)

    def value(self, value: Any, *, depth: int = MAX_DEPTH) -> Any:
        """The value as plain containers and scalars, secrets hidden, large containers cut."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if isinstance(value, str):
            return self.text(value[: MAX_SHOWN * 4])
        if isinstance(value, Mapping):
            return self._mapping(value, depth=depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._sequence(value, depth=depth)
        return _Shown(self.text(safe_repr(value)))

    def shown(self, value: Any, *, limit: int = MAX_SHOWN) -> str:
        """The value's repr with secrets hidden, at most `limit` characters; it never raises."""
        try:
            text = repr(self.value(value))
        except Exception:  # noqa: BLE001 - a foreign container may raise anything
            text = f"<{type(value).__qualname__}>"
        return text if len(text) <= limit else text[: limit - 3] + "..."

    def _mapping(self, value: Mapping[Any, Any], *, depth: int) -> Any:
        if depth == 0:
            return _Shown("{...}")
        return {
            (key if isinstance(key, str | int) else _Shown(safe_repr(key))): (
                HIDDEN
                if isinstance(key, str) and self._is_secret(key)
                else self.value(item, depth=depth - 1)
            )
            for key, item in islice(value.items(), MAX_ITEMS)
        }

    def _sequence(self, value: Iterable[Any], *, depth: int) -> Any:
        if depth == 0:
            return _Shown("[...]")
        items = [self.value(item, depth=depth - 1) for item in islice(value, MAX_ITEMS)]
        if isinstance(value, tuple):
            return tuple(items)
        if isinstance(value, set | frozenset):
            return _Shown("{" + ", ".join(map(repr, items)) + "}" if items else "set()")
        return items


def safe_repr(value: object, *, limit: int = MAX_SHOWN) -> str:
    """The repr of anything, cut at `limit` characters."""
    try:
        return repr(value)[:limit]
    except Exception:  # noqa: BLE001 - a foreign __repr__ may raise anything
        return f"<{type(value).__qualname__}>"


class _Shown(str):
    """Text that is its own repr, as the repr of an object stands in a list's."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
