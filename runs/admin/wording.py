"""How a figure is written on a page: short, with its unit, never parted from it at a line's end."""

import re

from runs.analysis.numbers import number, seconds
from runs.analysis.reading import number_or_none

NONE = "–"
_CLOCK_TICK_S = 1e-9  # less than any clock tells is what rounding leaves of nothing
NO_BREAK = "\u00a0"
_UNITS = r"%|×|/s|ms|s|min|h|kB|MB|GB|KiB|MiB|GiB|tasks?|runs?|slots?|workers?|points?"
_UNIT_ENDING = re.compile(r"_(ms|s|percent|per_s|gib|mb|bytes)$")
_HYPHEN = re.compile(r"(?<![\w-])-(?=[0-9])")
_HAS_FIGURES = re.compile(r" against [0-9]")
_BEFORE_A_UNIT = re.compile(rf"(?<=[0-9]) (?=(?:{_UNITS})(?![\w]))")


def joined(sentence: object) -> str:
    """A stored sentence whose numbers keep their units, and their signs are minus signs."""
    text = "" if sentence is None else str(sentence)
    return _HYPHEN.sub("−", _BEFORE_A_UNIT.sub(NO_BREAK, text))


def tail(because: str) -> str:
    """The end of a verdict's sentence: what would have shown, or what is excluded; else nothing.

    What stands before it, the figures with their change, a page shows in places of their own.
    """
    main = because.partition("; ")[0]
    rest = main.rpartition(": ")[2] if ": " in main else ""
    return "" if _HAS_FIGURES.search(rest) else rest


def figure(value: object, *, digits: int = 3) -> str:
    """Three significant digits: 59.6, 148, 0.05, 12 000."""
    amount = number_or_none(value)
    if amount is None:
        return NONE
    text = number(amount, digits=digits) if abs(amount) < 9999.5 else number(amount)
    return text.replace(" ", NO_BREAK)


def count(value: object) -> str:
    """A whole number: 1000, 12 000."""
    amount = number_or_none(value)
    return NONE if amount is None else number(amount).replace(" ", NO_BREAK)


def rate(value: object) -> str:
    """60 /s."""
    return _with(figure(value), "/s")


def percent(value: object) -> str:
    """0.2 %, of a value that is a percentage already."""
    return _with(figure(value, digits=2 if _is_small(value) else 3), "%")


def duration_ms(value: object) -> str:
    """171 ms, 1.62 s, 25 min, of milliseconds."""
    amount = number_or_none(value)
    return duration_s(None if amount is None else amount / 1000)


def duration_s(value: object) -> str:
    """171 ms, 1.62 s, 3 h 41 min, of seconds."""
    amount = number_or_none(value)
    if amount is None:
        return NONE
    if abs(amount) < _CLOCK_TICK_S:
        return f"0{NO_BREAK}s"
    if amount >= 3600:
        hours, minutes = divmod(round(amount / 60), 60)
        rest = f" {minutes} min" if minutes else ""
        said = f"{hours} h{rest}" if hours < 48 else f"{hours // 24} d {hours % 24} h"
    else:
        said = seconds(amount)
    return said.replace(" ", NO_BREAK)


def change(ratio: object) -> str:
    """+0.1 %, of a ratio: 1.001."""
    amount = number_or_none(ratio)
    return NONE if amount is None else share(amount - 1)


def share(value: object) -> str:
    """+149 %, −12 %, 0 %, of a share of 1."""
    bound = signed(value)
    return NONE if bound == NONE else _with(bound, "%")


def signed(value: object) -> str:
    """+149, −0.4, 0.0: a share in percent, without the sign of the unit."""
    amount = number_or_none(value)
    if amount is None:
        return NONE
    text = f"{100 * amount:+.{0 if abs(amount) >= 0.0995 else 1}f}"
    return text.replace("+0.0", "0.0").replace("-0.0", "0.0").replace("-", "−")


def interval(bounds: object, *, of_ratio: bool = False) -> str:
    """−0.2 to +0.4, in percent, of two shares, or of two ratios."""
    if not isinstance(bounds, list | tuple) or len(bounds) != 2:
        return ""
    low, high = (number_or_none(bound) for bound in bounds)
    if low is None or high is None:
        return ""
    off = 1 if of_ratio else 0
    return f"{signed(low - off)} to {signed(high - off)}"


def bytes_of(value: object) -> str:
    """61 MB, 1.2 GB."""
    amount = number_or_none(value)
    if amount is None:
        return NONE
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if amount >= size:
            return _with(figure(amount / size, digits=2 if amount < 10 * size else 3), unit)
    return _with(count(amount), "B")


def by_name(name: str, value: object) -> str:
    """A figure of a report in the unit that its name ends with; anything else as it is."""
    if number_or_none(value) is None:
        return plain(value)
    for ending, write in _ENDINGS:
        if name.endswith(ending):
            return write(value)
    return figure(value)


def setting(name: str, value: object) -> str:
    """A setting as it is written in the settings: 0.05 s, 150, 3600 s."""
    if number_or_none(value) is None:
        return plain(value)
    return _with(figure(value), "s") if name.endswith("_s") else figure(value)


def name_of(name: str) -> str:
    """`p95_execution_time_ms` → p95 execution time: the value beside it has the unit."""
    return _UNIT_ENDING.sub("", name).replace("_", " ")


def plain(value: object) -> str:
    """Any value of a report: numbers short, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if number_or_none(value) is not None:
        return figure(value)
    if isinstance(value, dict):
        return ", ".join(
            f"{name_of(str(name))} {by_name(str(name), each)}" for name, each in value.items()
        )
    if isinstance(value, list | tuple):
        return ", ".join(plain(each) for each in value)
    return NONE if value is None or value == "" else str(value)


_ENDINGS = (
    ("_per_s", rate),
    ("throughput", rate),
    ("_ms", duration_ms),
    ("_seconds", duration_s),
    ("_s", duration_s),
    ("_percent", percent),
    ("_percentage", percent),
    ("_gib", lambda value: _with(figure(value), "GiB")),
    ("_bytes", bytes_of),
)


def _is_small(value: object) -> bool:
    amount = number_or_none(value)
    return amount is not None and abs(amount) < 9.95


def _with(text: str, unit: str) -> str:
    return text if text == NONE else f"{text}{NO_BREAK}{unit}"
