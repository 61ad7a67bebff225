"""`load_test evaluate`: judge finished runs again, with today's history."""

from typing import Any

from runs.cli.exits import ExitCode, missed_a_threshold
from runs.cli.parser import SentenceParser
from runs.cli.rendering.report import report_lines
from runs.cli.rendering.sheet import apart
from runs.cli.screen import Screen
from runs.evaluate import evaluate_again

NAME = "evaluate"
SUMMARY = "judge finished runs again, with today's history"


def add_arguments(parser: SentenceParser) -> None:
    """Which runs."""
    parser.add_argument("test_ids", nargs="+", metavar="TEST_ID", help="finished runs (lt_…)")
    parser.add_argument("--json", action="store_true", help="print the reports as JSON")


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Judge them."""
    reports = evaluate_again(options["test_ids"])
    if options["json"]:
        screen.json(reports[0] if len(reports) == 1 else reports)
    else:
        screen.show(apart([report_lines(report, sheet=screen.sheet) for report in reports]))
    return ExitCode.THRESHOLD_MISSED if any(map(missed_a_threshold, reports)) else ExitCode.DONE
