"""How often has a caller asked in this minute? One row a caller, counted in one statement."""

from typing import Any, ClassVar

from django.db import connection, models

WINDOW_S = 60


class RequestCountQuerySet(models.QuerySet["RequestCount"]):
    """Counts, by the database's clock: every web process sees the same one."""

    def count_one(self, caller: str) -> tuple[int, int]:
        """Add one request; how many there were in this window, and the seconds left of it.

        Some callers that have not asked for a day are forgotten on the way.
        """
        with connection.cursor() as cursor:
            cursor.execute(_COUNT_ONE, {"caller": caller, "window": WINDOW_S})
            count, left = cursor.fetchone()
        return count, left


class RequestCount(models.Model):
    """The requests of one caller in the window that began at `window`."""

    caller = models.CharField(max_length=100, primary_key=True)
    window = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    objects: ClassVar[Any] = RequestCountQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.count} of {self.caller}"


# why fixed windows: one statement and one row a caller; at worst twice the rate over two windows
_COUNT_ONE = """
WITH now AS (
    SELECT to_timestamp(floor(extract(epoch FROM now()) / %(window)s) * %(window)s) AS start
), forgotten AS (
    DELETE FROM runs_requestcount WHERE caller IN (
        SELECT caller FROM runs_requestcount
        WHERE "window" < now() - interval '1 day' AND caller <> %(caller)s
        ORDER BY "window" LIMIT 10 FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO runs_requestcount AS known (caller, "window", count)
SELECT %(caller)s, start, 1 FROM now
ON CONFLICT (caller) DO UPDATE SET
    count = CASE WHEN known."window" = excluded."window" THEN known.count + 1 ELSE 1 END,
    "window" = excluded."window"
RETURNING count, ceil(extract(epoch FROM "window" + %(window)s * interval '1 second' - now()))::int
"""
