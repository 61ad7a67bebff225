"""What do all commands have in common: one sentence on failure, an exit code that says why."""

import sys
from importlib.metadata import version
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, SystemCheckError
from django.db import connections

from runs.cli.exits import refusal
from runs.cli.parser import SentenceParser
from runs.cli.screen import Screen


class SentenceCommand(BaseCommand):
    """A Django command whose failures are one sentence on stderr and never a traceback of Django's.

    A subclass declares its arguments in `add_arguments` and does its work in `act`.
    """

    # why none: a command starts in half the time, and faces that need the checks run them all
    requires_system_checks: tuple[str, ...] = ()
    suppressed_base_arguments: set[str] = {  # noqa: RUF012  # as Django declares it
        "--version",
        "-v",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
    }

    def get_version(self) -> str:
        """loadlab's own."""
        return version("loadlab")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's parser with its base options, in our words and with our arguments."""
        base = super().create_parser(prog_name, subcommand, add_help=False, **kwargs)
        parser = SentenceParser(
            prog=base.prog.removesuffix(" load_test")
            if base.prog.startswith("loadlab ")
            else base.prog,
            description=self.help or None,
            parents=[base],
            called_from_command_line=getattr(self, "_called_from_command_line", None),
        )
        self.declare(parser)
        return parser

    def declare(self, parser: SentenceParser) -> None:
        """The arguments of this command."""

    def act(self, *, screen: Screen, **options: Any) -> int | None:
        """The work of this command; what it returns is the exit code."""
        raise NotImplementedError

    def run_from_argv(self, argv: list[str]) -> None:
        """As Django does, but a failure is its sentence alone and its own exit code."""
        self._called_from_command_line = True
        traceback_wanted = "--traceback" in argv
        try:
            options = self.create_parser(argv[0], argv[1]).parse_args(argv[2:])
            self.execute(**vars(options))
        except (Exception, KeyboardInterrupt) as error:
            told = None if traceback_wanted else refusal(error)
            if told is None:
                raise
            _say(told)
            sys.exit(told.returncode)
        finally:
            connections.close_all()

    def handle(self, *_: Any, **options: Any) -> None:
        """Do the work; an exit code other than 0 travels as an error without words."""
        code = self.act(screen=Screen.of(options), **options)
        if code:
            raise CommandError("", returncode=int(code))


def _say(told: CommandError) -> None:
    if isinstance(told, SystemCheckError):
        sys.stderr.write(f"{told}\n")
    elif str(told):
        Screen.of({}).notice(str(told))
