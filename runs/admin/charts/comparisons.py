"""Two or more groups of runs on one axis: a dot for each run, and their timelines."""

from collections.abc import Mapping, Sequence
from typing import Any

from runs.admin.charts.chart import Chart, Series, Table, zoomable
from runs.admin.charts.plot import Plot, at, text
from runs.admin.charts.scales import HEADROOM, highest, time_axis, up_from_zero
from runs.admin.charts.timelines import span_of
from runs.admin.wording import duration_s, figure
from runs.analysis.reading import amounts, part

ROW = 44
LETTERS = "ABCDEFGHIJ"


def strip_chart(
    groups: Sequence[tuple[str, Sequence[float]]],
    *,
    label: str,
    unit: str,
    predicted: float | None = None,
) -> Chart | None:
    """One row a group; A hollow, the others filled."""
    known = [(letter, [v for v in values if v is not None]) for letter, values in groups]
    known = [(letter, values) for letter, values in known if values]
    if len(known) < 2:
        return None
    peak = max(highest(values) for _, values in known)
    ticks = up_from_zero(max(peak, predicted or 0), most=6)
    rows = len(known)
    plot = Plot(x=(0, ticks[-1]), y=(0, rows), height=rows * ROW + 46, top=22)
    for line in range(rows + 1):
        plot.level(line, kind="ax" if line == 0 else "grid")
    plot.x_axis(ticks, unit=f" {unit}")
    if predicted:
        plot.upright(predicted, kind="limit")
        named = text(-8, 0, f"predicted {figure(predicted)}", anchor="end", kind="strong")
        plot.add(at(plot.px(predicted), 12, named))
    for place, (letter, values) in enumerate(known):
        middle = rows - place - 0.5
        plot.add(text(-8, plot.py(middle) + 4, letter, anchor="end", kind="strong"))
        _row(plot, values, middle=middle, kind="hollow" if place == 0 else "a", unit=unit)
    spans = "; ".join(f"{letter} {_between(values, unit)}" for letter, values in known)
    most = max(len(values) for _, values in known)
    return Chart(
        id="runs",
        title=f"{label.capitalize()} of each run",
        key=tuple(
            ("hollow" if place == 0 else "dot", f"{letter}, {len(values)} run{_s(values)}")
            for place, (letter, values) in enumerate(known)
        ),
        svg=plot.svg(f"{label.capitalize()} of each run: {spans}."),
        table=Table(
            caption=f"{label.capitalize()} of each run, {unit}",
            head=("run", *(letter for letter, _ in known)),
            rows=[
                (i + 1, *(figure(v[i], digits=4) if i < len(v) else "" for _, v in known))
                for i in range(most)
            ],
        ),
    )


def two_timelines_chart(sides: Sequence[tuple[str, Any]]) -> Chart | None:
    """Tasks finished per second of one run of each side, on one axis."""
    known = []
    for letter, document in sides:
        span = span_of(document)
        if span is not None:
            counts = amounts(part(document, "analysis", "timeline"), "finished")
            per_second = [None if v is None else v / span.interval_s for v in counts]
            known.append((letter, span, per_second))
    if len(known) != 2:
        return None
    end = max(span.end_s for _, span, _ in known)
    ticks = up_from_zero(max(highest(values) for _, _, values in known))
    plot = Plot(x=(0, end), y=(0, ticks[-1] * HEADROOM), height=196)
    axis = time_axis(end)
    plot.y_axis(ticks, unit=" /s").x_axis(axis.ticks, unit=axis.unit, scale=axis.scale)
    kinds = ("q", "a")
    for (_, span, values), kind in reversed(list(zip(known, kinds, strict=True))):
        plot.steps(values, edges=span.edges, kind=kind, fill=kind == "a")
    said = ", ".join(f"{letter} {duration_s(span.duration_s)}" for letter, span, _ in known)
    same = known[0][1].interval_s == known[1][1].interval_s
    longest = max((span for _, span, _ in known), key=lambda span: span.bins)
    padded = [
        [*values, *([None] * (longest.bins - len(values)))] if same else values
        for _, _, values in known
    ]
    return Chart(
        id="timelines",
        title="Finished per second, one run of each",
        key=tuple(
            (f"line-{kind}", f"{letter}, {duration_s(span.duration_s)}")
            for (letter, span, _), kind in zip(known, kinds, strict=True)
        ),
        svg=plot.svg(f"Tasks finished per second: {said}."),
        table=Table(
            caption="Finished per second, one run of each",
            head=("second", *(letter for letter, _, _ in known)),
            rows=[
                (
                    f"{longest.interval_s * i:g} to {longest.interval_s * (i + 1):g}",
                    *("" if v[i] is None else figure(v[i]) for v in padded),
                )
                for i in range(longest.bins)
            ]
            if same
            else [],
        ),
        live=zoomable(
            plot,
            edges=longest.edges,
            series=[
                Series(label=letter, unit="/s", values=values, kind=kind, fill=kind == "a")
                for (letter, _, _), values, kind in zip(known, padded, kinds, strict=True)
            ],
            unit="s",
            y_unit="/s",
        )
        if same
        else None,
    )


def values_of(side: Mapping[str, Any], *, name: str) -> list[float]:
    """A figure of every run of a side; a share from its counts."""
    found = []
    for run in side.get("runs") or ():
        if name == "failure_rate_percent":
            ended = (run.get("completed") or 0) + (run.get("failed") or 0)
            value = 100 * (run.get("failed") or 0) / ended if ended else None
        else:
            value = (run.get("values") or {}).get(name)
        if value is not None:
            found.append(float(value))
    return found


def _row(plot: Plot, values: Sequence[float], *, middle: float, kind: str, unit: str) -> None:
    """Dots below each other, so that equal ones are seen; the range beside them."""
    step = min(0.15, 0.7 / max(1, len(values)))
    top = middle + step * (len(values) - 1) / 2
    plot.dots([(v, top - step * place) for place, v in enumerate(values)], kind=kind)
    left = max(values) > plot.x[1] * 0.6
    anchor, edge = ("end", min(values)) if left else ("start", max(values))
    beside = text(-14 if left else 14, 0, _between(values, unit), anchor=anchor)
    plot.add(at(plot.px(edge), plot.py(middle) + 4, beside))


def _between(values: Sequence[float], unit: str) -> str:
    low, high = figure(min(values)), figure(max(values))
    return f"{low} {unit}" if low == high else f"{low}–{high} {unit}"


def _s(values: Sequence[float]) -> str:
    return "" if len(values) == 1 else "s"
