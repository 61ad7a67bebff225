"""Groups of runs beside each other: what changed, every figure with its interval and verdict."""

from rich.text import Text

from runs.analysis.reading import Document, amount, items, part, value, words
from runs.cli import figures
from runs.cli.rendering.report import MARKS
from runs.cli.rendering.sheet import Lines, Sheet, apart

_HEADER = ("", "before", "now", "change", "95 % interval", "")


def comparison_lines(document: Document, *, sheet: Sheet) -> Lines:
    """Each comparison with the first side, then what a trial predicted and the sides themselves."""
    document = sheet.glyphs.fit(document)
    blocks = [_comparison(each, sheet=sheet) for each in items(document, "comparisons")]
    promise = words(document, "predicted", "because")
    predicted = sheet.paragraph(promise, label="predicted") if promise else []
    order = sheet.paragraph(words(document, "order"), label="order") if "order" in document else []
    return apart([*blocks, predicted, [*order, *_sides(document, sheet=sheet)]])


def change_of(name: str, change: object) -> str:
    """A share as percent; for a rate of failures, percentage points."""
    if isinstance(change, bool) or not isinstance(change, (int, float)):
        return figures.NONE
    return f"{change:+.2f} points" if name.endswith("_percent") else f"{change * 100:+.1f} %"


def interval_of(name: str, interval: object) -> str:
    """From where to where the change may lie."""
    if not isinstance(interval, list) or len(interval) != 2:
        return figures.NONE
    low, high = (change_of(name, bound).removesuffix(" points") for bound in interval)
    return f"{low.removesuffix(' %')} to {high.removesuffix(' %')}"


def _comparison(comparison: Document, *, sheet: Sheet) -> Lines:
    word, style = MARKS.get(words(comparison, "verdict"), ("", ""))
    rows = [
        (
            words(entry, "label") or name,
            figures.with_unit(name, value(entry, "before")),
            figures.with_unit(name, value(entry, "value")),
            change_of(name, value(entry, "change")),
            interval_of(name, value(entry, "interval")),
            words(entry, "verdict"),
        )
        for name, entry in part(comparison, "figures").items()
    ]
    lines = sheet.paragraph(
        words(comparison, "headline"), right=Text(word, style=style), style="bold"
    )
    lines += sheet.table(_HEADER, rows, left=(0, 5), whole=(4,)) if rows else []
    for changed in items(comparison, "changed"):
        before, after = figures.plain(value(changed, "from")), figures.plain(value(changed, "to"))
        text = f"{words(changed, 'field')} {before} {sheet.glyphs.arrow} {after}"
        lines += sheet.paragraph(text, label="changed")
    return lines


def _sides(document: Document, *, sheet: Sheet) -> Lines:
    lines: Lines = []
    for side in items(document, "sides"):
        ids = "  ".join(words(run, "test_id") for run in items(side, "runs"))
        n = figures.count(amount(side, "n"))
        name = f"{words(side, 'arm')} {words(side, 'name')}".strip()
        lines += sheet.paragraph(f"n {n}  {ids}", label=name, style="dim")
    return lines
