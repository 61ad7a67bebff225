"""`load_test try`: prove a change of the settings, with and without it, in the order A B B A."""

from typing import Any

from runs.cli.conducting import conducted
from runs.cli.exits import ExitCode, WrongUsage
from runs.cli.parser import SentenceParser
from runs.cli.rendering.comparison import comparison_lines
from runs.cli.run_options import add_conduct_arguments, add_workload_arguments, spec_of
from runs.cli.screen import Screen
from runs.conduct import Watcher
from runs.daemons import new_owner
from runs.experiments import parse_changes, prove
from runs.spec import validate

NAME = "try"
SUMMARY = "prove a change of the settings: with and without it, A B B A"


def add_arguments(parser: SentenceParser) -> None:
    """The change, and all options of a run."""
    parser.add_argument(
        "--change",
        action="append",
        default=[],
        metavar="SETTING=VALUE",
        help="poll_delay=0.05, max_jobs=60, queue_read_limit=1000 or processes=2; may be repeated",
    )
    parser.add_argument(
        "--type", default="io_simulation", metavar="T", help="task type (default io_simulation)"
    )
    add_workload_arguments(parser)
    add_conduct_arguments(parser)
    parser.set_defaults(repeat=5, workers=1)


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Try it."""
    changes = parse_changes(options["change"])
    spec, workers = spec_of(options, task_type=options["type"]), options["workers"]
    validate(spec)
    if workers < 1 or not options["wait"]:
        raise WrongUsage("try starts workers of its own: --workers from 1, and no --no-wait.")

    async def work(watcher: Watcher) -> dict[str, Any]:
        return await prove(
            spec, changes=changes, workers=workers, watcher=watcher, owner=new_owner()
        )

    document = conducted(work, runs=2 * spec.repeat, screen=screen)
    if document is None:
        return ExitCode.CANCELLED
    if options["json"]:
        screen.json(document)
    else:
        screen.show(comparison_lines(document, sheet=screen.sheet))
    return None
