"""One panel of a chart: its scales, and what may be drawn on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Point = tuple[float, float]
ACROSS = 1000  # the stretched drawing's own units, both ways


def short(value: float) -> str:
    """At most two decimals: a hundredth of a pixel is not to be seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def text(
    x: str | float, y: float, words: str, *, anchor: str = "start", kind: str = ""
) -> SafeString:
    """Words at a place; `x` a number of pixels or a share of the width."""
    return format_html(
        '<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>',
        x if isinstance(x, str) else short(x),
        short(y),
        anchor,
        kind,
        words,
    )


def at(x: str, y: float, inner: SafeString) -> SafeString:
    """Something in pixels around a point whose x is a share of the width."""
    return format_html('<svg x="{}" y="{}" overflow="visible">{}</svg>', x, short(y), inner)


@dataclass(slots=True, kw_only=True)
class Plot:
    """A y scale in pixels and an x scale in per cent; everything drawn is kept in order."""

    x: tuple[float, float]
    y: tuple[float, float]
    height: int = 180
    top: int = 26
    bottom: int = 24
    parts: list[SafeString] = field(default_factory=list)

    @property
    def floor(self) -> int:
        """Where the x axis lies."""
        return self.height - self.bottom

    def px(self, value: float) -> str:
        """A value on the x axis as a share of the width."""
        low, high = self.x
        return f"{short(100 * (value - low) / (high - low))}%"

    def py(self, value: float) -> float:
        """A value on the y axis in pixels from the top."""
        low, high = self.y
        return self.floor - (value - low) / (high - low) * (self.floor - self.top)

    def add(self, *drawn: SafeString) -> "Plot":
        """Draw on top of what there is."""
        self.parts.extend(drawn)
        return self

    def level(self, value: float, *, kind: str) -> "Plot":
        """A line across at a value."""
        y = short(self.py(value))
        return self.add(
            format_html('<line x1="0" x2="100%" y1="{}" y2="{}" class="{}"/>', y, y, kind)
        )

    def upright(self, value: float, *, kind: str, y1: float = 6) -> "Plot":
        """A line down to the axis at a value."""
        return self.add(
            format_html(
                '<line x1="{}" x2="{}" y1="{}" y2="{}" class="{}"/>',
                *(self.px(value), self.px(value), short(y1), self.floor, kind),
            )
        )

    def y_axis(self, ticks: Sequence[float], *, unit: str = "") -> "Plot":
        """Grid and numbers; the unit stands on the last."""
        for place, tick in enumerate(ticks):
            label = f"{tick:g}{unit if place == len(ticks) - 1 else ''}"
            self.level(tick, kind="ax" if tick == self.y[0] else "grid")
            self.add(text(-8, self.py(tick) + 4, label, anchor="end"))
        return self

    def x_axis(self, ticks: Sequence[float], *, unit: str = "", scale: float = 1) -> "Plot":
        """Numbers below; every second one goes where the page is narrow.

        `scale`: what a written number is multiplied by to be a value, 60 for minutes of seconds.
        """
        spare = {*range(1, len(ticks) - 1, 2)} | (
            {len(ticks) - 2} if len(ticks) % 2 == 0 else set()
        )
        low, high = self.x
        for place, tick in enumerate(ticks):
            value = tick * scale
            ends = value >= high - (high - low) * 0.02
            anchor = "end" if ends else "start" if value == low else "middle"
            label = f"{tick:g}{unit if place == len(ticks) - 1 else ''}"
            kind = "spare" if place in spare else ""
            self.add(text(self.px(value), self.floor + 17, label, anchor=anchor, kind=kind))
        return self

    def steps(
        self,
        values: Sequence[float | None],
        *,
        edges: Sequence[float],
        kind: str,
        fill: bool = True,
    ) -> "Plot":
        """Counts per bin: a stepped line over a tint; a bin without a value leaves a gap."""
        for first, last in runs_of(values):
            points = [(edges[i], values[i] or 0.0) for i in range(first, last)]
            points.append((edges[last], values[last - 1] or 0.0))
            self._drawn(points, stepped=True, kind=kind, fill=fill)
        return self

    def curve(self, points: Sequence[Point], *, kind: str = "a", fill: bool = True) -> "Plot":
        """A line through points, over a tint."""
        return self._drawn(points, stepped=False, kind=kind, fill=fill)

    def limit(self, value: float, label: str) -> "Plot":
        """A dashed line, named on it."""
        self.level(value, kind="limit")
        return self.add(text("100%", self.py(value) - 7, label, anchor="end", kind="strong"))

    def band(self, low: float, high: float) -> "Plot":
        """A grey band across, within the panel."""
        top, floor = (min(max(self.py(v), self.top), self.floor) for v in (high, low))
        height = short(floor - top)
        return self.add(
            format_html(
                '<rect x="0" width="100%" y="{}" height="{}" class="band"/>', short(top), height
            )
        )

    def phases(self, value: float, before: str, after: str) -> "Plot":
        """A hairline with a name on either side, above the panel."""
        self.upright(value, kind="mark", y1=2)
        named = format_html("{}{}", text(-7, 12, before, anchor="end"), text(7, 12, after))
        return self.add(at(self.px(value), 0, named))

    def mark(self, value: float, label: str, *, anchor: str = "start", row: int = 0) -> "Plot":
        """A hairline with its name at the top."""
        self.upright(value, kind="mark", y1=6 + 15 * row)
        shift = 5 if anchor == "start" else -5
        named = text(shift, 14 + 15 * row, label, anchor=anchor, kind="strong")
        return self.add(at(self.px(value), 0, named))

    def crosses(self, values: Iterable[float]) -> "Plot":
        """× on the axis."""
        cross = format_html('<path d="M-4-4 4 4M-4 4 4-4" class="{}"/>', "cross")
        return self.add(*(at(self.px(value), self.floor - 7, cross) for value in values))

    def dots(self, points: Iterable[Point], *, kind: str = "a", radius: float = 4) -> "Plot":
        """A dot for each point."""
        return self.add(
            *(
                format_html(
                    '<circle cx="{}" cy="{}" r="{}" class="dot-{}"/>',
                    *(self.px(x), short(self.py(y)), short(radius), kind),
                )
                for x, y in points
            )
        )

    def svg(self, label: str) -> SafeString:
        """The drawing; `label` states what it shows."""
        return format_html(
            '<svg class="ll-svg" width="100%" height="{}" role="img" aria-label="{}">{}</svg>',
            self.height,
            label,
            format_html_join("", "{}", ((part,) for part in self.parts)),
        )

    def _drawn(self, points: Sequence[Point], *, stepped: bool, kind: str, fill: bool) -> "Plot":
        line = self._path(points, stepped=stepped)
        start = short(self._across(points[0][0]))
        tint = _path_of(f"{line}V{ACROSS}H{start}Z", kind=f"fill-{kind}") if fill else ""
        return self.add(
            format_html(
                '<svg x="0" y="{}" width="100%" height="{}" viewBox="0 0 {} {}"'
                ' preserveAspectRatio="none">{}{}</svg>',
                *(self.top, self.floor - self.top, ACROSS, ACROSS),
                tint,
                _path_of(line, kind=f"line-{kind}"),
            )
        )

    def _path(self, points: Sequence[Point], *, stepped: bool) -> str:
        places = [(short(self._across(x)), short(self._down(y))) for x, y in points]
        first, *rest = places
        drawn = [f"H{x}V{y}" if stepped else f"L{x} {y}" for x, y in rest]
        return f"M{first[0]} {first[1]}{''.join(drawn)}"

    def _across(self, value: float) -> float:
        return ACROSS * (value - self.x[0]) / (self.x[1] - self.x[0])

    def _down(self, value: float) -> float:
        return ACROSS * (1 - (value - self.y[0]) / (self.y[1] - self.y[0]))


def runs_of(values: Sequence[float | None]) -> Iterable[tuple[int, int]]:
    """Where values stand without a gap: [first, last) each."""
    first: int | None = None
    for place, value in enumerate([*values, None]):
        if value is not None and first is None:
            first = place
        elif value is None and first is not None:
            yield first, place
            first = None


def _path_of(drawn: str, *, kind: str) -> SafeString:
    return format_html('<path d="{}" class="{}" vector-effect="non-scaling-stroke"/>', drawn, kind)
