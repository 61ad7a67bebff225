"""A run that has not ended, on a terminal: how far it is, nothing that only its end can tell."""

from rich.text import Text

from runs.cli import figures
from runs.cli.rendering.reading import Document, amount, items, part, value, words
from runs.cli.rendering.report import apart, identity_lines
from runs.cli.rendering.sheet import Lines, Sheet

_STYLE = "bold yellow"


def live_lines(document: Document, *, sheet: Sheet) -> Lines:
    """Status, a bar, the counts, what it waits for."""
    document = sheet.glyphs.fit(document)
    progress = part(document, "progress")
    planned = amount(progress, "planned") or 0
    ended = sum(
        amount(progress, name) or 0 for name in ("completed", "failed", "cancelled", "lost")
    )
    said: Lines = []
    for note in items(document, "notes"):
        said += sheet.paragraph(str(note), label="note")
    return apart(
        [
            [
                *_state(document, progress, ended=ended, planned=planned, sheet=sheet),
                *_bar(ended, planned, sheet=sheet),
                *_counts(progress, sheet=sheet),
            ],
            [*said, *identity_lines(document, sheet=sheet)],
        ]
    )


def _state(
    document: Document, progress: Document, *, ended: float, planned: float, sheet: Sheet
) -> Lines:
    status = Text(words(document, "status").upper(), style=_STYLE)
    counts = f"  {figures.count(ended)} of {figures.count(planned)} finished"
    failed = f", {figures.count(value(progress, 'failed') or 0)} failed"
    left = amount(progress, "seconds_left")
    headline = words(document, "headline")
    return [
        *(sheet.paragraph(headline, style="bold") if headline else []),
        *sheet.paragraph(
            status + Text(counts + failed),
            right="" if left is None else f"about {figures.seconds(round(left))} left",
        ),
    ]


def _bar(ended: float, planned: float, *, sheet: Sheet) -> Lines:
    share = min(ended / planned, 1) if planned else 0
    room = sheet.width - 8
    filled = round(share * room)
    bar = Text(sheet.glyphs.bar * filled, style="cyan") + Text("." * (room - filled), style="dim")
    return [bar + Text(f"  {share:4.0%}".replace("%", " %"))]


def _counts(progress: Document, *, sheet: Sheet) -> Lines:
    said = [
        f"{name.replace('_', ' ')} {figures.with_unit(name, entry)}"
        for name, entry in progress.items()
        if name not in {"planned", "seconds_left", "failed"} and _is_figure(entry)
    ]
    return sheet.paragraph("   ".join(said)) if said else []


def _is_figure(entry: object) -> bool:
    return isinstance(entry, (int, float)) and not isinstance(entry, bool)
