"""`load_test noise`: how much unchanged runs differ, and the smallest change a gate can see."""

from typing import Any

from runs.cli.conducting import conducted
from runs.cli.exits import ExitCode, WrongUsage
from runs.cli.parser import SentenceParser
from runs.cli.quantities import share
from runs.cli.rendering.noise import noise_lines
from runs.cli.run_options import (
    add_conduct_arguments,
    add_workload_arguments,
    refuse_contradictions,
    spec_of,
)
from runs.cli.screen import Screen
from runs.conduct import Watcher
from runs.daemons import new_owner
from runs.experiments import measure_noise
from runs.spec import validate

NAME = "noise"
SUMMARY = "repeat unchanged runs: their spread, and the smallest change to see"


def add_arguments(parser: SentenceParser) -> None:
    """The gate, and all options of a run."""
    parser.add_argument(
        "--gate", type=share, metavar="P", help="a change that a pipeline is to notice: 5%% or 0.05"
    )
    parser.add_argument(
        "--type", default="io_simulation", metavar="T", help="task type (default io_simulation)"
    )
    add_workload_arguments(parser)
    add_conduct_arguments(parser)
    parser.set_defaults(repeat=5)


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Measure it."""
    refuse_contradictions(options)
    spec, workers = spec_of(options, task_type=options["type"]), options["workers"]
    validate(spec)
    if spec.repeat < 2 or not options["wait"]:
        raise WrongUsage("noise compares runs of its own: --repeat from 2, and no --no-wait.")

    async def work(watcher: Watcher) -> dict[str, Any]:
        return await measure_noise(
            spec, workers=workers, watcher=watcher, owner=new_owner(), gate=options["gate"]
        )

    document = conducted(work, runs=spec.repeat, screen=screen)
    if document is None:
        return ExitCode.CANCELLED
    if options["json"]:
        screen.json(document)
    else:
        screen.show(noise_lines(document, sheet=screen.sheet))
    return None
