"""Use case: let whoever tries loadlab on its own database log in, without any set-up."""

import secrets

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction

USERNAME = "demo"
EMBEDDED_ENGINE = "loadlab.embedded"
_PASSWORD_BYTES = 12


def create_demo_user() -> str | None:
    """Make the superuser `demo` and return its password, which nobody can read again.

    None, and nothing is made, on a database of somebody's own and where there is a superuser.
    """
    users = get_user_model().objects
    if not on_embedded_database() or users.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    try:
        with transaction.atomic():
            users.create_superuser(username=USERNAME, password=password)
    except IntegrityError:  # made at the same moment by another, or no superuser any more
        return None
    return password


def on_embedded_database() -> bool:
    """Whether the runs are kept by the embedded server, which only this checkout's user reaches."""
    return bool(connection.settings_dict["ENGINE"] == EMBEDDED_ENGINE)
