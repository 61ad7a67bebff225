"""Run by the Python of an environment with the real django-celery-results: reads a database.

Arguments: folder of PostgreSQL's socket, a query. Prints JSON: what the package's model and backend
make of the database, what the query gives, and how each attempt to write there ends.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from psycopg import IsolationLevel

settings.configure(
    INSTALLED_APPS=["django_celery_results"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": sys.argv[1],
            "USER": "loadlab",
            "NAME": "loadlab",
            # all readings are of one instant, also while a run adds rows
            "OPTIONS": {"isolation_level": IsolationLevel.REPEATABLE_READ},
        }
    },
    USE_TZ=True,
)
django.setup()

from celery import Celery  # noqa: E402 - Django's settings come first
from django.db import DatabaseError, connection, transaction  # noqa: E402
from django.db.models import Avg, Count, F  # noqa: E402
from django_celery_results.models import GroupResult, TaskResult  # noqa: E402

app = Celery(broker="memory://", backend="django-db")
TABLE = TaskResult._meta.db_table


def of_the_query(query: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def types_of_columns() -> dict[str, list[str]]:
    """Of each column of the model: its type there, and what Django finds in the database."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, TABLE)
    there = {
        column.name: connection.introspection.get_field_type(column.type_code, column)
        for column in found
    }
    return {
        field.column: [field.get_internal_type(), there[field.column]]
        for field in TaskResult._meta.local_fields
    }


def refused(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except DatabaseError as error:
        return str(error).partition("\n")[0]
    return ""


with transaction.atomic():
    published = of_the_query(sys.argv[2])
    rows = list(TaskResult.objects.order_by("task_id"))
    counted = (
        TaskResult.objects.values("status").annotate(count=Count("task_id")).order_by("status")
    )
    by_status = {entry["status"]: entry["count"] for entry in counted}
    taken = TaskResult.objects.filter(status="SUCCESS").aggregate(
        taken=Avg(F("date_done") - F("date_started"))
    )["taken"]
    by_number = [TaskResult.objects.filter(pk=row.pk).count() for row in rows[:1]]
read = {
    "published": published,
    "rows": [{column: getattr(row, column) for column in published[0]} for row in rows]
    if published
    else [],
    "by_status": by_status,
    "seconds": taken.total_seconds() if taken else None,
    "async_results": {
        row.task_id: [(result := app.AsyncResult(row.task_id)).state, repr(result.result)]
        for row in rows[:1] + rows[-1:]
    },
    "columns": types_of_columns(),
    "by_number": by_number,
    "refused": {
        "backend": refused(lambda: app.backend.store_result("t", {"a": 1}, "SUCCESS")),
        "update": refused(lambda: TaskResult.objects.update(status="PENDING")),
        "cleanup": refused(lambda: TaskResult.objects.delete_expired(0)),
        "groups": refused(GroupResult.objects.count),
    },
}
sys.stdout.write(json.dumps(read, default=str))
