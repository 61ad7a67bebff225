"""What happened when: tasks finished per second, and backlog, slots and CPU on the same axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from runs.admin.charts.chart import Cell, Chart, Series, Table, zoomable
from runs.admin.charts.plot import Plot
from runs.admin.charts.scales import HEADROOM, highest, time_axis, up_from_zero
from runs.admin.wording import duration_s, figure, rate
from runs.analysis.reading import amount, amounts, part, words

TALL, LOW = 216, 132
LIMIT_IN_SIGHT = 2.0  # times the peak: a limit further up would flatten what was measured
TIME_GROUP = "time"
SENDING_SEEN, SENDING_NAMED = 0.02, 0.1  # of the axis: less is no line, no room for its name
LEAST_END = 0.2  # of a bin: a shorter last one looks like a collapse, and stands in the table only


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A run's time axis: bins of the timeline, how long it took, when the last task was sent."""

    interval_s: float
    duration_s: float
    bins: int
    sent_s: float | None
    steady_s: tuple[float, float] | None = None

    @property
    def edges(self) -> list[float]:
        """The bins' limits; the last bin ends with the run."""
        inner = [self.interval_s * place for place in range(self.bins)]
        return [*inner, max(self.duration_s, inner[-1] + self.interval_s * 0.05)]

    @property
    def end_s(self) -> float:
        """Where the axis ends."""
        return self.edges[-1]


def span_of(document: Any, *, sent_s: float | None = None) -> Span | None:
    """The time axis of a report; None where nothing was timed."""
    line = part(document, "analysis", "timeline")
    interval = amount(line, "interval_s")
    bins = len(amounts(line, "finished"))
    if not interval or not bins:
        return None
    duration = amount(document, "metrics", "total_duration_seconds")
    steady = amounts(line, "steady_s")
    return Span(
        interval_s=interval,
        duration_s=duration if duration is not None else interval * bins,
        bins=bins,
        sent_s=amount(line, "sending_s") or sent_s,
        steady_s=(steady[0], steady[1])  # type: ignore[arg-type]
        if len(steady) == 2 and None not in steady
        else None,
    )


def finished_chart(
    document: Any, *, sent_s: float | None = None, until_s: float | None = None
) -> Chart | None:
    """Tasks finished per second with the limit, the last send and the failures.

    `until_s`: where the axis ends while the run is not finished yet.
    """
    span = span_of(document, sent_s=sent_s)
    if span is None:
        return None
    line = part(document, "analysis", "timeline")
    per_second = [None if v is None else v / span.interval_s for v in amounts(line, "finished")]
    peak = highest(per_second)
    limit = _limit_of(document, peak=peak)
    ticks = up_from_zero(max(peak, limit[1] if limit else 0))
    end = max(span.end_s, until_s or 0)
    named = _sending_is_seen(span)
    plot = Plot(x=(0, end), y=(0, ticks[-1] * (HEADROOM if named else 1)), height=TALL)
    axis = time_axis(end)
    plot.y_axis(ticks, unit=" /s").x_axis(axis.ticks, unit=axis.unit, scale=axis.scale)
    plot.steps(_without_stub(per_second, span), edges=span.edges, kind="a")
    _mark_phases(plot, span, ended=until_s is None)
    if limit:
        of = "" if until_s is None else ", the run before"
        plot.limit(limit[1], f"limit {figure(limit[1])}, {limit[0]}{of}")
    failed = amounts(line, "failed")
    plot.crosses(_middles(span.edges, where=failed))
    count = int(sum(v or 0 for v in failed))
    label = _said(peak=peak, span=span, limit=limit, failed=count)
    return Chart(
        id="finished",
        title="Finished per second",
        svg=plot.svg(label),
        key=(("cross", f"{count} failed"),) if count else (),
        note="" if span.interval_s == 1 else f"Bins of {duration_s(span.interval_s)}.",
        table=_table(
            document,
            span=span,
            names=("sent", "finished", "failed"),
            caption="Tasks since the first send",
        ),
        live=zoomable(
            plot,
            edges=span.edges,
            series=[Series(label="finished", unit="/s", values=_rounded(per_second))],
            unit="s",
            y_unit="/s",
            group=TIME_GROUP,
        ),
    )


def resource_charts(document: Any, *, sent_s: float | None = None) -> list[Chart]:
    """Backlog, slots in use and CPU, one panel each on the axis of the first chart."""
    span = span_of(document, sent_s=sent_s)
    if span is None:
        return []
    line = part(document, "analysis", "timeline")
    slots = amount(document, "analysis", "environment", "slots")
    panels = (
        ("backlog", "Backlog, tasks waiting", (("waiting", "backlog", "a", True),), "", None),
        (
            "in-flight",
            f"Slots in use, of {figure(slots)}" if slots else "Tasks running",
            (("running", "in_flight", "a", True),),
            "",
            slots,
        ),
        (
            "cpu",
            "CPU, of one core",
            (
                ("worker", "worker_cpu_percent", "a", True),
                ("Redis", "redis_cpu_percent", "q", False),
            ),
            " %",
            None,
        ),
        (
            "memory",
            "Memory of the workers",
            (("workers", "worker_rss_mb", "a", True),),
            " MB",
            None,
        ),
    )
    drawn = (
        _panel(
            span,
            chart_id=chart_id,
            title=title,
            unit=unit,
            top=top,
            series=[
                Series(
                    label=label, unit=unit.strip(), values=amounts(line, name), kind=kind, fill=fill
                )
                for label, name, kind, fill in series
            ],
        )
        for chart_id, title, series, unit, top in panels
    )
    return [chart for chart in drawn if chart is not None]


def resources_table(document: Any) -> Table | None:
    """The figures behind all panels of `resource_charts`."""
    span = span_of(document)
    if span is None:
        return None
    names = (
        *("backlog", "in_flight", "worker_cpu_percent", "redis_cpu_percent"),
        "worker_rss_mb",
    )
    return _table(document, span=span, names=names, caption="Means since the first send")


HEADS = {
    "backlog": "waiting",
    "in_flight": "slots in use",
    "worker_cpu_percent": "worker CPU, %",
    "redis_cpu_percent": "Redis CPU, %",
    "worker_rss_mb": "memory, MB",
}


def _panel(
    span: Span,
    *,
    chart_id: str,
    title: str,
    unit: str,
    top: float | None,
    series: Sequence[Series],
) -> Chart | None:
    known = [each for each in series if any(v is not None for v in each.values)]
    if not known:
        return None
    peak = max(highest(each.values) for each in known)
    ticks = up_from_zero(max(peak, top or 0), most=2)
    plot = Plot(x=(0, span.end_s), y=(0, ticks[-1]), height=LOW, top=12)
    axis = time_axis(span.end_s)
    plot.y_axis(ticks, unit=unit).x_axis(axis.ticks, unit=axis.unit, scale=axis.scale)
    for each in known:
        plot.steps(each.values, edges=span.edges, kind=each.kind, fill=each.fill)
    if span.sent_s is not None and 0 < span.sent_s < span.end_s:
        plot.upright(span.sent_s, kind="mark", y1=2)
    highs = ", ".join(f"{each.label} up to {figure(highest(each.values))}{unit}" for each in known)
    several = len(known) > 1
    return Chart(
        id=chart_id,
        title=title,
        svg=plot.svg(f"{title}: {highs}, over {duration_s(span.duration_s)}."),
        key=tuple((f"line-{each.kind}", each.label) for each in known) if several else (),
        live=zoomable(
            plot, edges=span.edges, series=known, unit="s", y_unit=unit, group=TIME_GROUP
        ),
    )


def _without_stub(values: list[float | None], span: Span) -> list[float | None]:
    last_s = span.edges[-1] - span.edges[-2]
    is_stub = len(values) > 1 and last_s < LEAST_END * span.interval_s
    return [*values[:-1], None] if is_stub else values


def _limit_of(document: Any, *, peak: float) -> tuple[str, float] | None:
    """The ceiling that binds, where it is near enough to be drawn."""
    found = part(document, "analysis", "bottleneck")
    binding = words(found, "binding")
    for ceiling in found.get("ceilings") or ():
        height = amount(ceiling, "throughput_per_s")
        if words(ceiling, "name") == binding and height and height <= peak * LIMIT_IN_SIGHT:
            return binding, height
    return None


def _mark_phases(plot: Plot, span: Span, *, ended: bool) -> None:
    """Where sending ended and draining began, and what the steady state leaves out."""
    if span.steady_s is not None:
        for bound in span.steady_s:
            if 0 < bound < span.end_s:
                plot.upright(bound, kind="steady", y1=plot.top)
    if span.sent_s is not None and _sending_is_seen(span):
        rest = max(0.0, span.duration_s - span.sent_s)
        after = f"draining {duration_s(rest)}" if ended else "draining"
        room = span.sent_s > SENDING_NAMED * span.end_s
        plot.phases(span.sent_s, f"sending {duration_s(span.sent_s)}" if room else "", after)


def _sending_is_seen(span: Span) -> bool:
    """Whether its end stands apart from both ends of the axis."""
    sent = span.sent_s
    return sent is not None and SENDING_SEEN * span.end_s < sent < span.end_s * 0.98


def _middles(edges: Sequence[float], *, where: Sequence[float | None]) -> list[float]:
    return [
        (low + high) / 2
        for (low, high), count in zip(pairwise(edges), where, strict=False)
        if count
    ]


def _table(document: Any, *, span: Span, names: Sequence[str], caption: str) -> Table:
    line = part(document, "analysis", "timeline")
    columns = [amounts(line, name) for name in names]
    rows: list[list[Cell]] = []
    for place, (low, high) in enumerate(pairwise(span.edges)):
        cells: list[Cell] = [f"{low:g} to {high:.4g}"]
        cells += [column[place] if place < len(column) else None for column in columns]
        rows.append([int(c) if isinstance(c, float) and c.is_integer() else c for c in cells])
    return Table(
        caption=caption, head=("second", *(HEADS.get(name, name) for name in names)), rows=rows
    )


def _said(*, peak: float, span: Span, limit: tuple[str, float] | None, failed: int) -> str:
    """What the chart shows, for those who hear it."""
    parts = [f"Tasks finished per second: up to {rate(peak)} over {duration_s(span.duration_s)}"]
    if limit:
        parts.append(f"the limit is {rate(limit[1])} by {limit[0]}")
    if span.sent_s is not None:
        parts.append(f"sending ended at {duration_s(span.sent_s)}")
    if failed:
        parts.append(f"{failed} failed")
    return "; ".join(parts) + "."


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 3) for value in values]
