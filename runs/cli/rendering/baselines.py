"""Every workload with its last figure, its baseline and its history, the regressed first."""

from collections.abc import Sequence
from statistics import median

from rich.text import Text

from runs.analysis.reading import Document, amount, items, value, words
from runs.cli import figures
from runs.cli.rendering.report import MARKS
from runs.cli.rendering.sheet import Lines, Sheet, apart

_HISTORY = 40


def baseline_row_lines(rows: Sequence[Document], *, sheet: Sheet) -> Lines:
    """A block for each workload; a sentence where there is none."""
    if not rows:
        return [Text("No workload has a finished run.")]
    return apart([_row(sheet.glyphs.fit(row), sheet=sheet) for row in rows])


def _around(history: Sequence[float | None]) -> tuple[float, float] | None:
    """A quarter below and above the middle: noise looks like noise, a change like a change."""
    known = [value for value in history if value is not None]
    middle = median(known) if known else 0
    return (middle * 0.75, middle * 1.25) if middle > 0 else None


def _row(row: Document, *, sheet: Sheet) -> Lines:
    name = words(row, "name") or words(row, "in_words")
    word, style = MARKS.get(words(row, "verdict"), ("", ""))
    figure = words(row, "figure")
    now, before = (
        figures.with_unit(figure, value(row, key)) for key in ("last_figure", "baseline")
    )
    n = figures.count(value(row, "baseline_n"))
    pinned = words(row, "pinned_run")
    history = [amount(entry, "value") for entry in items(row, "history")]
    against = f"against {before} (n {n})" if amount(row, "baseline") is not None else "no baseline"
    return [
        *sheet.paragraph(
            Text(f"{name} on {words(row, 'queue')}", style="bold"), right=Text(word, style=style)
        ),
        *sheet.paragraph(f"{words(row, 'figure_label')} {now} {against}", label="last run"),
        *sheet.paragraph(
            sheet.spark(history, width=_HISTORY, bounds=_around(history)), label="history"
        ),
        *(sheet.paragraph(words(row, "since"), label="since") if words(row, "since") else []),
        *(sheet.paragraph(pinned, label="pinned") if pinned else []),
        *sheet.paragraph(words(row, "last_run"), label=" ", style="dim"),
    ]
