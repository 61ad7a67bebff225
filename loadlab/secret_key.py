"""Which key signs sessions where SECRET_KEY is not set: one made once per checkout and kept."""

import fcntl
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_KEY_BYTES = 48  # 64 characters of base64, beyond the 50 that Django's deployment check asks for


def kept_secret_key(folder: Path) -> str:
    """Return the key in `folder/secret_key`, making it first where there is none.

    Every process of the checkout must sign alike, so reading and making happen under a lock on
    the file itself: of twelve first starts at once, one makes the key and eleven read it.
    """
    path = folder / "secret_key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The secret key cannot be kept in {path} ({error.strerror}): set SECRET_KEY, "
            "or LOADLAB_VAR to a folder of your own."
        ) from error
    with os.fdopen(descriptor, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        key = file.read().strip()
        if not key:
            key = secrets.token_urlsafe(_KEY_BYTES)
            file.write(key)
    return key
