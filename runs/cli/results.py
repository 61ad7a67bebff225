"""`load_test results`: a stored report, or how far a run is that has not ended."""

from typing import Any

from runs.cli.parser import SentenceParser
from runs.cli.rendering.group import group_lines
from runs.cli.rendering.run import run_lines
from runs.cli.screen import Screen
from runs.models import LoadTestRun
from runs.report import group_document, report_document

NAME = "results"
GROUP = "lg_"
SUMMARY = "show a run's report, or its progress"


def add_arguments(parser: SentenceParser) -> None:
    """Which run, and how much of it."""
    parser.add_argument("test_id", metavar="TEST_ID", help="a run (lt_…) or a group of runs (lg_…)")
    parser.add_argument("--detailed", action="store_true", help="show everything the report holds")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Show it."""
    test_id, detailed = options["test_id"], options["detailed"]
    if test_id.startswith(GROUP):
        document = group_document(test_id)
        lines = group_lines(document, sheet=screen.sheet)
    else:
        document = report_document(LoadTestRun.objects.named(test_id))
        lines = run_lines(document, sheet=screen.sheet, detailed=detailed)
    if options["json"]:
        screen.json(document)
    else:
        screen.show(lines)
    return None
