"""How much unchanged runs differ, and what a gate can see of a change."""

from runs.analysis.reading import Document, items, part, value, words
from runs.cli import figures
from runs.cli.rendering.sheet import Lines, Sheet, apart

_HEADER = ("figure", "runs", "mean", "run-to-run", "smallest change seen")


def noise_lines(document: Document, *, sheet: Sheet) -> Lines:
    """A row for each judged figure, what there is to say about it, and the group to look at."""
    document = sheet.glyphs.fit(document)
    found = items(document, "figures")
    rows = [
        (
            _named(entry),
            figures.count(value(entry, "n")),
            figures.with_unit(words(entry, "figure"), value(entry, "mean")),
            figures.percent(value(entry, "run_cv_percent")),
            figures.percent(value(entry, "smallest_effect_percent")),
        )
        for entry in found
    ]
    sentences: Lines = []
    for entry in found:
        gate = words(part(entry, "gate"), "because")
        said = f"{_named(entry)}: {gate}" if gate else words(entry, "because")
        sentences += sheet.paragraph(said) if said else []
    headline = words(document, "headline")
    return apart(
        [
            sheet.paragraph(headline, style="bold") if headline else [],
            sheet.table(_HEADER, rows) if rows else [],
            sentences,
            sheet.paragraph(words(document, "group_id"), style="dim"),
        ]
    )


def _named(entry: Document) -> str:
    return words(entry, "label") or words(entry, "figure")
