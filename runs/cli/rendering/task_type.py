"""A task type on a terminal: what it does, what it may be asked, what it measures and how."""

from collections.abc import Iterable

from rich.text import Text

from runs.cli import figures
from runs.cli.rendering.sheet import Lines, Sheet, apart
from workers.tasks.registry import Parameter, TaskType


def type_list_lines(types: Iterable[TaskType], *, sheet: Sheet) -> Lines:
    """Every type in one line."""
    rows = [(kind.name, figures.count(kind.default_tasks), kind.summary) for kind in types]
    fitted = [tuple(sheet.glyphs.fit(cell) for cell in row) for row in rows]
    return sheet.table(("type", "tasks", "what a task does"), fitted, left=(0, 2))


def type_lines(kind: TaskType, *, sheet: Sheet) -> Lines:
    """One type, whole."""
    fit = sheet.glyphs.fit
    timeout = "its queue's" if kind.timeout_s is None else figures.seconds(kind.timeout_s)
    head = [
        *sheet.paragraph(fit(kind.name), style="bold"),
        *sheet.paragraph(fit(kind.summary)),
        *sheet.paragraph(
            f"function {kind.function}   {kind.default_tasks} tasks by default   timeout {timeout}",
            style="dim",
        ),
    ]
    parameters: Lines = [Text("parameters", style="bold")] if kind.parameters else []
    for parameter in kind.parameters:
        parameters += _described(
            f"{parameter.name} = {_written(parameter)}",
            (parameter.meaning, parameter.allowed),
            sheet=sheet,
        )
    metrics: Lines = [Text("metrics", style="bold")] if kind.metrics else []
    for metric in kind.metrics:
        unit = f" ({metric.unit})" if metric.unit else ""
        metrics += _described(f"{metric.name}{unit}", (metric.formula,), sheet=sheet)
    return apart([head, parameters, metrics])


def _described(name: str, sentences: Iterable[str], *, sheet: Sheet) -> Lines:
    lines = sheet.paragraph(sheet.glyphs.fit(f"  {name}"))
    text = "; ".join(sentence for sentence in sentences if sentence)
    return (
        lines + sheet.paragraph(sheet.glyphs.fit(text), label="   ", style="dim") if text else lines
    )


def _written(parameter: Parameter) -> str:
    if isinstance(parameter.default, bool):
        return str(parameter.default).lower()
    return f"{figures.plain(parameter.default)} {parameter.unit}".rstrip()
