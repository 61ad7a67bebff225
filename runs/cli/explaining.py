"""`load_test explain`: the ceilings of a queue, or of any arq settings class, without any load."""

from typing import Any

from runs.cli.parser import SentenceParser
from runs.cli.quantities import duration_s, rate_per_s, whole
from runs.cli.rendering.explanation import explanation_lines
from runs.cli.screen import Screen
from runs.explain import explain

NAME = "explain"
SUMMARY = "what limits a queue, without any load"


def add_arguments(parser: SentenceParser) -> None:
    """Whom to ask about, and what is known of its tasks."""
    parser.add_argument(
        "subject",
        nargs="?",
        metavar="QUEUE | DOTTED.SETTINGS",
        help="a queue (default load_test), or an arq settings class: package.module.WorkerSettings",
    )
    parser.add_argument(
        "--task-time", type=duration_s, metavar="D", help="how long a task takes (s)"
    )
    parser.add_argument("--workers", type=whole, metavar="N", help="as if N workers served it")
    parser.add_argument("--rate", type=rate_per_s, metavar="R/s", help="would this rate fit?")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Explain it."""
    subject = options["subject"]
    dotted = subject is not None and "." in subject
    document = explain(
        queue=None if dotted else subject,
        settings_path=subject if dotted else None,
        task_time_s=options["task_time"],
        workers=options["workers"],
        rate_per_s=options["rate"],
    )
    if options["json"]:
        screen.json(document)
    else:
        screen.show(explanation_lines(document, sheet=screen.sheet))
    return None
