"""Slots in use from one poll to the next: the picture behind the advice on poll_delay."""

from typing import Any

from django.utils.html import format_html

from runs.admin.charts.chart import Chart, Table
from runs.admin.charts.plot import Plot, text
from runs.admin.charts.scales import up_from_zero, value_axis
from runs.admin.wording import duration_s, figure, joined, percent
from runs.analysis.reading import amount, amounts, words

ROWS = 10


def poll_chart(document: Any) -> Chart | None:
    """One cycle, the same size for any run."""
    values = [v or 0.0 for v in amounts(document, "analysis", "poll_cycle", "slots_in_use")]
    period = amount(document, "analysis", "poll_cycle", "period_s")
    busy = amount(document, "analysis", "poll_cycle", "busy_percent")
    if not values or not period or busy is None:
        return None
    slots = amount(document, "analysis", "environment", "slots") or max(values)
    top = max(slots, *values) or 1.0
    ticks = [tick for tick in up_from_zero(top, most=2) if tick <= top]
    period_ms = period * 1000
    plot = Plot(x=(0, period_ms), y=(0, top), height=176, top=12)
    plot.add(
        format_html(
            '<svg x="0" y="12" width="100%" height="{}"><rect width="100%" height="100%"'
            ' class="idle"/></svg>',
            plot.floor - plot.top,
        )
    )
    plot.y_axis(ticks).x_axis(value_axis(0, period_ms, most=5), unit=" ms")
    step = period_ms / len(values)
    points = [(step * place, v) for place, v in enumerate(values)]
    plot.curve([*points, (period_ms, values[-1])])
    idle = 100 - busy
    if idle >= 25:
        plot.add(text("66%", 62, f"idle {round(idle)} %", anchor="middle", kind="big"))
    plot.add(text("14%", 128, f"busy {round(busy)} %", anchor="middle", kind="big"))
    return Chart(
        id="poll",
        title="Slots in use between two polls",
        note=joined(words(document, "gists", "poll_cycle")),
        svg=plot.svg(
            f"Slots in use from one poll to the next, {duration_s(period)} apart: "
            f"busy {percent(busy)}, idle {percent(idle)}, at most {figure(max(values))}."
        ),
        table=Table(
            caption="Slots in use, mean of all polls",
            head=("since the poll, ms", "slots in use"),
            rows=[(round(at, 1), round(v, 1)) for at, v in points[:: max(1, len(points) // ROWS)]],
        ),
    )
