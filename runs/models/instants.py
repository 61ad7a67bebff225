"""How an instant is written for machines and people alike: RFC 3339 in UTC."""

from datetime import datetime


def instant(at: datetime | None) -> str | None:
    """To the millisecond, with Z; None stays None."""
    if at is None:
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
