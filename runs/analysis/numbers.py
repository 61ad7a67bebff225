"""How is a number said? With as many digits as it deserves, and always with its unit."""

import math
from collections.abc import Iterable


def rate(per_second: float) -> str:
    """Tasks per second, for a sentence: 60, 148, 8.5, 0.85."""
    return number(per_second, digits=2 if per_second < 9.95 else 0)


def number(value: float, *, digits: int = 0) -> str:
    """Rounded to whole numbers, or to so many significant digits; 10 000 and above in groups."""
    if not math.isfinite(value):
        return "unknown"
    if digits and value:
        places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        text = f"{value:.{places}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    whole = f"{round(value):,}"
    return whole.replace(",", " ") if abs(value) >= 9999.5 else whole.replace(",", "")


def seconds(value_s: float) -> str:
    """A duration: 4.2 ms, 171 ms, 1.62 s, 16.8 s, 168 s, 25 min, 3.5 h."""
    size = abs(value_s)
    if size < 0.00995:
        return f"{number(value_s * 1000, digits=2)} ms"
    if size < 0.9995:
        return f"{number(value_s * 1000)} ms"
    if size < 99.95:
        return f"{number(value_s, digits=3)} s"
    if size < 1200:
        return f"{number(value_s)} s"
    if size < 7200:
        return f"{number(value_s / 60)} min"
    return f"{number(value_s / 3600, digits=2)} h"


def poll_seconds(value_s: float) -> str:
    """A poll_delay or a part of one, in seconds as the settings have it: 0.5 s, 0.025 s."""
    return f"{number(value_s, digits=2)} s"


def percent(share: float) -> str:
    """A share of 1 as a percentage: 0.2 %, 4.8 %, 24 %, 0.03 %."""
    value = 100 * share
    if value == 0 or abs(value) >= 9.95:
        return f"{number(value)} %"
    return f"{number(value, digits=1 if abs(value) < 1 else 2)} %"


def times(factor: float) -> str:
    """A ratio: 2.5×, 1.05×, 12×."""
    if factor >= 9.95:
        return f"{number(factor)}×"
    return f"{factor:.2f}×" if abs(factor - 1) < 0.095 else f"{factor:.1f}×"


def setting_value(value: float) -> str:
    """The value of a setting as it is written in the settings: 0.05, 150, 10000."""
    return f"{value:g}" if abs(value) < 1e6 else str(round(value))


def listed(words: Iterable[str]) -> str:
    """p50, p95 and p99."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def count(n: int, noun: str) -> str:
    """1 task, 2 tasks, 10 000 tasks."""
    return f"{number(n)} {noun}{'' if n == 1 else 's'}"
