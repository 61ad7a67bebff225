"""How the daemons hear of a change at once: NOTIFY, when the transaction around it commits."""

from django.db import connection

CHANNEL = "loadlab_runs"


def announce() -> None:
    """Wake every daemon that listens."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")
