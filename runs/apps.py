"""The app: what a load test is and what it means."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Load tests of arq queues."""

    name = "runs"
    verbose_name = "Load tests"

    def ready(self) -> None:
        """Have the settings checked."""
        from runs import checks  # noqa: F401 - the import registers them
