"""Small charts of a report on a terminal: distributions, the timeline, slots between two polls."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from runs.cli import figures
from runs.cli.rendering.reading import Document, amount, items, part
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
            Text(f"{name:<{_NAMES}}", style="dim")
            + Text(f"{chart:<{room}}", style="cyan")
            + Text(f"  max {write(largest)}"[:_LARGEST])
        )
    interval = amount(timeline, "interval_s")
    if lines and interval is not None:
        lines += sheet.paragraph(f"one point is {figures.seconds(interval)}", style="dim")
    return lines


def distribution_lines(document: Document, sheet: Sheet) -> Lines:
    """Each distribution as bars, one for each bin."""
    lines: Lines = []
    for name, bins in part(document, "analysis", "distribution").items():
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
        Text("slots in use  ", style="dim") + Text(chart, style="cyan"),
        *sheet.paragraph(f"poll to poll {period}, slots busy {busy}", style="dim"),
    ]


def _bin_rows(bins: Any) -> list[Bar]:
    """Bins as `{"edges": […], "counts": […]}` or as a list of objects; else no bars."""
    if isinstance(bins, dict):
        edges = _numbers(items(bins, "edges"))
        counts = _numbers(items(bins, "counts"))
        pairs = list(zip(edges, edges[1:], counts, strict=False))
    elif isinstance(bins, list):
        pairs = [(amount(b, "from"), amount(b, "to"), amount(b, "count")) for b in bins]
    else:
        pairs = []
    return [
        Bar(name=f"{figures.number(low)}-{figures.number(high)}", value=n, shown=figures.count(n))
        for low, high, n in pairs
        if n is not None
    ]


def _numbers(values: Sequence[Any]) -> list[float | None]:
    return [
        float(v) if isinstance(v, (int, float)) and not isinstance(v, bool) else None
        for v in values
    ]
