"""Which options does a run take, and which `Spec` do they mean?"""

import argparse
from typing import Any

from runs.chosen_baseline import names_a_file
from runs.cli.exits import WrongUsage
from runs.cli.parser import SentenceParser
from runs.cli.quantities import delay_ms, duration_s, parameter, rate_per_s, whole
from runs.report_files import baseline_of
from runs.spec import Spec


def add_workload_arguments(parser: SentenceParser) -> None:
    """What is sent: how many, how, where."""
    load = parser.add_argument_group("load")
    load.add_argument("--tasks", type=whole, metavar="N", help="how many tasks")
    load.add_argument("--batch", type=whole, metavar="B", help="tasks in a batch (default 10)")
    load.add_argument(
        "--delay", type=delay_ms, metavar="D", help="pause between batches (ms, default 0)"
    )
    load.add_argument(
        "--rate", type=rate_per_s, metavar="R/s", help="send at this rate, in place of batches"
    )
    load.add_argument(
        "--duration", type=duration_s, metavar="D", help="for how long to send at --rate"
    )
    load.add_argument(
        "--arrival", metavar="MODEL", help="constant (default) or poisson, with --rate"
    )
    load.add_argument(
        "--queue", default="load_test", metavar="Q", help="load_test (default), system or media"
    )
    load.add_argument(
        "--param",
        action="append",
        type=parameter,
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the task type: see `loadlab info TYPE`",
    )
    load.add_argument(
        "--seed", type=whole, default=0, metavar="N", help="equal seeds do equal work (default 0)"
    )


def add_conduct_arguments(parser: SentenceParser) -> None:
    """How it is carried out and judged."""
    judged = parser.add_argument_group("judgement")
    judged.add_argument(
        "--baseline",
        default="auto",
        metavar="B",
        help="auto (default), none, a run (lt_…), a group (lg_…) or a report file",
    )
    judged.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="EXPR",
        help="a rule such as 'p95_execution_time_ms<500'; exit code 99 if any is missed",
    )
    judged.add_argument(
        "--repeat", type=whole, default=1, metavar="K", help="run it K times, as one group"
    )
    conduct = parser.add_argument_group("conduct")
    conduct.add_argument("--label", default="", metavar="TEXT", help="a name to find it by")
    conduct.add_argument(
        "--timeout",
        type=duration_s,
        default=600.0,
        metavar="D",
        help="give up after (s, default 600)",
    )
    conduct.add_argument(
        "--workers",
        type=whole,
        default=0,
        metavar="N",
        help="start N worker processes for this run",
    )
    conduct.add_argument(
        "--wait",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="--no-wait prints the test id and leaves the run to the daemons",
    )
    conduct.add_argument("--json", action="store_true", help="print the report as JSON")


def spec_of(options: dict[str, Any], *, task_type: str) -> Spec:
    """What these options ask for; whether it can be done is `start`'s to say.

    A baseline that is a file is read here: the file is of this machine, the run perhaps not.
    """
    chosen = options["baseline"]
    return Spec(
        task_type=task_type,
        parameters=_once_each(options["param"]),
        num_tasks=options["tasks"],
        batch_size=options["batch"],
        delay_ms=options["delay"],
        rate_per_s=options["rate"],
        duration_s=options["duration"],
        arrival=options["arrival"],
        seed=options["seed"],
        target_queue=options["queue"],
        label=options["label"],
        timeout_s=options["timeout"],
        baseline=chosen,
        baseline_document=baseline_of(chosen) if names_a_file(chosen) else None,
        thresholds=tuple(options["threshold"]),
        repeat=options["repeat"],
    )


def refuse_contradictions(options: dict[str, Any]) -> None:
    """What no single option can know to be wrong."""
    if options["workers"] < 0:
        raise WrongUsage(f"--workers is {options['workers']}: it must be 0 or more.")
    if options["workers"] and not options["wait"]:
        raise WrongUsage(
            "--workers and --no-wait contradict each other: own workers stop with the command."
        )


def _once_each(given: list[tuple[str, str]]) -> dict[str, object]:
    parameters: dict[str, object] = {}
    for name, text in given:
        if name in parameters:
            raise WrongUsage(f"--param {name} is given twice: {parameters[name]} and {text}.")
        parameters[name] = text
    return parameters
