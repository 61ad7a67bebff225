"""A group of repeats on a terminal: a line for each run, then what all of them say together."""

from runs.analysis.reading import Document, items, part, value, words
from runs.cli import figures
from runs.cli.rendering.pairs import pairs
from runs.cli.rendering.report import outcome, threshold_lines
from runs.cli.rendering.sheet import Lines, Sheet, apart

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
            threshold_lines(summary, sheet=sheet),
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
        figures.number(_throughput(part(run, "metrics"))),
        figures.milliseconds(times.get("p50_execution_time_ms")),
        figures.milliseconds(times.get("p95_execution_time_ms")),
        figures.count(value(run, "metrics", "tasks_failed")),
        outcome(words(run, "status"), words(run, "analysis", "baseline", "verdict")),
    )


def _throughput(metrics: Document) -> object:
    """The figure that headlines and verdicts are about: of the steady state, where there is one."""
    return value(metrics, "steady_state_throughput") or value(metrics, "overall_throughput")


def _summary(summary: Document, *, besides: list[str], sheet: Sheet) -> Lines:
    """Every figure of the summary: tables where figures have several statistics, else a list."""
    told = {*besides, "baseline", "thresholds"}  # told above; --json has the baseline whole
    rest = {name: entry for name, entry in summary.items() if name not in told}
    tables = {name: entry for name, entry in rest.items() if _is_table(entry)}
    lines = pairs({name: rest[name] for name in rest if name not in tables}, sheet=sheet)
    for name, entry in tables.items():
        lines += statistics_lines(name, entry, sheet=sheet)
    return lines


def _is_table(entry: object) -> bool:
    return isinstance(entry, dict) and any(isinstance(item, dict) for item in entry.values())


def statistics_lines(name: str, entry: Document, *, sheet: Sheet) -> Lines:
    """Figures with several statistics each, as a table."""
    rows = {figure: stats for figure, stats in entry.items() if isinstance(stats, dict)}
    columns = list(dict.fromkeys(column for stats in rows.values() for column in stats))
    return sheet.table(
        (name.replace("_", " "), *(_titled(column) for column in columns)),
        [
            (figure, *(statistic(figure, column, stats.get(column)) for column in columns))
            for figure, stats in rows.items()
        ],
    )


def _titled(column: str) -> str:
    return column.removesuffix("_percent").replace("_", " ")


def statistic(figure: str, column: str, given: object) -> str:
    """One statistic of a figure in that figure's unit; counts and shares have none."""
    if column in {"n", "count", "runs"}:
        return figures.count(given)
    if column.endswith("_percent"):
        return figures.percent(given)
    if column in {"cv", "run_cv", "ratio", "verdict"} or isinstance(given, str):
        return figures.plain(given)
    return figures.with_unit(figure, given)
