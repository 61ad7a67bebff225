"""`load_test compare`: runs, groups of repeats and report files against the first of them."""

from typing import Any

from runs.cli.parser import SentenceParser
from runs.cli.rendering.comparison import comparison_lines
from runs.cli.screen import Screen
from runs.compare import compare

NAME = "compare"
SUMMARY = "compare runs, groups of repeats or report files"


def add_arguments(parser: SentenceParser) -> None:
    """What with what."""
    parser.add_argument(
        "references",
        nargs="+",
        metavar="A B",
        help="runs (lt_…), groups (lg_…) or report files, all compared with the first",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Compare them."""
    document = compare(references=options["references"], files=True)
    if options["json"]:
        screen.json(document)
    else:
        screen.show(comparison_lines(document, sheet=screen.sheet))
    return None
