"""`manage.py prune_runs --older-than DAYS`: forget old runs; pinned baselines are kept."""

from typing import Any

from runs.cli.command import SentenceCommand
from runs.cli.exits import WrongUsage
from runs.cli.figures import counted
from runs.cli.parser import SentenceParser
from runs.cli.quantities import whole
from runs.cli.screen import Screen
from runs.prune import prune

MOST_DAYS = 36_500


class Command(SentenceCommand):
    """A retention rule for cron."""

    help = "Delete the runs, with all their tasks, that were started more than DAYS days ago."

    def declare(self, parser: SentenceParser) -> None:
        """How old is old."""
        parser.add_argument(
            "--older-than", type=whole, required=True, metavar="DAYS", help="0 means all that ended"
        )

    def act(self, *, screen: Screen, **options: Any) -> None:
        """Delete them and say how many there were."""
        days = options["older_than"]
        if not 0 <= days <= MOST_DAYS:
            raise WrongUsage(f"--older-than is {days}: it must be from 0 to {MOST_DAYS} days.")
        pruned = prune(older_than_days=days)
        runs, tasks = counted(pruned.runs, "run"), counted(pruned.tasks, "task")
        kept = f"; {pruned.pinned} pinned kept" if pruned.pinned else ""
        screen.write(f"{runs} and {tasks} deleted{kept}.")
