"""`manage.py load_test …`: run load tests, read their reports, ask what limits a queue."""

from typing import Any

from runs.cli.command import SentenceCommand
from runs.cli.parser import SentenceParser
from runs.cli.registry import declare_subcommands
from runs.cli.screen import Screen


class Command(SentenceCommand):
    """One subcommand, one module of `runs.cli`."""

    help = "Load-test an arq queue: how fast it is, what limits it, what to change."

    def declare(self, parser: SentenceParser) -> None:
        """Every subcommand with its own arguments."""
        declare_subcommands(parser)

    def act(self, *, screen: Screen, **options: Any) -> int | None:
        """Let the subcommand do it."""
        code: int | None = options["act"](options, screen=screen)
        return code
