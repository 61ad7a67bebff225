"""`manage.py collect_results`: the daemon that collects and judges the runs under way."""

from typing import Any

from runs.cli.command import SentenceCommand
from runs.cli.daemon import run_daemon
from runs.cli.screen import Screen
from runs.daemons import collect_forever


class Command(SentenceCommand):
    """The collector, until SIGTERM or Ctrl-C."""

    help = "Collect the results of every run under way and judge it (a daemon)."

    def act(self, *, screen: Screen, **options: Any) -> None:
        """Serve."""
        run_daemon(collect_forever)
