"""A finished run on a terminal: answer, action, evidence, in the order that every face keeps."""

import re

from rich.text import Text

from runs.analysis.reading import Document, amount, items, part, value, words
from runs.cli import figures
from runs.cli.rendering.ceilings import bar_lines
from runs.cli.rendering.sheet import Lines, Sheet, apart

MARKS = {
    "improved": ("IMPROVED", "bold cyan"),
    "unchanged": ("UNCHANGED", "bold"),
    "regressed": ("REGRESSED", "bold red"),
    "inconclusive": ("INCONCLUSIVE", "bold magenta"),
    "incomparable": ("INCOMPARABLE", "bold magenta"),
}
ENDINGS = {
    "cancelled": ("CANCELLED", "bold yellow"),
    "failed": ("FAILED", "bold red"),
    "timed_out": ("TIMED OUT", "bold red"),
}
_WITHOUT_VERDICT = frozenset({"no_baseline", "incomparable"})
_RESTATES_THE_ROW = re.compile(r"\S+ is (not )?(<=|>=|==|!=|<|>) \S+(; |$)")
_CEILINGS_SHOWN = 2
_FAILURES_SHOWN = 3
_NOTES_SHOWN = 4


def report_lines(document: Document, *, sheet: Sheet) -> Lines:
    """The whole short report."""
    document = sheet.glyphs.fit(document)
    blocks = [
        threshold_lines(document, sheet=sheet),
        _answer(document, sheet=sheet),
        _figures(document, sheet=sheet),
        [
            *_ceilings(document, sheet=sheet),
            *_failures(document, sheet=sheet),
            *_notes(document, sheet=sheet),
            *identity_lines(document, sheet=sheet),
        ],
    ]
    return apart(blocks)


def mark_of(document: Document) -> Text:
    """The verdict in a word; how the run ended where it did not simply complete."""
    ending = ENDINGS.get(words(document, "status"))
    verdict = MARKS.get(words(document, "analysis", "baseline", "verdict"))
    text, style = ending or verdict or ("", "")
    return Text(text, style=style)


def outcome(status: str, verdict: str) -> str:
    """In a table: the verdict of a completed run, else how far it came."""
    return (verdict if status == "completed" and verdict in MARKS else status).replace("_", " ")


def threshold_lines(document: Document, *, sheet: Sheet) -> Lines:
    """Each rule, its limit, the value met, whether it holds, and what there is to say about it."""
    thresholds = items(document, "thresholds")
    if not thresholds:
        return []
    rows = []
    reasons: Lines = []
    for entry in thresholds:
        figure, limit = _split(words(entry, "expression"))
        sign = sheet.glyphs.passed if value(entry, "passed") else sheet.glyphs.missed
        rows.append((figure, limit, figures.with_unit(figure, value(entry, "value")), sign))
        reason = _RESTATES_THE_ROW.sub("", words(entry, "because"))
        if reason:
            reasons += sheet.paragraph(f"{figure}: {reason}", style="dim")
    lines = sheet.table(("threshold", "limit", "value", ""), rows, left=(0, 1, 3))
    for line, entry in zip(lines[1:], thresholds, strict=True):
        line.stylize("green" if value(entry, "passed") else "bold red")
    return lines + reasons


def identity_lines(document: Document, *, sheet: Sheet) -> Lines:
    """Which run this is, of what, on what."""
    configuration = part(document, "configuration")
    environment = part(document, "analysis", "environment")
    what = f"{configuration.get('task_type', '?')} on {configuration.get('target_queue', '?')}"
    words_of = [words(document, "test_id"), what, _served_by(environment, sheet=sheet)]
    lines = sheet.paragraph("  ".join(word for word in words_of if word), style="dim")
    if words(document, "label"):
        lines += sheet.paragraph(words(document, "label"), style="dim")
    return lines


def _answer(document: Document, *, sheet: Sheet) -> Lines:
    headline = words(document, "headline")
    mark = mark_of(document)
    lines = sheet.paragraph(headline, right=mark, style="bold") if headline or mark else []
    said = headline
    followers = (
        *_baseline_reason(document),
        words(document, "gists", "bottleneck"),
        *_sentences(document, "analysis", "performance_analysis", "recommendations")[:1],
    )
    for sentence in followers:
        if sentence and sentence not in said:
            lines += sheet.paragraph(sentence)
            said += sentence
    return lines + _proof(document, sheet=sheet)


def _baseline_reason(document: Document) -> tuple[str, ...]:
    """Why there is no verdict; where there is one, the headline tells it."""
    verdict = words(document, "analysis", "baseline", "verdict")
    if words(document, "status") != "completed" or verdict not in _WITHOUT_VERDICT:
        return ()
    return (words(document, "analysis", "baseline", "because"),)


def _proof(document: Document, *, sheet: Sheet) -> Lines:
    command = words(document, "analysis", "bottleneck", "change", "proof", "command")
    setting = words(document, "analysis", "bottleneck", "change", "setting")
    first = _sentences(document, "analysis", "performance_analysis", "recommendations")[:1]
    # why: another recommendation may be worth more, and then it is that one which stands above
    if not command or not any(f"{setting} " in sentence for sentence in first):
        return []
    takes = amount(document, "analysis", "bottleneck", "change", "proof", "seconds")
    return sheet.paragraph(
        Text("Prove it: ") + Text(command, style="bold"),
        right="" if takes is None else figures.roughly(takes),
    )


def _figures(document: Document, *, sheet: Sheet) -> Lines:
    return [
        *_tasks(document, sheet=sheet),
        *_times(document, "execution_time_ms", label="run time", sheet=sheet, with_n=True),
        *_waits(document, sheet=sheet),
    ]


def _tasks(document: Document, *, sheet: Sheet) -> Lines:
    metrics = part(document, "metrics")
    accounting = part(document, "analysis", "accounting")
    planned, sent = accounting.get("planned"), metrics.get("tasks_sent")
    of_planned = f" of {figures.count(planned)}" if planned not in (None, sent) else ""
    counts = [
        f"{figures.count(sent)}{of_planned} sent",
        f"{figures.count(metrics.get('tasks_completed'))} ok",
        f"{figures.count(metrics.get('tasks_failed'))} failed",
        f"{figures.count(metrics.get('tasks_lost'))} lost",
    ]
    if metrics.get("tasks_cancelled"):
        counts.append(f"{figures.count(metrics['tasks_cancelled'])} cancelled")
    if metrics.get("total_duration_seconds") is not None:
        counts.append(figures.seconds(metrics["total_duration_seconds"]))
    if words(document, "analysis", "regime"):
        counts.append(words(document, "analysis", "regime").replace("_", " "))
    return sheet.paragraph("   ".join(counts), label="tasks")


def _times(
    document: Document, figure: str, *, label: str, sheet: Sheet, with_n: bool = False
) -> Lines:
    task_metrics = part(document, "analysis", "task_metrics")
    shown = [
        f"p{rank} {figures.milliseconds(task_metrics[f'p{rank}_{figure}'])}"
        for rank in (50, 95, 99)
        if task_metrics.get(f"p{rank}_{figure}") is not None
    ]
    if not shown:
        return []
    n = f"n {figures.count(task_metrics.get('n'))}" if with_n else ""
    return sheet.paragraph("   ".join(shown), label=label, right=n)


def _waits(document: Document, *, sheet: Sheet) -> Lines:
    if words(document, "analysis", "regime") == "saturated":
        because = words(document, "gists", "queue_wait") or words(document, "analysis", "because")
        return sheet.paragraph(because, label="wait") if because else []
    return [
        *_times(document, "queue_wait_ms", label="wait", sheet=sheet),
        *_times(document, "sojourn_time_ms", label="sojourn", sheet=sheet),
    ]


def _ceilings(document: Document, *, sheet: Sheet) -> Lines:
    bottleneck = part(document, "analysis", "bottleneck")
    ceilings, binding = items(bottleneck, "ceilings"), words(bottleneck, "binding")
    shown = ceilings[:_CEILINGS_SHOWN]
    shown += [c for c in ceilings[_CEILINGS_SHOWN:] if words(c, "name") == binding]
    lines = bar_lines(shown, bottleneck=bottleneck, sheet=sheet)
    rest = [c for c in ceilings if c not in shown]
    if rest:
        lowest = min((amount(c, "throughput_per_s") or 0 for c in rest), default=0)
        lines += sheet.paragraph(
            f"  ({len(rest)} more, {figures.number(lowest)} and above: --detailed)", style="dim"
        )
    return lines


def failure_lines(failure: Document, *, sheet: Sheet, label: str = "", right: str = "") -> Lines:
    """How often one kind of error happened, with one message of it."""
    example = sheet.shortened(words(failure, "example"), 2 * sheet.width)
    count = figures.count(value(failure, "count"))
    content = f"{count} {sheet.glyphs.times} {words(failure, 'error_type')}"
    quoted = f'{content} "{example}"' if example else content
    return sheet.paragraph(quoted, label=label, right=right)


def _failures(document: Document, *, sheet: Sheet) -> Lines:
    failures = items(document, "analysis", "failures")
    share = figures.percent(value(document, "metrics", "failure_rate_percent"))
    lines: Lines = []
    for place, failure in enumerate(failures[:_FAILURES_SHOWN]):
        label, right = ("failed", f"failure_rate {share}") if not place else (" ", "")
        lines += failure_lines(failure, sheet=sheet, label=label, right=right)
    return lines + _and_more(len(failures) - _FAILURES_SHOWN, sheet=sheet)


def _notes(document: Document, *, sheet: Sheet) -> Lines:
    notes = _sentences(document, "notes")
    lines: Lines = []
    for note in notes[:_NOTES_SHOWN]:
        lines += sheet.paragraph(note, label="note")
    return lines + _and_more(len(notes) - _NOTES_SHOWN, sheet=sheet)


def _sentences(document: Document, *path: str) -> list[str]:
    return [text for text in items(document, *path) if isinstance(text, str)]


def _and_more(rest: int, *, sheet: Sheet) -> Lines:
    return sheet.paragraph(f"({rest} more: --detailed)", label=" ", style="dim") if rest > 0 else []


def _served_by(environment: Document, *, sheet: Sheet) -> str:
    processes, slots = value(environment, "processes"), value(environment, "slots")
    if not isinstance(processes, int) or not isinstance(slots, int) or not processes:
        return ""
    each = slots // processes if slots % processes == 0 else None
    workers = f"{figures.count(processes)} worker{'s' if processes != 1 else ''}"
    if each is None:
        return f"{workers}, {figures.count(slots)} slots"
    return f"{workers} {sheet.glyphs.times} {figures.count(each)} slots"


def _split(expression: str) -> tuple[str, str]:
    for place, sign in enumerate(expression):
        if sign in "<>=!":
            return expression[:place].strip(), expression[place:].strip()
    return expression, ""
