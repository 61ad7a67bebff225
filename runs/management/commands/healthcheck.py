"""`manage.py healthcheck ROLE`: does that process of this host answer? For docker and its like."""

import socket
from typing import Any

from runs.cli.command import SentenceCommand
from runs.cli.exits import ExitCode
from runs.cli.parser import SentenceParser
from runs.cli.screen import Screen
from runs.health import PORT, Role, answers_here
from workers.settings import QUEUES


class Command(SentenceCommand):
    """Exit code 0 where it answers, 1 where it does not."""

    help = "Say whether the web, a daemon or a worker of this host answers."

    def declare(self, parser: SentenceParser) -> None:
        """Which process."""
        parser.add_argument("role", choices=[role.value for role in Role], metavar="ROLE")
        parser.add_argument(
            "--queue", choices=QUEUES, default="load_test", help="of a worker (load_test)"
        )
        parser.add_argument("--port", type=int, default=PORT, help=f"of the web ({PORT})")

    def act(self, *, screen: Screen, **options: Any) -> int:
        """Ask it."""
        role = Role(options["role"])
        if answers_here(role, queue=options["queue"], port=options["port"]):
            screen.write(f"The {role} answers on {socket.gethostname()}.")
            return ExitCode.DONE
        screen.notice(f"No {role} answers on {socket.gethostname()}.")
        return ExitCode.COULD_NOT_RUN
