"""`load_test run`: start a run, or a group of them, conduct it here and print its report."""

import asyncio
from typing import Any

from asgiref.sync import sync_to_async

from runs.cli.exits import ExitCode, exit_code_of
from runs.cli.parser import SentenceParser
from runs.cli.progress import progress_line
from runs.cli.rendering.group import group_lines
from runs.cli.rendering.run import run_lines
from runs.cli.run_options import (
    add_conduct_arguments,
    add_workload_arguments,
    refuse_contradictions,
    spec_of,
)
from runs.cli.screen import Screen
from runs.cli.signals import signals_cancel
from runs.conduct import conduct_here, refuse_what_does_not_fit
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
    runs, cancelled = asyncio.run(
        _conducted(spec, planned=planned, workers=options["workers"], screen=screen)
    )
    code = show_reports(runs, as_json=options["json"], screen=screen)
    return ExitCode.CANCELLED if cancelled else code


def show_reports(runs: list[LoadTestRun], *, as_json: bool, screen: Screen) -> ExitCode:
    """Print one run's report, or the group's; the exit code is that of the gravest of them."""
    if not runs:
        return ExitCode.DONE
    grouped = runs[0].group_id
    # why read again: a run that was cancelled while it waited has changed in the database only
    run = LoadTestRun.objects.named(runs[0].test_id)
    document = group_document(grouped) if grouped else report_document(run)
    render = group_lines if grouped else run_lines
    if as_json:
        screen.json(document)
    else:
        screen.show(render(document, sheet=screen.sheet))
    return exit_code_of(document["runs"] if grouped else [document])


async def _conducted(
    spec: Spec, *, planned: int, workers: int, screen: Screen
) -> tuple[list[LoadTestRun], bool]:
    """The runs, ended, and whether a signal ended them."""
    runs: list[LoadTestRun] = []
    owner = new_owner()
    with (
        progress_line(screen, runs=spec.repeat) as watcher,
        signals_cancel(asyncio.current_task(), say=watcher.notice),
    ):
        try:
            await refuse_what_does_not_fit(num_tasks=planned)
            await _start(spec, owner=owner, runs=runs)
            await conduct_here(runs, workers=workers, watcher=watcher, owner=owner)
        except asyncio.CancelledError:
            await _abandon(runs)
            return runs, True
        except Exception:
            await _abandon(runs)
            raise
    return runs, False


async def _start(spec: Spec, *, owner: str, runs: list[LoadTestRun]) -> None:
    """Store the runs; a signal meanwhile waits, so that none is left that nobody knows of."""
    starting = asyncio.ensure_future(sync_to_async(start_runs)(spec=spec, held_by=owner))
    try:
        await asyncio.shield(starting)
    finally:
        runs.extend(await starting)


async def _abandon(runs: list[LoadTestRun]) -> None:
    """Cancel what was not begun, so that no daemon takes it later."""
    for run in runs:
        try:
            await sync_to_async(cancel_run)(test_id=run.test_id)
        except NotAllowedNow:
            continue  # it has ended, as it should


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
