"""A task as users of django-celery-results know it: the same rows under another name."""

from runs.models.task import TaskMetric


class TaskResult(TaskMetric):
    """The admin's second look at a task; it stores nothing."""

    class Meta:
        proxy = True
        verbose_name = "task result"
        default_permissions = ()  # who may see runs may see these
