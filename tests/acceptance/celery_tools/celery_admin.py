"""Run by the Python of an environment with the real django-celery-results: what is its admin like?

Prints a JSON object of what a person sees of its list and page of tasks.
"""

import json
import sys

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django_celery_results",
    ]
)
django.setup()

from django.contrib import admin  # noqa: E402 - Django's settings come first
from django.contrib.admin.utils import label_for_field  # noqa: E402
from django_celery_results.admin import TaskResultAdmin  # noqa: E402
from django_celery_results.models import TaskResult  # noqa: E402

shown = TaskResultAdmin(TaskResult, admin.site)
fields = [name for _, options in shown.fieldsets for name in options["fields"]]
sys.stdout.write(
    json.dumps(
        {
            "list_display": shown.list_display,
            "list_filter": shown.list_filter,
            "fieldsets": [str(title or "") for title, _ in shown.fieldsets],
            "labels": {name: label_for_field(name, TaskResult, shown) for name in fields},
            "read_only": sorted(shown.get_readonly_fields(None)),
            "names": [
                str(TaskResult._meta.verbose_name),
                str(TaskResult._meta.verbose_name_plural),
            ],
        },
        default=str,
    )
)
