"""Ceilings on a terminal: bars, the binding one marked, where each comes from, the best change."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from runs.analysis.limit_words import LEGEND
from runs.analysis.reading import Document, amount, items, part, words
from runs.cli import figures
from runs.cli.rendering.pairs import in_order, pairs
from runs.cli.rendering.sheet import GAP, Bar, Lines, Sheet

_CUT_AT = 6  # times the lowest ceiling: beyond it a bar only says "far away"
_CHANGE = ("setting", "from", "to", "predicted_throughput_per_s", "gain_percent", "limited_by")


def ceiling_lines(bottleneck: Document, *, sheet: Sheet) -> Lines:
    """Every ceiling, and below them the formula and the inputs of each."""
    ceilings = items(bottleneck, "ceilings")
    lowest = amount(next(iter(ceilings), {}), "throughput_per_s")
    lines = bar_lines(
        ceilings, bottleneck=bottleneck, sheet=sheet, full=lowest and _CUT_AT * lowest
    )
    hang = max((len(words(each, "name")) for each in ceilings), default=0) + GAP
    for ceiling in ceilings:
        derived = (words(ceiling, "formula"), _inputs(part(ceiling, "inputs")))
        text = "; ".join(piece for piece in derived if piece)
        lines += sheet.paragraph(text, label=words(ceiling, "name"), hang=hang) if text else []
    if any("E[" in words(ceiling, "formula") for ceiling in ceilings):
        lines += sheet.paragraph(sheet.glyphs.fit(LEGEND), label="where", hang=hang, style="dim")
    return lines


def bar_lines(
    ceilings: list[Any], *, bottleneck: Document, sheet: Sheet, full: float | None = None
) -> Lines:
    """These ceilings as bars under their unit."""
    if not ceilings:
        return []
    binding = words(bottleneck, "binding")
    bars = [_bar(ceiling, binding=binding, sheet=sheet) for ceiling in ceilings]
    return [Text("ceilings, tasks/s", style="dim"), *sheet.bars(bars, style="cyan", full=full)]


def change_lines(change: Document, *, sheet: Sheet) -> Lines:
    """The one change that lifts throughput most."""
    return pairs({"change": in_order(change, first=_CHANGE)}, sheet=sheet) if change else []


def _bar(ceiling: Any, *, binding: str, sheet: Sheet) -> Bar:
    name = words(ceiling, "name")
    throughput = amount(ceiling, "throughput_per_s")
    mark = f"{sheet.glyphs.left} limit" if name == binding else ""
    return Bar(name=name, value=throughput, shown=figures.number(throughput), mark=mark)


def _inputs(inputs: Document) -> str:
    return ", ".join(f"{name} {_input(entry)}" for name, entry in inputs.items())


def _input(entry: Any) -> str:
    """`0.5 s (heartbeat)` of `{"value", "unit", "source"}`."""
    if not isinstance(entry, Mapping):
        return figures.plain(entry)
    text = f"{figures.plain(entry.get('value'))} {words(entry, 'unit')}".rstrip()
    return f"{text} ({words(entry, 'source')})" if words(entry, "source") else text
