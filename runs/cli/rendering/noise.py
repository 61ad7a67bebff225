"""How much unchanged runs differ, and what a gate can see of a change."""

from runs.cli import figures
from runs.cli.rendering.reading import Document, items, part, value, words
from runs.cli.rendering.sheet import Lines, Sheet, apart

_HEADER = ("figure", "runs", "mean", "run-to-run", "smallest change seen")


def noise_lines(document: Document, *, sheet: Sheet) -> Lines:
    """A row for each judged figure, what there is to say about it, and the group to look at."""
    document = sheet.glyphs.fit(document)
    found = items(document, "figures")
    rows = [
        (
            words(entry, "figure"),
            figures.count(value(entry, "n")),
            figures.with_unit(words(entry, "figure"), value(entry, "mean")),
            figures.percent(value(entry, "run_cv_percent")),
            figures.percent(value(entry, "smallest_effect_percent")),
        )
        for entry in found
    ]
    sentences: Lines = []
    for entry in found:
        for said in (words(entry, "because"), words(part(entry, "gate"), "because")):
            sentences += sheet.paragraph(f"{words(entry, 'figure')}: {said}") if said else []
    table = sheet.table(_HEADER, rows) if rows else []
    return apart([table, sentences, sheet.paragraph(words(document, "group_id"), style="dim")])
