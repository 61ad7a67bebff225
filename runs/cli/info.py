"""`load_test info`: which task types there are, and what one of them takes and measures."""

from dataclasses import asdict
from typing import Any

from runs.cli.parser import SentenceParser
from runs.cli.rendering.task_type import type_lines, type_list_lines
from runs.cli.screen import Screen
from workers.tasks.registry import TaskType, task_type, task_types

NAME = "info"
SUMMARY = "list the task types, or explain one"


def add_arguments(parser: SentenceParser) -> None:
    """Which type."""
    parser.add_argument(
        "type", nargs="?", metavar="TYPE", help="a task type; without it all are listed"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Show one, or all of them."""
    chosen = [task_type(options["type"])] if options["type"] else list(task_types().values())
    if options["json"]:
        documents = [described(kind) for kind in chosen]
        screen.json(documents[0] if options["type"] else documents)
    elif options["type"]:
        screen.show(type_lines(chosen[0], sheet=screen.sheet))
    else:
        screen.show(type_list_lines(chosen, sheet=screen.sheet))
    return None


def described(kind: TaskType) -> dict[str, Any]:
    """A task type as JSON can hold it."""
    document = asdict(kind)
    for parameter in document["parameters"]:
        parameter["kind"] = parameter["kind"].__name__
    return document
