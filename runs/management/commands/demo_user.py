"""`manage.py demo_user`: somebody to log in as on the embedded database; `make up` calls it."""

from typing import Any

from runs.cli.command import SentenceCommand
from runs.cli.parser import SentenceParser
from runs.cli.screen import Screen
from runs.demo_user import USERNAME, create_demo_user, on_embedded_database


class Command(SentenceCommand):
    """Says the password once, when the user is made."""

    help = "Make a superuser for a first look, where the embedded database has none."

    def declare(self, parser: SentenceParser) -> None:
        """Where the web is."""
        parser.add_argument(
            "--url", default="http://127.0.0.1:8000", metavar="URL", help="where the web listens"
        )

    def act(self, *, screen: Screen, **options: Any) -> None:
        """Make it, and say who may log in where."""
        password = create_demo_user()
        screen.write(f"loadlab is on {options['url']}/admin/")
        if password:
            screen.write(f"Log in as {USERNAME}, password {password} (shown this once).")
        elif on_embedded_database():
            screen.write(f"Forgot the password? `loadlab changepassword {USERNAME}` sets another.")
