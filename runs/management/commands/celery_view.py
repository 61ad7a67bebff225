"""`manage.py celery_view create|drop`: the stored tasks as django-celery-results' table."""

from typing import Any

from runs import celery_view
from runs.cli.command import SentenceCommand
from runs.cli.parser import SentenceParser
from runs.cli.screen import Screen


class Command(SentenceCommand):
    """A view for queries and reports that were written for Celery."""

    help = f"Create or drop the view {celery_view.VIEW} over the stored tasks."

    def declare(self, parser: SentenceParser) -> None:
        """Which of the two."""
        parser.add_argument("what", choices=("create", "drop"))

    def act(self, *, screen: Screen, **options: Any) -> None:
        """Do it and say so."""
        if options["what"] == "create":
            celery_view.create()
            screen.write(f"The view {celery_view.VIEW} shows the stored tasks.")
        elif celery_view.drop():
            screen.write(f"The view {celery_view.VIEW} is gone; the tasks stay.")
        else:
            screen.write(f"There is no view {celery_view.VIEW}.")
