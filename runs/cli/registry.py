"""Which subcommands `load_test` has: each is a module, or an object, with these four names."""

from typing import Any, Protocol

from django.core.management import get_commands

from runs.cli import (
    baselines,
    cancel,
    comparing,
    dispatching,
    evaluating,
    explaining,
    info,
    listing,
    noise,
    results,
    run,
    trying,
)
from runs.cli.parser import SentenceParser
from runs.cli.preset import CPU, IO, MEMORY
from runs.cli.screen import Screen


class Subcommand(Protocol):
    """What a subcommand is: to add one, write it and name it in SUBCOMMANDS."""

    @property
    def NAME(self) -> str:  # noqa: N802  # a module's constant
        """What is typed."""

    @property
    def SUMMARY(self) -> str:  # noqa: N802  # a module's constant
        """One line for --help."""

    def add_arguments(self, parser: SentenceParser) -> None:
        """Declare its arguments."""

    def handle(self, options: dict[str, Any], *, screen: Screen) -> int | None:
        """Parse, call, print; returns the exit code."""


SUBCOMMANDS: tuple[Subcommand, ...] = (
    run,
    CPU,
    IO,
    MEMORY,
    results,
    listing,
    info,
    cancel,
    explaining,
    trying,
    comparing,
    baselines,
    evaluating,
    noise,
    dispatching,
)


def declare_subcommands(parser: SentenceParser) -> None:
    """Add every subcommand with its own arguments."""
    parser.also = sorted(get_commands())
    children = parser.add_subparsers(
        dest="subcommand", metavar="SUBCOMMAND", required=True, title="subcommands"
    )
    for subcommand in SUBCOMMANDS:
        child = children.add_parser(
            subcommand.NAME, help=subcommand.SUMMARY, description=subcommand.SUMMARY
        )
        subcommand.add_arguments(child)
        child.set_defaults(act=subcommand.handle)
