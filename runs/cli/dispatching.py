"""`load_test dispatch`: the daemon that sends the runs that others launched."""

from typing import Any

from runs.cli.daemon import run_daemon
from runs.cli.parser import SentenceParser
from runs.cli.screen import Screen
from runs.daemons import dispatch_forever

NAME = "dispatch"
SUMMARY = "send the runs that others launched, until stopped (a daemon)"


def add_arguments(parser: SentenceParser) -> None:
    """None: what there is to send stands in the database."""


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:  # noqa: ARG001 - as the others
    """Serve."""
    run_daemon(dispatch_forever)
    return None
