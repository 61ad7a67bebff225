"""`load_test results`: a stored report, or how far a run is that has not ended."""

from typing import Any

from runs.cli.parser import SentenceParser
from runs.cli.rendering.detailed import detailed_lines
from runs.cli.rendering.group import group_lines
from runs.cli.rendering.live import live_lines
from runs.cli.rendering.report import report_lines
from runs.cli.screen import Screen
from runs.models import LoadTestRun
from runs.report import group_document, report_document

NAME = "results"
SUMMARY = "show a run's report, or its progress"


def add_arguments(parser: SentenceParser) -> None:
    """Which run, and how much of it."""
    parser.add_argument("test_id", metavar="TEST_ID", help="a run (lt_…) or a group of runs (lg_…)")
    parser.add_argument("--detailed", action="store_true", help="show everything the report holds")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Show it."""
    test_id = options["test_id"]
    is_group = test_id.startswith("lg_")
    document = (
        group_document(test_id) if is_group else report_document(LoadTestRun.objects.named(test_id))
    )
    if options["json"]:
        screen.json(document)
    elif is_group:
        screen.show(group_lines(document, sheet=screen.sheet))
    elif "progress" in document:
        screen.show(live_lines(document, sheet=screen.sheet))
    else:
        render = detailed_lines if options["detailed"] else report_lines
        screen.show(render(document, sheet=screen.sheet))
    return None
