"""Run by the Python of an environment with the real django-celery-results: reads a database.

Arguments: folder of PostgreSQL's socket. Prints JSON: what its model and its backend make of it.
"""

import json
import sys

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django_celery_results"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": sys.argv[1],
            "USER": "loadlab",
            "NAME": "loadlab",
        }
    },
    USE_TZ=True,
)
django.setup()

from celery import Celery  # noqa: E402 - Django's settings come first
from django.db.models import Avg, Count, F  # noqa: E402
from django_celery_results.models import TaskResult  # noqa: E402

app = Celery(broker="memory://", backend="django-db")
TaskResult.objects.all()[:100].count()
rows = list(TaskResult.objects.order_by("task_id"))
by_status = TaskResult.objects.values("status").annotate(count=Count("task_id")).order_by("status")
taken = TaskResult.objects.filter(status="SUCCESS").aggregate(
    taken=Avg(F("date_done") - F("date_started"))
)["taken"]
newest = TaskResult.objects.filter(date_started__isnull=False).first()
read = {
    "rows": [
        {"status": row.status, "name": row.task_name, "worker": row.worker, "id": row.task_id}
        for row in rows
    ],
    "by_status": {entry["status"]: entry["count"] for entry in by_status},
    "seconds": taken.total_seconds() if taken else None,
    "newest": newest.as_dict() if newest else None,
    "async_results": {
        row.task_id: [(result := app.AsyncResult(row.task_id)).state, repr(result.result)]
        for row in rows[:1] + rows[-1:]
    },
}
sys.stdout.write(json.dumps(read, default=str))
