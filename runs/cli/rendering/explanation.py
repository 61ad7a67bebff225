"""What limits a queue, without load: its ceilings, the best change, whether a rate fits."""

from runs.analysis.reading import Document, amount, items, part, value, words
from runs.cli import figures
from runs.cli.rendering.ceilings import ceiling_lines, change_lines
from runs.cli.rendering.sheet import Lines, Sheet, apart

_LABEL = 11


def explanation_lines(document: Document, *, sheet: Sheet) -> Lines:
    """The whole explanation."""
    document = sheet.glyphs.fit(document)
    bottleneck = part(document, "bottleneck")
    missing: Lines = []
    for sentence in items(document, "missing"):
        missing += sheet.paragraph(figures.plain(sentence), label="note")
    return apart(
        [
            [*_subject(document, sheet=sheet), *_rate(part(document, "rate"), sheet=sheet)],
            ceiling_lines(bottleneck, sheet=sheet),
            _change(document, sheet=sheet),
            missing,
        ]
    )


def _change(document: Document, *, sheet: Sheet) -> Lines:
    action = words(document, "action")
    if action:
        return sheet.paragraph(action)
    return change_lines(part(document, "bottleneck", "change"), sheet=sheet)


def _subject(document: Document, *, sheet: Sheet) -> Lines:
    fleet = part(document, "fleet")
    processes, slots = amount(fleet, "processes") or 0, amount(fleet, "slots") or 0
    served = f"{figures.counted(processes, 'worker')}, {figures.counted(slots, 'slot')}"
    time = figures.milliseconds(value(document, "task_time_ms"))
    headline = words(document, "headline")
    return [
        *sheet.paragraph(words(document, "subject"), style="bold"),
        *(sheet.paragraph(headline) if headline else []),
        *sheet.paragraph(f"{served} ({words(fleet, 'source')})", label="served by", hang=_LABEL),
        *sheet.paragraph(
            f"{time} ({words(document, 'task_time_source')})", label="task time", hang=_LABEL
        ),
    ]


def _rate(rate: Document, *, sheet: Sheet) -> Lines:
    if amount(rate, "rate_per_s") is None:
        return []
    because = words(rate, "because")
    if because:
        return sheet.paragraph(because, label="rate", hang=_LABEL)
    fits = value(rate, "fits")
    word = "not known" if fits is None else "it fits" if fits else "too much"
    share = figures.percent(value(rate, "utilisation_percent"))
    of = figures.rate(value(rate, "capacity_per_s"))
    return sheet.paragraph(
        f"{figures.rate(value(rate, 'rate_per_s'))}: {word}, {share} of {of}",
        label="rate",
        hang=_LABEL,
    )
