"""`load_test cancel`: stop a run, or every run of a group."""

import asyncio
from typing import Any

from runs.cli.parser import SentenceParser
from runs.cli.screen import Screen
from runs.conduct import finish_cancelling
from runs.daemons import new_owner
from runs.models import LoadTestRun
from runs.start import cancel_run

NAME = "cancel"
SUMMARY = "stop a run and take its tasks off the queue"


def add_arguments(parser: SentenceParser) -> None:
    """Which run."""
    parser.add_argument("test_id", metavar="TEST_ID", help="a run (lt_…)")


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Cancel it, clean up where nobody else does, and say what was done."""
    run = cancel_run(test_id=options["test_id"])
    if not run.is_finished:
        asyncio.run(finish_cancelling(run, owner=new_owner()))
    run = LoadTestRun.objects.named(run.test_id)
    if run.is_finished:
        screen.write(
            f"{run.test_id} is {run.status}: {run.sent_count} sent, {run.completed_count}"
            f" completed, {run.failed_count} failed, {run.cancelled_count} cancelled."
        )
    else:
        screen.write(f"{run.test_id} is being cancelled by the process that collects it.")
    return None
