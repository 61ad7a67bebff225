"""Which launch did a key start? So that a launch whose answer was lost can be sent again."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now

KEPT_FOR = timedelta(hours=24)
MAX_KEY = 255


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """Keys, by the database's clock."""

    def claim(self, *, owner: str, key: str, fingerprint: str) -> tuple["IdempotencyKey", bool]:
        """The row of this key and whether it is new; to be called inside a transaction.

        Keys that are too old to count are forgotten first.

        Of two that claim one key at once, the second waits until the first has committed and then
        finds its row.
        """
        self.filter(created_at__lt=Now() - KEPT_FOR).delete()
        self.bulk_create(
            [self.model(owner=owner, key=key, fingerprint=fingerprint)], ignore_conflicts=True
        )
        row = self.select_for_update().get(owner=owner, key=key)
        return row, not row.test_ids


class IdempotencyKey(models.Model):
    """One key of one caller, the launch it was sent with and the runs that this launch started."""

    owner = models.CharField(max_length=100)
    key = models.CharField(max_length=MAX_KEY)
    fingerprint = models.CharField(max_length=64)
    test_ids = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    objects: ClassVar[Any] = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "key"], name="one_launch_per_key"),)

    def __str__(self) -> str:
        return f"{self.key} of {self.owner}"

    def remember(self, test_ids: list[str]) -> Self:
        """Note the runs that the launch with this key started."""
        self.test_ids = test_ids
        self.save(update_fields=["test_ids"])
        return self
