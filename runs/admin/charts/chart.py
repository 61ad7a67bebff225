"""What a page needs of a chart: drawing, words, the table behind it, the data to zoom into."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString

from runs.admin.charts.plot import Plot

Cell = str | float | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The figures behind a chart, for those who cannot see it and for copying."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line that can be zoomed into; `kind` is its colour in the stylesheet."""

    label: str
    unit: str
    values: Sequence[float | None]
    kind: str = "a"
    fill: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A finished chart; `live` is None where there is nothing to zoom into."""

    id: str
    title: str
    svg: SafeString
    table: Table | None = None
    note: str = ""
    key: Sequence[tuple[str, str]] = ()
    live: dict[str, Any] | None = field(default=None)


def zoomable(
    plot: Plot,
    *,
    edges: Sequence[float],
    series: Sequence[Series],
    unit: str,
    y_unit: str,
    group: str = "",
) -> dict[str, Any]:
    """What the script needs to lay a cursor and a zoom over the drawing.

    `group`: charts of one group share cursor and zoom.
    """
    return {
        "group": group,
        "edges": list(edges),
        "unit": unit.strip(),
        "yUnit": y_unit.strip(),
        "x": list(plot.x),
        "y": list(plot.y),
        "height": plot.height,
        "top": plot.top,
        "bottom": plot.bottom,
        "series": [
            {
                "label": each.label,
                "unit": each.unit,
                "kind": each.kind,
                "fill": each.fill,
                "values": list(each.values),
            }
            for each in series
        ],
    }
