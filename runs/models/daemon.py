"""The daemons that are alive: who dispatches, who collects."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

ALIVE_FOR = timedelta(seconds=15)


class DaemonRole(models.TextChoices):
    """What a daemon does for runs that it did not start itself."""

    DISPATCHER = "dispatcher"
    COLLECTOR = "collector"


class DaemonQuerySet(models.QuerySet["Daemon"]):
    """Heartbeats, by the database's clock."""

    def beat(self, *, owner: str, role: DaemonRole, host: str, pid: int) -> None:
        """Say that `owner` is alive now."""
        self.update_or_create(
            owner=owner, defaults={"role": role, "host": host, "pid": pid, "beat_at": Now()}
        )

    def alive(self, role: DaemonRole) -> "DaemonQuerySet":
        """Those of a role that have beaten lately."""
        return self.filter(role=role, beat_at__gte=Now() - ALIVE_FOR)

    def sweep(self) -> None:
        """Forget those silent for a day."""
        self.filter(beat_at__lt=Now() - timedelta(days=1)).delete()


class Daemon(models.Model):
    """One daemon process and when it was last heard of."""

    owner = models.CharField(max_length=200, unique=True)
    role = models.CharField(max_length=10, choices=DaemonRole.choices)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    beat_at = models.DateTimeField(db_index=True)

    objects: ClassVar[Any] = DaemonQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.role} {self.owner}"
