"""A group of repeats on a terminal: a line for each run, then what all of them say together."""

from runs.cli import figures
from runs.cli.rendering.reading import Document, items, part, value, words
from runs.cli.rendering.report import apart, outcome
from runs.cli.rendering.sheet import Lines, Sheet

_HEADER = ("run", "tasks/s", "p50", "p95", "failed", "verdict")


def group_lines(document: Document, *, sheet: Sheet) -> Lines:
    """The whole report of a group."""
    document = sheet.glyphs.fit(document)
    summary = part(document, "summary")
    rows = [_row(run) for run in items(document, "runs")]
    told = [name for name in ("headline", "because") if words(summary, name)]
    sentences: Lines = []
    for name in told:
        sentences += sheet.paragraph(
            words(summary, name), style="bold" if name == "headline" else ""
        )
    return apart(
        [
            sentences,
            sheet.table(_HEADER, rows, left=(0, 5), whole=(0,)) if rows else [],
            _summary(summary, besides=told, sheet=sheet),
            sheet.paragraph(words(document, "group_id"), style="dim"),
        ]
    )


def _row(run: Document) -> tuple[str, ...]:
    times = part(run, "analysis", "task_metrics")
    return (
        words(run, "test_id"),
        figures.number(value(run, "metrics", "overall_throughput")),
        figures.milliseconds(times.get("p50_execution_time_ms")),
        figures.milliseconds(times.get("p95_execution_time_ms")),
        figures.count(value(run, "metrics", "tasks_failed")),
        outcome(words(run, "status"), words(run, "analysis", "baseline", "verdict")),
    )


def _summary(summary: Document, *, besides: list[str], sheet: Sheet) -> Lines:
    """Every figure of the summary: a table where figures have several statistics, else a list."""
    plain = {name: entry for name, entry in summary.items() if name not in besides}
    nested = {name: entry for name, entry in plain.items() if isinstance(entry, dict)}
    lines: Lines = []
    for name, entry in plain.items():
        if name not in nested:
            lines += sheet.paragraph(
                figures.with_unit(name, entry), label=f"{name.replace('_', ' ')} "
            )
    for name, entry in nested.items():
        lines += statistics_lines(name, entry, sheet=sheet)
    return lines


def statistics_lines(name: str, entry: Document, *, sheet: Sheet) -> Lines:
    """An object of figures, each a number or an object of statistics of one figure."""
    rows = {figure: stats for figure, stats in entry.items() if isinstance(stats, dict)}
    if not rows:
        return sheet.paragraph(
            ", ".join(f"{k.replace('_', ' ')} {figures.with_unit(k, v)}" for k, v in entry.items()),
            label=name.replace("_", " "),
        )
    columns = list(dict.fromkeys(column for stats in rows.values() for column in stats))
    return sheet.table(
        (name.replace("_", " "), *(column.replace("_", " ") for column in columns)),
        [
            (figure, *(statistic(figure, column, stats.get(column)) for column in columns))
            for figure, stats in rows.items()
        ],
    )


def statistic(figure: str, column: str, given: object) -> str:
    """One statistic of a figure in that figure's unit; counts and shares have none."""
    if column in {"n", "count", "runs"}:
        return figures.count(given)
    if column in {"cv", "run_cv", "ratio", "verdict"} or isinstance(given, str):
        return figures.plain(given)
    return figures.with_unit(figure, given)
