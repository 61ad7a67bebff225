"""Which PostgreSQL does Django talk to: the one that DATABASE_URL names, or the embedded one?"""

from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

CONNECT_TIMEOUT_S = 5
_SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
_SHAPE = "postgres://USER:PASSWORD@HOST:PORT/NAME"


def database(url: str | None) -> dict[str, Any]:
    """Django's settings of one database; without a URL the embedded server, not imported here."""
    if not url:
        return {"ENGINE": "loadlab.embedded", "NAME": "loadlab", "USER": "loadlab"}
    # why no URL in the messages: it holds the password
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL is not a URL: write {_SHAPE}.") from error
    if scheme not in _SCHEMES:
        raise ImproperlyConfigured(
            f"DATABASE_URL names {scheme or 'no scheme'!r} and loadlab stores its runs in "
            f"PostgreSQL only: write {_SHAPE}, or leave it unset for the embedded server."
        )
    try:
        settings: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: write {_SHAPE}.") from error
    options = settings.setdefault("OPTIONS", {})
    if (
        "host" in options
    ):  # why: django-environ leaves ?host=/socket/folder where Django overlooks it
        settings["HOST"] = options.pop("host")
    options.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
    return settings
