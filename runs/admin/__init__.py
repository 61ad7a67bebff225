"""The admin: launch, watch, understand and compare load tests where Django people live."""

from runs.admin import celery_results, configurations, people, runs, tasks

__all__ = ["celery_results", "configurations", "people", "runs", "tasks"]
