"""What did somebody type: text of a command line → numbers in this project's units.

Only the writing is judged here (`50`, `50ms`, `30s`, `2m`, `40/s`, `k=v`); whether a value is
allowed is decided where it is used, so that every face refuses the same with the same words.
"""

import math
import re
from argparse import ArgumentTypeError

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?) ?(?P<unit>/?[a-z]*)",
    re.ASCII | re.IGNORECASE,
)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def whole(text: str) -> int:
    """A whole number; `1e3`, `1_000` and `1.0` are refused."""
    if not _WHOLE.fullmatch(text.strip()):
        raise ArgumentTypeError(f"{text!r} is not a whole number such as 100")
    return int(text)


def duration_s(text: str) -> float:
    """Seconds; a bare number is seconds already."""
    return _duration_s(text, bare="s")


def delay_ms(text: str) -> float:
    """Milliseconds; a bare number is milliseconds already."""
    return round(_duration_s(text, bare="ms") * 1000, 9)


def rate_per_s(text: str) -> float:
    """Per second, from `40/s`, `40`, `2400/m` or `144000/h`."""
    number, unit = _number_and_unit(text)
    per = _SECONDS.get((unit or "/s").removeprefix("/"))
    if number is None or per is None or unit == "/ms" or (unit and not unit.startswith("/")):
        raise ArgumentTypeError(f"{text!r} is not a rate such as 40/s, 2400/m or 40")
    return number / per


def share(text: str) -> float:
    """A part of the whole, from `5%` or `0.05`."""
    number, percent = text.strip(), text.strip().endswith("%")
    try:
        value = float(number.removesuffix("%")) / (100 if percent else 1)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise ArgumentTypeError(f"{text!r} is not a share such as 5% or 0.05")
    return value


def parameter(text: str) -> tuple[str, str]:
    """A task type's own parameter: its name and its value, still as text."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ArgumentTypeError(f"{text!r} is not of the form name=value, as in duration_ms=200")
    return name.strip(), value


def _duration_s(text: str, *, bare: str) -> float:
    number, unit = _number_and_unit(text)
    factor = _SECONDS.get(unit or bare)
    if number is None or factor is None:
        raise ArgumentTypeError(
            f"{text!r} is not a length of time such as 50ms, 30s, 2m or 50 (which means 50 {bare})"
        )
    return number * factor


def _number_and_unit(text: str) -> tuple[float | None, str]:
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        return None, ""
    number = float(found["number"])
    return (number if math.isfinite(number) else None), found["unit"].lower()
