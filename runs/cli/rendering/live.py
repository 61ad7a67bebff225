"""A run without a report, on a terminal: how far it is, nothing that only its end can tell."""

from rich.text import Text

from runs.analysis.reading import Document, amount, items, part, value, words
from runs.cli import figures
from runs.cli.rendering.report import identity_lines
from runs.cli.rendering.sheet import Lines, Sheet, apart

_ENDED = frozenset({"completed", "failed", "cancelled", "timed_out"})
_COUNTS = ("completed", "failed", "cancelled", "lost")


def live_lines(document: Document, *, sheet: Sheet) -> Lines:
    """Status, a bar, the counts, what it waits for."""
    document = sheet.glyphs.fit(document)
    progress = part(document, "progress")
    planned = amount(progress, "planned") or 0
    ended = sum(amount(progress, name) or 0 for name in _COUNTS)
    said: Lines = []
    for note in items(document, "notes"):
        said += sheet.paragraph(figures.plain(note), label="note")
    return apart(
        [
            [
                *_state(document, progress, counts=(ended, planned), sheet=sheet),
                *_bar(ended, planned, sheet=sheet),
                *_more(progress, sheet=sheet),
                *_waiting(document, progress, sheet=sheet),
            ],
            [*said, *identity_lines(document, sheet=sheet)],
        ]
    )


def _state(
    document: Document, progress: Document, *, counts: tuple[float, float], sheet: Sheet
) -> Lines:
    ended, planned = counts
    headline = words(document, "headline")
    status = "cancelling" if value(progress, "cancelling") is True else words(document, "status")
    status = words(document, "status") if words(document, "status") in _ENDED else status
    failed = f", {figures.count(value(progress, 'failed') or 0)} failed"
    left = amount(progress, "seconds_left")
    return [
        *(sheet.paragraph(headline, style="bold") if headline else []),
        *sheet.paragraph(
            Text.assemble(
                (status.replace("_", " ").upper(), "bold yellow"),
                f"  {figures.count(ended)} of {figures.count(planned)} finished{failed}",
            ),
            right="" if left is None else f"{figures.roughly(left)} left",
        ),
    ]


def _bar(ended: float, planned: float, *, sheet: Sheet) -> Lines:
    share = min(max(ended / planned, 0), 1) if planned else 0
    room = sheet.width - 8
    filled = round(share * room)
    bar = (sheet.glyphs.bar * filled, "cyan"), ("." * (room - filled), "dim")
    return [Text.assemble(*bar, f"  {share:4.0%}".replace("%", " %"))]


def _more(progress: Document, *, sheet: Sheet) -> Lines:
    said = [f"{figures.rate(value(progress, 'throughput_per_s'))} now"]
    if amount(progress, "throughput_per_s") is None:
        said = []
    for name in ("sent", "outstanding", "cancelled", "lost"):
        if amount(progress, name):
            said.append(f"{figures.count(value(progress, name))} {name}")
    return sheet.paragraph("   ".join(said)) if said else []


def _waiting(document: Document, progress: Document, *, sheet: Sheet) -> Lines:
    if words(document, "status") != "pending":
        return []
    if words(progress, "waiting_for"):
        return sheet.paragraph(f"It waits: {words(progress, 'waiting_for')}.")
    if value(progress, "dispatcher_alive") is False:
        return sheet.paragraph("No dispatcher is running: make up", style="bold yellow")
    return []
