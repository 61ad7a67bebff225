"""`load_test run`: start a run, or a group of them, conduct it here and print its report."""

import asyncio
from typing import Any

from asgiref.sync import sync_to_async

from runs.cli.conducting import conducted
from runs.cli.exits import ExitCode, exit_code_of, exit_code_of_group
from runs.cli.parser import SentenceParser
from runs.cli.rendering.group import group_lines
from runs.cli.rendering.run import run_lines
from runs.cli.run_options import (
    add_conduct_arguments,
    add_workload_arguments,
    refuse_contradictions,
    spec_of,
)
from runs.cli.screen import Screen
from runs.conduct import Watcher, conduct_here, refuse_what_does_not_fit
from runs.daemons import new_owner
from runs.errors import NotAllowedNow
from runs.models import Daemon, LoadTestRun
from runs.models.daemon import DaemonRole
from runs.report import group_document, report_document
from runs.spec import Spec, validate
from runs.start import cancel_run, start_runs

NAME = "run"
SUMMARY = "run a load test and print its report"


def add_arguments(parser: SentenceParser) -> None:
    """All options of a run."""
    parser.add_argument(
        "--type", default="io_simulation", metavar="T", help="task type (default io_simulation)"
    )
    add_workload_arguments(parser)
    add_conduct_arguments(parser)


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Run it."""
    return carry_out(options, task_type=options["type"], screen=screen)


def carry_out(options: dict[str, Any], *, task_type: str, screen: Screen) -> int | None:
    """Start what the options ask for; conduct it here, or leave it to the daemons."""
    refuse_contradictions(options)
    spec = spec_of(options, task_type=task_type)
    planned = validate(spec).num_tasks or 0
    if not options["wait"]:
        return _leave_to_daemons(spec, planned=planned, as_json=options["json"], screen=screen)
    runs: list[LoadTestRun] = []

    async def work(watcher: Watcher) -> bool:
        await refuse_what_does_not_fit(num_tasks=planned)
        await _run_all(spec, runs=runs, workers=options["workers"], watcher=watcher)
        return True

    ended = conducted(work, runs=spec.repeat, screen=screen)
    code = show_reports(runs, as_json=options["json"], screen=screen)
    return code if ended else ExitCode.CANCELLED


def show_reports(runs: list[LoadTestRun], *, as_json: bool, screen: Screen) -> ExitCode:
    """Print one run's report, or the group's; the exit code is that of the gravest of them."""
    if not runs:
        return ExitCode.DONE
    grouped = runs[0].group_id
    # why read again: a run that was cancelled while it waited has changed in the database only
    run = LoadTestRun.objects.named(runs[0].test_id)
    document = group_document(grouped) if grouped else report_document(run)
    if as_json:
        screen.json(document)
    else:
        screen.show((group_lines if grouped else run_lines)(document, sheet=screen.sheet))
    return exit_code_of_group(document) if grouped else exit_code_of([document])


async def _run_all(spec: Spec, *, runs: list[LoadTestRun], workers: int, watcher: Watcher) -> None:
    """Fill `runs` and conduct them; what is not begun when this ends early is cancelled."""
    owner = new_owner()
    try:
        starting = asyncio.ensure_future(sync_to_async(start_runs)(spec=spec, held_by=owner))
        try:
            await asyncio.shield(starting)
        finally:  # why: a signal meanwhile must not leave runs that nobody knows of
            runs.extend(await starting)
        await conduct_here(runs, workers=workers, watcher=watcher, owner=owner)
    except (Exception, asyncio.CancelledError):
        for run in runs:
            await sync_to_async(_give_up)(run)
        raise


def _give_up(run: LoadTestRun) -> None:
    try:
        cancel_run(test_id=run.test_id)
    except NotAllowedNow:
        return  # it has ended, as it should


def _leave_to_daemons(spec: Spec, *, planned: int, as_json: bool, screen: Screen) -> int | None:
    asyncio.run(refuse_what_does_not_fit(num_tasks=planned))
    runs = start_runs(spec=spec)
    if as_json:
        show_reports(runs, as_json=True, screen=screen)
    else:
        screen.write(runs[0].group_id or runs[0].test_id)
    for role in DaemonRole:
        if not Daemon.objects.alive(role).exists():
            screen.notice(
                f"No {role.value} is running, so it waits: `make up` starts all it needs."
            )
    return None
