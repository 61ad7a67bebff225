"""Which numbers stand on an axis?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_SECONDS = (*(0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30), *(60 * n for n in (1, 2, 5, 10, 20, 30)))
_HOURS = tuple(3600.0 * n for n in (1, 2, 4, 6, 12, 24))
HEADROOM = 1.25  # above the highest tick: the names of limits and phases stand there


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Written numbers, their unit, and how many of the data's own unit one of them is."""

    ticks: tuple[float, ...]
    unit: str
    scale: float = 1


def nice_step(span: float, *, most: int) -> float:
    """The smallest of 1, 2, 2.5, 5 · 10ⁿ that divides a span into at most so many parts."""
    least = span / most
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _NICE if step * power >= least * (1 - 1e-9))


def up_from_zero(peak: float, *, most: int = 3) -> tuple[float, ...]:
    """0 and a few round numbers, the last of them at or above the peak."""
    if not peak > 0:
        return (0.0, 1.0)
    step = nice_step(peak, most=most)
    count = math.ceil(peak / step - 1e-9)
    return tuple(round(step * place, 9) for place in range(count + 1))


def between(low: float, high: float, *, most: int = 4) -> tuple[float, ...]:
    """Round numbers, the first at or below `low`, the last at or above `high`."""
    if not high > low:
        low, high = low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1
    step = nice_step(high - low, most=most)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return tuple(round(step * place, 9) for place in range(first, last + 1))


def time_axis(duration_s: float, *, most: int = 9) -> Axis:
    """Seconds, minutes or hours from 0; the last number is the duration itself."""
    step = next((s for s in (*_SECONDS, *_HOURS) if duration_s / s <= most), duration_s / most)
    unit, scale = (" h", 3600.0) if step >= 3600 else (" min", 60.0) if step >= 60 else (" s", 1.0)
    last = float(f"{duration_s / scale:.3g}")
    numbers = [step / scale * place for place in range(math.floor(duration_s / step) + 1)]
    kept = [n for n in numbers if n == 0 or last - n > 0.6 * step / scale]
    return Axis(ticks=(*(float(f"{n:.6g}") for n in kept), last), unit=unit, scale=scale)


def value_axis(low: float, high: float, *, most: int = 8) -> tuple[float, ...]:
    """Round numbers within [low, high] for a scale whose ends are given."""
    if not high > low:
        return (low,)
    step = nice_step(high - low, most=most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(step * place, 9) for place in range(first, last + 1))


def highest(*series: Sequence[float | None]) -> float:
    """The largest of all values; 0 where there is none."""
    return max((value for values in series for value in values if value is not None), default=0.0)
