"""The app: what a load test is and what it means."""

from contextlib import suppress
from typing import Any

from django.apps import AppConfig
from django.db import ProgrammingError
from django.db.models.signals import post_migrate, pre_migrate


class RunsConfig(AppConfig):
    """Load tests of arq queues."""

    name = "runs"
    verbose_name = "Load tests"
    celery_view_set_aside = False

    def ready(self) -> None:
        """Have the settings checked."""
        from runs import checks  # noqa: F401 - the import registers them

        pre_migrate.connect(_set_celery_view_aside, sender=self)
        post_migrate.connect(_put_celery_view_back, sender=self)


def _set_celery_view_aside(sender: RunsConfig, **migration: Any) -> None:
    """PostgreSQL changes no column that a view shows."""
    from runs import celery_view  # why here: no other command needs it

    sender.celery_view_set_aside = bool(migration["plan"]) and celery_view.drop_ours()


def _put_celery_view_back(sender: RunsConfig, **_: Any) -> None:
    if sender.celery_view_set_aside:
        from runs import celery_view  # why here: no other command needs it

        sender.celery_view_set_aside = False
        with suppress(ProgrammingError):  # a schema without tasks has nothing to show
            celery_view.create()
