"""`manage.py runworker_loadtest`: serve a queue with one worker or several."""

import asyncio
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from runs.cli.command import SentenceCommand
from runs.cli.exits import ExitCode
from runs.cli.figures import counted
from runs.cli.parser import SentenceParser
from runs.cli.quantities import whole
from runs.cli.screen import Screen
from workers.settings import QUEUES
from workers.supervising import MAX_PROCESSES, answering, serve


class Command(SentenceCommand):
    """The workers of a queue, until SIGTERM or Ctrl-C."""

    help = "Serve a queue: run arq workers for it until told to stop."

    def declare(self, parser: SentenceParser) -> None:
        """What to serve and how."""
        parser.add_argument(
            "--queue", choices=QUEUES, default="load_test", help="the queue (load_test)"
        )
        parser.add_argument(
            "--processes", type=_processes, default=1, metavar="N", help="worker processes (1)"
        )
        parser.add_argument("--burst", action="store_true", help="end when the queue is empty")
        parser.add_argument(
            "--check", action="store_true", help="only say whether a worker answers"
        )
        parser.add_argument(
            "--watch", type=_folder, metavar="DIR", help="start anew when code in DIR changes"
        )
        parser.add_argument("--verbose", action="store_true", help="log every task")

    def act(self, *, screen: Screen, **options: Any) -> int | None:
        """Serve, or say who does."""
        queue = options["queue"]
        if options["check"]:
            workers = asyncio.run(answering(queue))
            screen.write(f"{counted(len(workers), 'worker')} on {queue}")
            return ExitCode.DONE if workers else ExitCode.COULD_NOT_RUN
        serve(
            queue,
            processes=options["processes"],
            burst=options["burst"],
            watch=options["watch"],
            verbose=options["verbose"],
        )
        return None


def _processes(given: str) -> int:
    number = whole(given)
    if not 1 <= number <= MAX_PROCESSES:
        raise ArgumentTypeError(f"{given}: it must be from 1 to {MAX_PROCESSES}")
    return number


def _folder(given: str) -> Path:
    folder = Path(given)
    if not folder.is_dir():
        raise ArgumentTypeError(f"{given}: there is no such folder")
    return folder
