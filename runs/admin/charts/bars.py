"""Ceilings as bars: from 0, the binding one in the accent's colour, cut where one is far off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from runs.admin.charts.plot import short
from runs.admin.wording import by_name, figure
from runs.analysis.reading import amount, items, part, value, words

SHOWN = 5  # times the binding ceiling: what is above it is cut
_LIFTS = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One ceiling as the table shows it."""

    name: str
    per_s: float
    bar: SafeString
    binding: bool
    lift: str
    formula: str
    inputs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """All ceilings, and where the bars are cut."""

    rows: Sequence[Row]
    cut: str


def ceilings_of(bottleneck: Any) -> Ceilings | None:
    """The table of `analysis.bottleneck`."""
    found = [
        (words(each, "name"), height, each)
        for each in items(bottleneck, "ceilings")
        if (height := amount(each, "throughput_per_s")) is not None
    ]
    if not found:
        return None
    binding = words(bottleneck, "binding")
    top = _top([height for _, height, _ in found])
    change = part(bottleneck, _LIFTS)
    return Ceilings(
        cut=figure(top),
        rows=[
            Row(
                name=name,
                per_s=height,
                bar=bar(height, top=top, kind="limit" if name == binding else "q"),
                binding=name == binding,
                lift=_lift(change) if words(change, "setting") == name else "",
                formula=words(each, "formula"),
                inputs=_inputs(each),
            )
            for name, height, each in found
        ],
    )


def bar(height: float, *, top: float, kind: str) -> SafeString:
    """One bar; two strokes say that it is longer than it is drawn."""
    width = short(100 * min(1.0, height / top)) if top > 0 else "0"
    cut = (
        format_html('<svg x="94%" overflow="visible"><path d="{}" class="cut"/></svg>', _STROKES)
        if height > top
        else ""
    )
    return format_html(
        '<svg class="ll-bar" width="100%" height="14" aria-hidden="true">'
        '<rect width="{}%" height="14" rx="1" class="bar-{}"/>{}</svg>',
        *(width, kind, cut),
    )


_STROKES = "M0 14 5 0M5 14 10 0"


def _top(heights: Sequence[float]) -> float:
    """Where bars end: at the highest, or at five times the lowest."""
    return min(max(heights), SHOWN * min(heights)) or 1.0


def _lift(change: Any) -> str:
    return f"{figure(change.get('from'))} → {figure(change.get('to'))}"


def _inputs(ceiling: Any) -> str:
    """`30 slots, d 0.5 s`: each input by name with its unit."""
    said = []
    for name, each in part(ceiling, "inputs").items():
        unit = words(each, "unit")
        if unit == "s":
            said.append(f"{name} {by_name('_s', value(each, 'value'))}")
        elif isinstance(each, dict):
            said.append(f"{name} {figure(value(each, 'value'))}")
        else:
            said.append(f"{name} {by_name(name, each)}")
    return ", ".join(said)
