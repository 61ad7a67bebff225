"""How long tasks took: bins of a duration with its percentiles, of one run or of two groups."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from runs.admin.charts.chart import Chart, Series, Table, zoomable
from runs.admin.charts.plot import Plot
from runs.admin.charts.scales import highest, up_from_zero, value_axis
from runs.admin.wording import count, duration_ms, figure
from runs.analysis.reading import amount, amounts

PERCENTILES = ("p50", "p95", "p99")
CLOSE = 0.14  # of the width: marks nearer than that stand on rows of their own


def distribution_chart(document: Any, *, name: str, title: str, note: str = "") -> Chart | None:
    """Tasks by one duration; `name` is that of the report: `execution_time_ms`.

    The report's last bin holds all stragglers, so it is drawn as wide as the others.
    """
    edges = [
        v for v in amounts(document, "analysis", "distribution", name, "edges") if v is not None
    ]
    counts = amounts(document, "analysis", "distribution", name, "counts")
    if len(edges) < 2 or len(counts) != len(edges) - 1:
        return None
    width = edges[1] - edges[0] if len(edges) > 2 else edges[-1] - edges[0]
    drawn = [*edges[:-1], min(edges[-1], edges[-2] + max(width, 1e-9))]
    ticks = up_from_zero(highest(counts))
    plot = Plot(x=(drawn[0], drawn[-1]), y=(0, ticks[-1]), height=216, top=40)
    axis = value_axis(drawn[0], drawn[-1])
    in_seconds = drawn[-1] >= 10_000
    scale = 1000 if in_seconds else 1
    plot.y_axis(ticks)
    plot.x_axis([tick / scale for tick in axis], unit=" s" if in_seconds else " ms", scale=scale)
    plot.steps(counts, edges=drawn, kind="a")
    marks = _marks(document, name=name)
    _draw_marks(plot, marks)
    n = sum(int(v or 0) for v in counts)
    wide = f"bins of {duration_ms(width)}"
    over = f", the last one up to {duration_ms(edges[-1])}" if edges[-1] > drawn[-1] * 1.001 else ""
    said = ", ".join(f"{label} {duration_ms(value)}" for label, value in marks)
    return Chart(
        id=name.replace("_", "-"),
        title=title,
        note=f"n {count(n)}, {wide}{over}. {note}".strip(),
        svg=plot.svg(f"{title}: {count(n)} tasks from {duration_ms(edges[0])}; {said}."),
        table=Table(
            caption=f"{title}, n {count(n)}",
            head=("ms", "tasks"),
            rows=[
                (f"{low:g} to {high:g}", int(v or 0))
                for (low, high), v in zip(pairwise(edges), counts, strict=True)
            ],
        ),
        live=zoomable(
            plot,
            edges=drawn,
            series=[Series(label="tasks", unit="", values=counts)],
            unit="ms",
            y_unit="",
        ),
    )


def _marks(document: Any, *, name: str) -> list[tuple[str, float]]:
    found = ((p, amount(document, "analysis", "task_metrics", f"{p}_{name}")) for p in PERCENTILES)
    return [(label, value) for label, value in found if value is not None]


def _draw_marks(plot: Plot, marks: Sequence[tuple[str, float]]) -> None:
    """Percentiles as hairlines; one that would cover its neighbour's name goes a row down."""
    low, high = plot.x
    row, before = 0, None
    for label, value in marks:
        at = min(value, high)
        place = (at - low) / (high - low)
        row = row + 1 if before is not None and place - before < CLOSE else 0
        before = place
        anchor = "end" if place > 0.8 else "start"
        plot.mark(at, f"{label} {duration_ms(value)}", anchor=anchor, row=min(row, 2))


def two_distributions_chart(sides: Sequence[tuple[str, Any]], *, name: str) -> Chart | None:
    """Two runs' distributions on one scale, in tasks per 1000, since their n may differ."""
    binned = [(label, _joined(document, name=name)) for label, document in sides]
    known = [(label, bins) for label, bins in binned if bins]
    if len(known) != 2:
        return None
    width = max(bins[1] - bins[0] for _, (bins, _) in known)
    low = min(bins[0] for _, (bins, _) in known)
    high = max(bins[-1] for _, (bins, _) in known)
    size = max(1, round((high - low) / width))
    edges = [low + width * place for place in range(size + 1)]
    series = [(label, _rebinned(bins, counts, edges=edges)) for label, (bins, counts) in known]
    ticks = up_from_zero(max(highest(values) for _, values in series))
    plot = Plot(x=(edges[0], edges[-1]), y=(0, ticks[-1]), height=196, top=12)
    plot.y_axis(ticks).x_axis(value_axis(edges[0], edges[-1]), unit=" ms")
    kinds = ("q", "a")
    for (_, values), kind in reversed(list(zip(series, kinds, strict=True))):
        plot.steps(values, edges=edges, kind=kind, fill=kind == "a")
    totals = ", ".join(f"{label} n {count(sum(counts))}" for label, (_, counts) in known)
    return Chart(
        id="distributions",
        title="Tasks by run time",
        note=f"Per 1000 tasks; {totals}.",
        key=tuple((f"line-{kind}", label) for (label, _), kind in zip(series, kinds, strict=True)),
        svg=plot.svg(f"Two histograms of task run time on one scale; {totals}."),
        table=Table(
            caption="Tasks by run time, per 1000",
            head=("ms", *(label for label, _ in series)),
            rows=[
                (f"{edges[i]:g} to {edges[i + 1]:g}", *(figure(v[i]) for _, v in series))
                for i in range(size)
            ],
        ),
        live=zoomable(
            plot,
            edges=edges,
            series=[
                Series(label=label, unit="per 1000", values=values, kind=kind, fill=kind == "a")
                for (label, values), kind in zip(series, kinds, strict=True)
            ],
            unit="ms",
            y_unit="",
        ),
    )


def _joined(document: Any, *, name: str) -> tuple[list[float], list[float]] | None:
    """Edges and counts; the stragglers' bin as wide as the others."""
    edges = [
        v for v in amounts(document, "analysis", "distribution", name, "edges") if v is not None
    ]
    counts = [v or 0.0 for v in amounts(document, "analysis", "distribution", name, "counts")]
    if len(edges) < 3 or len(counts) != len(edges) - 1:
        return None
    return [*edges[:-1], edges[-2] + edges[1] - edges[0]], counts


def _rebinned(
    bins: Sequence[float], counts: Sequence[float], *, edges: Sequence[float]
) -> list[float]:
    """Counts per 1000 in other bins: each old bin's tasks spread evenly over it."""
    total = sum(counts) or 1.0
    out = [0.0] * (len(edges) - 1)
    for (low, high), n in zip(pairwise(bins), counts, strict=True):
        for place, (left, right) in enumerate(pairwise(edges)):
            covered = min(high, right) - max(low, left)
            if covered > 0:
                out[place] += 1000 * n / total * covered / (high - low)
    return [round(value, 2) for value in out]
