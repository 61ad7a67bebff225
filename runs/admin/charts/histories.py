"""A configuration's runs, one dot each, with its baseline and where it changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from runs.admin.charts.chart import Chart, Table
from runs.admin.charts.plot import Plot, short, text
from runs.admin.charts.scales import between
from runs.admin.wording import duration_ms, rate
from runs.analysis.reading import number_or_none

SPREAD = 0.05  # the grey band: what is no change
LABELS = 9
DOTS = 12


def history_chart(
    rows: Sequence[Mapping[str, Any]],
    *,
    this: str,
    baseline: float | None,
    changes: Sequence[str],
    title: str,
    unit: str,
) -> Chart | None:
    """`rows`: test_id, value, at of each run, oldest first."""
    known = [row for row in rows if number_or_none(row.get("value")) is not None]
    if len(known) < 2:
        return None
    values = [float(row["value"]) for row in known]
    low, high = min(values), max(values)
    if baseline:
        low = min(low, baseline * (1 - 1.6 * SPREAD))
        high = max(high, baseline * (1 + 1.6 * SPREAD))
    ticks = between(low, high)
    plot = Plot(x=(0.5, len(known) + 0.5), y=(ticks[0], ticks[-1]), height=176, top=14)
    if baseline:
        plot.band(baseline * (1 - SPREAD), baseline * (1 + SPREAD))
    plot.y_axis(ticks, unit=f" {unit}")
    if baseline:
        plot.level(baseline, kind="mark")
    ids = [str(row["test_id"]) for row in known]
    for name in changes:
        if name in ids:
            plot.upright(ids.index(name) + 0.5, kind="change", y1=plot.top)
    others = [(i + 1, v) for i, v in enumerate(values) if ids[i] != this]
    mine = [(i + 1, v) for i, v in enumerate(values) if ids[i] == this]
    plot.dots(others, kind="q", radius=4 if len(known) <= 30 else 2.5)
    plot.dots(mine, radius=6)
    _name_days(plot, known, this=this)
    write = rate if unit == "/s" else duration_ms
    said = f"{len(known)} runs from {write(min(values))} to {write(max(values))}"
    against = f", the baseline is {write(baseline)}" if baseline else ""
    points = f"; {len(changes)} change points" if changes else ""
    return Chart(
        id="history-chart",
        title=title,
        note=f"Grey: the baseline of {write(baseline)} ± 5 %." if baseline else "",
        svg=plot.svg(f"{title}: {said}{against}{points}."),
        table=Table(
            caption=title,
            head=("run", "at", unit),
            rows=[
                (i, str(row.get("at") or ""), row["value"])
                for i, row in zip(ids, known, strict=True)
            ],
        ),
    )


def _name_days(plot: Plot, rows: Sequence[Mapping[str, Any]], *, this: str) -> None:
    """The day where it changes, as far as there is room; this run by name."""
    step = max(1, round(len(rows) / LABELS))
    before, last = None, -step
    for place, row in enumerate(rows):
        at = parse_datetime(str(row.get("at") or ""))
        day = at.strftime("%-d %b") if at else ""
        mine = row["test_id"] == this
        room = place - last >= step and len(rows) - 1 - place >= (step if not mine else 0)
        if mine or (day != before and room):
            label = "this run" if mine else day
            kind = "strong" if mine else ""
            anchor = "end" if place == len(rows) - 1 and len(rows) > LABELS else "middle"
            plot.add(text(plot.px(place + 1), plot.floor + 17, label, anchor=anchor, kind=kind))
            before, last = day, place


def spark(
    values: Sequence[float],
    *,
    baseline: float | None,
    label: str,
    changes: Sequence[int] = (),
    last: str = "dot-a",
    width: int = 132,
    height: int = 28,
) -> SafeString:
    """A run history in a line's height; the grey band is baseline ± 5 %, so noise looks like it."""
    centre = baseline or sum(values) / len(values)
    low = min(centre * (1 - 1.6 * SPREAD), *values)
    high = max(centre * (1 + 1.6 * SPREAD), *values)
    if high <= low:
        low, high = low - 1, high + 1
    pad = 5

    def place(i: float, value: float) -> tuple[float, float]:
        across = pad + i * (width - 2 * pad) / max(1, len(values) - 1)
        return across, 3 + (high - value) / (high - low) * (height - 6)

    top, floor = place(0, centre * (1 + SPREAD))[1], place(0, centre * (1 - SPREAD))[1]
    points = [place(i, value) for i, value in enumerate(values)]
    x, y = points[-1]
    few = points[:-1] if len(values) <= DOTS else ()
    return format_html(
        '<svg class="ll-spark" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img"'
        ' aria-label="{label}"><title>{label}</title>'
        '<rect x="0" width="{w}" y="{top}" height="{deep}" class="band"/>'
        '<polyline points="{line}" class="line-q"/>{dots}{marks}'
        '<circle cx="{x}" cy="{y}" r="3.5" class="{last}"/></svg>',
        w=width,
        h=height,
        label=label,
        top=short(top),
        deep=short(floor - top),
        line=" ".join(f"{short(a)},{short(b)}" for a, b in points),
        dots=format_html_join(
            "",
            '<circle cx="{}" cy="{}" r="1.75" class="dot-q"/>',
            ((short(a), short(b)) for a, b in few),
        ),
        marks=format_html_join(
            "",
            '<line x1="{}" x2="{}" y1="0" y2="{}" class="change"/>',
            (
                (short(place(i - 0.5, low)[0]), short(place(i - 0.5, low)[0]), height)
                for i in changes
            ),
        ),
        x=short(x),
        y=short(y),
        last=last,
    )
