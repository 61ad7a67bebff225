"""The app: what a load test is and what it means."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Load tests of arq queues."""

    name = "runs"
    verbose_name = "Load tests"
