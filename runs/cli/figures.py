"""How is a number written for people: with its unit, no false precision, `n/a` for none."""

import math

NONE = "n/a"
_GROUP_FROM = 10_000
_EXACT_BELOW = 1e15
_DUST = 1e-12  # what floating point leaves of a difference of equals


def count(value: object) -> str:
    """`998`, `12 000`: groups of three from five digits on."""
    number = _finite(value)
    if number is None:
        return NONE
    if abs(number) >= _EXACT_BELOW:
        return f"{number:.3g}"
    whole = f"{number:,.0f}".replace(",", " ")
    return whole if abs(number) >= _GROUP_FROM else whole.replace(" ", "")


def counted(value: float, noun: str) -> str:
    """`1 run`, `12 runs`."""
    return f"{count(value)} {noun}{'' if value == 1 else 's'}"


def number(value: object, digits: int = 3) -> str:
    """Three significant digits without an exponent: `0.0123`, `2.49`, `148`, `12 000`."""
    amount = _finite(value)
    if amount is None:
        return NONE
    if abs(amount) < _DUST:
        return "0"
    if abs(amount) < 1e-6:
        return f"{amount:.1e}"
    places = digits - 1 - math.floor(math.log10(abs(amount)))
    if places <= 0:
        return count(amount)
    text = f"{amount:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate(value: object) -> str:
    """`60/s`."""
    amount = _finite(value)
    return NONE if amount is None else f"{number(amount)}/s"


def percent(value: object) -> str:
    """`0.2 %`, of a value that is a percentage already."""
    amount = _finite(value)
    return NONE if amount is None else f"{number(amount)} %"


def milliseconds(value: object) -> str:
    """`171 ms`, and in seconds or minutes where those are read more easily."""
    amount = _finite(value)
    if amount is None:
        return NONE
    if abs(amount) < 10_000:
        return f"{number(amount)} ms"
    return seconds(amount / 1000)


def seconds(value: object) -> str:
    """`0.25 s`, `16.8 s`, `2 min 5 s`, `1 h 2 min`."""
    amount = _finite(value)
    if amount is None:
        return NONE
    if abs(amount) < 100:
        return f"{number(amount)} s"
    whole = round(abs(amount))
    sign = "-" if amount < 0 else ""
    if whole < 3600:
        return f"{sign}{_two(whole, 60, ('min', 's'))}"
    return f"{sign}{_two(round(whole / 60), 60, ('h', 'min'))}"


def roughly(seconds_long: float) -> str:
    """`about 40 s`, `about 2 min`: an estimate has one or two digits."""
    if seconds_long < 90:
        return f"about {math.ceil(seconds_long / 10) * 10 if seconds_long > 10 else 10} s"
    return f"about {seconds(round(seconds_long / 60) * 60)}"


def size(value: object) -> str:
    """`64 MiB`, `7.6 GiB`, of a value in bytes."""
    amount = _finite(value)
    if amount is None:
        return NONE
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if abs(amount) >= size:
            return f"{number(amount / size)} {unit}"
    return f"{count(amount)} B"


def plain(value: object) -> str:
    """Any value of a report that has no unit of its own: numbers short, the rest as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return count(value) if isinstance(value, int) else number(value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(item)}" for name, item in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value) or "none"
    return NONE if value is None else str(value)


def with_unit(name: str, value: object) -> str:
    """A figure of a report in the unit that its name ends with (`…_ms`, `…_percent`, `…_per_s`)."""
    for ending, write in _BY_ENDING:
        if name.endswith(ending):
            return write(value) if _finite(value) is not None else plain(value)
    return plain(value)


_BY_ENDING = (
    ("_per_s", rate),
    ("throughput", rate),
    ("_ms", milliseconds),
    ("_seconds", seconds),
    ("_s", seconds),
    ("_percent", percent),
    ("_percentage", percent),
    ("_bytes", size),
)


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        amount = float(value)
    except OverflowError:
        return None
    return amount if math.isfinite(amount) else None


def _two(whole: int, size: int, units: tuple[str, str]) -> str:
    large, small = divmod(whole, size)
    return f"{large} {units[0]} {small} {units[1]}" if small else f"{large} {units[0]}"
