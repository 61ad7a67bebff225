"""Filters and tags of our pages: figures with their units, verdicts, dates."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from runs.admin import wording
from runs.admin.charts.chart import Table
from runs.analysis.live_words import roughly
from runs.analysis.reading import number_or_none

register = template.Library()

MARKS = {
    "improved": "↑",
    "unchanged": "=",
    "regressed": "↓",
    "inconclusive": "?",
    "incomparable": "≠",
    "no_baseline": "·",
}

for _name in ("figure", "count", "rate", "percent", "duration_ms", "duration_s", "plain"):
    register.filter(_name, getattr(wording, _name))
for _name in ("name_of", "change", "share", "signed", "interval", "bytes_of"):
    register.filter(_name, getattr(wording, _name))


@register.filter(is_safe=True)
def joined(sentence: object) -> SafeString:
    """A stored sentence: escaped, figures with their units, what stands in `…` as code."""
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", part) if place % 2 else part,)
            for place, part in enumerate(wording.joined(sentence).split("`"))
        ),
    )


@register.simple_tag
def rows_of(table: Table) -> SafeString:
    """The rows of a chart's table.

    why here and not by a loop of the template: a long run has thousands of cells, and a template
    takes ten times as long for each.
    """
    rows = (
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{'' if cell is None else escape(cell)}</td>" for cell in rest)
        + "</tr>\n"
        for first, *rest in table.rows
    )
    return mark_safe("".join(rows))  # noqa: S308 - every cell is escaped above


@register.filter
def breakable(name: object) -> SafeString:
    """A long name that may break behind each `_`."""
    parts = str(name).split("_")
    return format_html_join(mark_safe("_<wbr>"), "{}", ((part,) for part in parts))


@register.filter
def approximately(seconds: object) -> str:
    """~2 min"""
    known = number_or_none(seconds)
    return (
        "" if known is None else f"~{roughly(known).removeprefix('about ')}".replace(" ", "\u00a0")
    )


@register.filter
def by_name(value: object, name: str) -> str:
    """A figure in the unit that its name ends with."""
    return wording.by_name(name, value)


@register.filter
def ratio_interval(bounds: object) -> str:
    """−0.2 to +0.4, of two ratios."""
    return wording.interval(bounds, of_ratio=True)


@register.filter
def get(mapping: object, name: str) -> Any:
    """What stands under a name; None where nothing does."""
    return mapping.get(name) if isinstance(mapping, Mapping) else None


@register.filter
def words_of(name: object) -> str:
    """`timed_out` → timed out."""
    return str(name or "").replace("_", " ")


@register.filter
def short_id(test_id: object) -> str:
    """…7f3a9c of lt_20261123T094501_7f3a9c."""
    return f"…{str(test_id)[-6:]}"


@register.simple_tag
def verdict(name: str | None, *, chip: bool = False, says: str = "") -> SafeString:
    """Sign and word, never the colour alone; a chip where it leads the page."""
    if not name:
        return SafeString("")
    return format_html(
        '<span class="ll-verdict{}" data-verdict="{}"><span aria-hidden="true">{}</span> {}</span>',
        " is-chip" if chip else "",
        name,
        MARKS.get(name, "·"),
        says or words_of(name),
    )


@register.simple_tag
def when(
    moment: datetime | str | None, *, short: bool = False, zone: str = "\u00a0UTC"
) -> SafeString:
    """23 Nov 09:45 UTC; `short`: the time alone where it was today."""
    at = parse_datetime(moment) if isinstance(moment, str) else moment
    if at is None:
        return SafeString("")
    day = f"{at.day}\u00a0{at:%b}"
    if at.year != timezone.now().year:
        day = f"{day}\u00a0{at.year}"
    if short:
        said = f"{at:%H:%M}" if at.date() == timezone.now().date() else day
    else:
        said = f"{day} {at:%H:%M}{zone}"
    return format_html('<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), said)


@register.simple_tag
def data_of(document: object) -> SafeString:
    """A document for our script, harmless inside an element: `<`, `>` and `&` are written \\u….

    why not json_script: its element needs an id, and a page holds several charts.
    """
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return mark_safe(text)  # noqa: S308 - what could end the element has just been taken out
