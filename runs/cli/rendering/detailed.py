"""A finished run on a terminal, all of it: the short report, then every section of the document."""

from collections.abc import Callable, Mapping, Sequence

from rich.text import Text

from runs.analysis.reading import Document, items, part, value, words
from runs.cli import figures
from runs.cli.rendering.ceilings import ceiling_lines, change_lines
from runs.cli.rendering.charts import distribution_lines, poll_cycle_lines, timeline_lines
from runs.cli.rendering.pairs import in_order, pairs
from runs.cli.rendering.report import failure_lines, report_lines
from runs.cli.rendering.sheet import Lines, Sheet, apart

ACCOUNTING = (
    "planned",
    "sent",
    "completed",
    "failed",
    "cancelled",
    "lost",
    "outstanding",
    "retries",
)
METRICS = (
    "tasks_sent",
    "tasks_completed",
    "tasks_failed",
    "tasks_lost",
    "tasks_cancelled",
    "total_duration_seconds",
    "overall_throughput",
    "steady_state_throughput",
    "failure_rate_percent",
    "completion_percentage",
)
CONFIGURATION = ("task_type", "parameters", "num_tasks", "batch_size", "delay_ms", "target_queue")
_TIMES = ("execution_time_ms", "queue_wait_ms", "sojourn_time_ms")
_STATISTICS = ("avg", "p50", "p95", "p99")
_TYPE_STATISTICS = ("mean", "p50", "p95", "min", "max", "n")


Section = Callable[[Document, Sheet], Lines]


def detailed_lines(document: Document, *, sheet: Sheet) -> Lines:
    """Everything."""
    fitted = sheet.glyphs.fit(document)
    blocks = [report_lines(document, sheet=sheet)]
    for title, gist, section in _SECTIONS:
        body = section(fitted, sheet)
        if body:
            fact = words(fitted, "gists", gist)
            head = sheet.paragraph(Text(title, style="bold underline"))
            blocks.append([*head, *(sheet.paragraph(fact) if fact else []), *body])
    return apart(blocks)


def _limits(document: Document, sheet: Sheet) -> Lines:
    bottleneck = part(document, "analysis", "bottleneck")
    told = {"binding", "ceilings", "change"}
    rest = {name: entry for name, entry in bottleneck.items() if name not in told and entry}
    return [
        *ceiling_lines(bottleneck, sheet=sheet),
        *change_lines(part(bottleneck, "change"), sheet=sheet),
        *pairs(rest, sheet=sheet),
    ]


def _recommendations(document: Document, sheet: Sheet) -> Lines:
    lines: Lines = []
    found = items(document, "analysis", "performance_analysis", "recommendations")
    for place, sentence in enumerate(found, start=1):
        lines += sheet.paragraph(figures.plain(sentence), label=f"{place}.")
    return lines


def _ratings(document: Document, sheet: Sheet) -> Lines:
    ratings = part(document, "analysis", "performance_analysis")
    ratings.pop("recommendations", None)
    return pairs(ratings, sheet=sheet)


def baseline_lines(document: Document, sheet: Sheet) -> Lines:
    """What the run was judged against, and how each figure came out."""
    baseline = part(document, "analysis", "baseline")
    judged = part(baseline, "figures")
    told = {"figures", *(("because",) if words(document, "gists", "baseline") else ())}
    plain = {name: entry for name, entry in baseline.items() if name not in told}
    rows = [
        (
            name,
            figures.with_unit(name, value(entry, "baseline")),
            figures.with_unit(name, value(entry, "value")),
            _change_of(value(entry, "ratio")),
            _interval_of(value(entry, "ratio_interval")),
            words(entry, "verdict"),
        )
        for name, entry in judged.items()
    ]
    header = ("figure", "baseline", "value", "change", "95 % interval", "verdict")
    table = sheet.table(header, rows, left=(0, 5), whole=(0, 4)) if rows else []
    return pairs(plain, sheet=sheet) + table


def _times(document: Document, sheet: Sheet) -> Lines:
    task_metrics = part(document, "analysis", "task_metrics")
    rows = []
    for time in _TIMES:
        names = [f"{statistic}_{time}" for statistic in _STATISTICS]
        if any(task_metrics.get(name) is not None for name in names):
            rows.append((time, *(figures.milliseconds(task_metrics.get(name)) for name in names)))
    told = {f"{statistic}_{time}" for statistic in _STATISTICS for time in _TIMES}
    rest = {name: entry for name, entry in task_metrics.items() if name not in told}
    rest["intervals"] = {n: _range(n, i) for n, i in part(rest, "intervals").items()}
    return (sheet.table(("", *_STATISTICS), rows) if rows else []) + (
        pairs(rest, sheet=sheet) if task_metrics else []
    )


def _type_metrics(document: Document, sheet: Sheet) -> Lines:
    metrics = part(document, "analysis", "type_metrics")
    rows = [
        (name, *(_statistic(name, column, entry.get(column)) for column in _TYPE_STATISTICS))
        for name, entry in metrics.items()
        if isinstance(entry, Mapping)
    ]
    return sheet.table(("metric", *_TYPE_STATISTICS), rows) if rows else []


def _failures(document: Document, sheet: Sheet) -> Lines:
    lines: Lines = []
    for failure in items(document, "analysis", "failures"):
        lines += failure_lines(failure, sheet=sheet)
    return lines


def _notes(document: Document, sheet: Sheet) -> Lines:
    lines: Lines = []
    for note in items(document, "notes"):
        lines += sheet.paragraph(figures.plain(note), label="note")
    return lines


def _of(*path: str, first: Sequence[str] = ()) -> Section:
    """The object at that place; PostgreSQL forgets the order of its names, `first` restores it."""

    def section(document: Document, sheet: Sheet) -> Lines:
        return pairs(in_order(part(document, *path), first=first), sheet=sheet)

    return section


def _change_of(ratio: object) -> str:
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)):
        return figures.NONE
    return f"{(ratio - 1) * 100:+.1f} %"


def _interval_of(interval: object) -> str:
    if not isinstance(interval, list) or len(interval) != 2:
        return figures.NONE
    low, high = (_change_of(bound).removesuffix(" %") for bound in interval)
    return f"{low} to {high}"


def _range(name: str, interval: object) -> str:
    if not isinstance(interval, list) or len(interval) != 2:
        return figures.NONE
    return f"{figures.with_unit(name, interval[0])} to {figures.with_unit(name, interval[1])}"


def _statistic(name: str, column: str, entry: object) -> str:
    return figures.count(entry) if column == "n" else figures.with_unit(name, entry)


_SECTIONS: tuple[tuple[str, str, Section], ...] = (
    ("What limits it", "bottleneck", _limits),
    ("Recommendations", "", _recommendations),
    ("Against the baseline", "baseline", baseline_lines),
    ("Times", "task_metrics", _times),
    ("Distribution", "distribution", distribution_lines),
    ("Reported by tasks", "type_metrics", _type_metrics),
    ("Own analysis", "custom_analysis", _of("analysis", "custom_analysis")),
    ("Timeline", "timeline", timeline_lines),
    ("Between two polls", "poll_cycle", poll_cycle_lines),
    ("Failures", "failures", _failures),
    ("Accounting", "accounting", _of("analysis", "accounting", first=ACCOUNTING)),
    ("Metrics", "metrics", _of("metrics", first=METRICS)),
    ("Ratings", "ratings", _ratings),
    ("Configuration", "configuration", _of("configuration", first=CONFIGURATION)),
    ("Environment", "environment", _of("analysis", "environment")),
    ("Notes", "notes", _notes),
)
