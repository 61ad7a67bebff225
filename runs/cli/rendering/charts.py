"""Small charts of a report on a terminal: distributions, the timeline, slots between two polls."""

import math
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from runs.analysis.reading import Document, amount, items, number_or_none, part
from runs.cli import figures
from runs.cli.rendering.pairs import in_order
from runs.cli.rendering.sheet import Bar, Lines, Sheet

_SERIES = (
    ("sent", figures.count),
    ("finished", figures.count),
    ("failed", figures.count),
    ("backlog", figures.count),
    ("in_flight", figures.count),
    ("worker_cpu_percent", figures.percent),
    ("worker_rss_mb", figures.number),
    ("redis_cpu_percent", figures.percent),
)
_NAMES = max(len(name) for name, _ in _SERIES) + 2
_LARGEST = 16
_MOST_BINS = 16
_TIMES = ("execution_time_ms", "queue_wait_ms", "sojourn_time_ms")


def timeline_lines(document: Document, sheet: Sheet) -> Lines:
    """Each series as one line of heights, its largest value beside it."""
    timeline = part(document, "analysis", "timeline")
    room = sheet.width - _NAMES - _LARGEST
    lines: Lines = []
    for name, write in _SERIES:
        values = _numbers(items(timeline, name))
        largest = max((v for v in values if v is not None), default=None)
        if largest is None:
            continue
        chart = sheet.spark(values, width=room)
        lines.append(
            Text.assemble(
                (f"{name:<{_NAMES}}", "dim"),
                (f"{chart:<{room}}", "cyan"),
                f"  max {write(largest)}"[:_LARGEST],
            )
        )
    interval = amount(timeline, "interval_s")
    if lines and interval is not None:
        lines += sheet.paragraph(f"one point is {figures.seconds(interval)}", style="dim")
    return lines


def distribution_lines(document: Document, sheet: Sheet) -> Lines:
    """Each distribution as bars, one for each bin."""
    lines: Lines = []
    found = part(document, "analysis", "distribution")
    for name, bins in in_order(found, first=_TIMES).items():
        rows = _bin_rows(bins)
        if rows:
            lines.append(Text(name, style="dim"))
            lines += sheet.bars(rows, style="cyan")
    return lines


def poll_cycle_lines(document: Document, sheet: Sheet) -> Lines:
    """Slots in use from one poll to the next."""
    cycle = part(document, "analysis", "poll_cycle")
    values = _numbers(items(cycle, "slots_in_use"))
    if not values:
        return []
    chart = sheet.spark(values, width=sheet.width - 20)
    period, busy = (
        figures.seconds(cycle.get("period_s")),
        figures.percent(cycle.get("busy_percent")),
    )
    return [
        Text.assemble(("slots in use  ", "dim"), (chart, "cyan")),
        *sheet.paragraph(f"poll to poll {period}, slots busy {busy}", style="dim"),
    ]


def _bin_rows(bins: Any) -> list[Bar]:
    """`{"edges": […], "counts": […]}` as bars; neighbouring bins are joined until they are few."""
    edges, counts = _numbers(items(bins, "edges")), _numbers(items(bins, "counts"))
    rows = []
    step = max(1, math.ceil(len(counts) / _MOST_BINS))
    for start in range(0, min(len(counts), len(edges) - 1), step):
        end = min(start + step, len(edges) - 1)
        joined = sum(count or 0 for count in counts[start:end])
        name = f"{figures.number(edges[start])} to {figures.number(edges[end])}"
        rows.append(Bar(name=name, value=joined, shown=figures.count(joined)))
    return rows


def _numbers(values: Sequence[Any]) -> list[float | None]:
    return [number_or_none(value) for value in values]
