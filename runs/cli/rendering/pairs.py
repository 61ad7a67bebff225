"""Names and values of a document, one a line, in the unit that each name tells."""

from collections.abc import Iterable, Mapping
from typing import Any

from runs.cli import figures
from runs.cli.rendering.sheet import GAP, Lines, Sheet


def pairs(entries: Mapping[str, Any], *, sheet: Sheet, depth: int = 0) -> Lines:
    """Names and values, one a line, values in a column; objects within objects are indented."""
    indent = "  " * depth
    plain = [name for name, entry in entries.items() if not _is_nested(entry)]
    column = min(
        max((len(indent) + len(name) for name in plain), default=0) + GAP, sheet.width // 2
    )
    lines: Lines = []
    for name, entry in entries.items():
        if not _is_nested(entry):
            text = figures.with_unit(name, entry)
            lines += sheet.paragraph(text, label=f"{indent}{name}", hang=column)
        elif isinstance(entry, Mapping):
            lines += [
                *sheet.paragraph(f"{indent}{name}", style="dim"),
                *pairs(entry, sheet=sheet, depth=depth + 1),
            ]
        else:
            for place, item in enumerate(entry, start=1):
                lines += pairs({f"{name} {place}": item}, sheet=sheet, depth=depth)
    return lines


def _is_nested(entry: object) -> bool:
    if isinstance(entry, list):
        return any(isinstance(item, Mapping) for item in entry)
    return isinstance(entry, Mapping) and bool(entry)


def in_order(entries: Mapping[str, Any], *, first: Iterable[str]) -> dict[str, Any]:
    """The same entries, these first."""
    known = {name: entries[name] for name in first if name in entries}
    return {**known, **{name: entry for name, entry in entries.items() if name not in known}}
