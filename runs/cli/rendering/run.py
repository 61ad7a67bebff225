"""A run on a terminal, whatever there is of it: its report, or how far it is."""

from runs.analysis.reading import Document
from runs.cli.rendering.detailed import detailed_lines
from runs.cli.rendering.live import live_lines
from runs.cli.rendering.report import report_lines
from runs.cli.rendering.sheet import Lines, Sheet


def run_lines(document: Document, *, sheet: Sheet, detailed: bool = False) -> Lines:
    """A run that was stopped before anything was sent has no report and keeps its live form."""
    if "progress" in document:
        return live_lines(document, sheet=sheet)
    return (detailed_lines if detailed else report_lines)(document, sheet=sheet)
