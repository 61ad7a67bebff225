"""Tasks as the admin of django-celery-results shows them: its columns, filters and words.

The same rows as the page of tasks; read off the primary key, so two million cost what a hundred do.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import ShowFacets, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from runs.admin.keyset import CappedPaginator
from runs.admin.seen import SeenAdmin
from runs.celery_view import STATE_OF
from runs.errors import LoadLabError
from runs.models import LoadTestRun, TaskResult
from runs.states import TaskState
from runs.terminate import MOST_AT_ONCE, terminate_tasks
from workers.celery.revocation import Fate
from workers.celery.states import READY_STATES
from workers.errors import WorkersError
from workers.tasks.registry import TaskType, task_types

Tasks = QuerySet[TaskResult]
RUNS_LOOKED_AT = 100  # newest runs whose workers can be chosen


class StatusFilter(SimpleListFilter):
    """The states that a task with a row can be in."""

    title = "task state"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Fixed: none is looked for in the table."""
        return [(state.value, state.value) for state in sorted(READY_STATES, reverse=True)]

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        """Those whose state Celery calls so."""
        if not self.value():
            return queryset
        ours = [state.value for state, celerys in STATE_OF.items() if celerys == self.value()]
        return queryset.filter(state__in=ours)


class DoneFilter(SimpleListFilter):
    """When they ended, in the admin's usual steps."""

    title = "completed DateTime"
    parameter_name = "date_done"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """As Django has them."""
        return [(name, name) for name in _beginnings()]

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        """Since then."""
        since = _beginnings().get(self.value() or "")
        return queryset.filter(finished_at__gte=since) if since else queryset


class NameFilter(SimpleListFilter):
    """The function, as arq and Flower name it."""

    title = "task name"
    parameter_name = "task_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Those that are registered."""
        return [(kind.function, kind.function) for kind in _types()]

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        """The tasks of the runs that sent it."""
        named = [kind.name for kind in _types() if kind.function == self.value()]
        return _of_types(queryset, named) if self.value() else queryset


class WorkerFilter(SimpleListFilter):
    """A worker process of the latest runs."""

    title = "worker"
    parameter_name = "worker"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """What these runs remember of their fleets."""
        fleets = LoadTestRun.objects.order_by("-pk").values_list("fleet", flat=True)
        names = {worker["worker_id"] for fleet in fleets[:RUNS_LOOKED_AT] for worker in fleet}
        return [(name, name) for name in sorted(names)]

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        """Those that it ran: looked for in the runs that remember it."""
        if not self.value():
            return queryset
        served = LoadTestRun.objects.filter(fleet__contains=[{"worker_id": self.value()}])
        runs = list(served.values_list("pk", flat=True))
        return queryset.filter(run__in=runs, worker=self.value())


@admin.register(TaskResult)
class TaskResultAdmin(SeenAdmin):
    """Every field is read-only, as there."""

    list_display = (
        *("task_id", "periodic_task_name", "task_name", "date_done", "status", "worker"),
    )
    list_filter = (StatusFilter, DoneFilter, NameFilter, WorkerFilter)
    search_fields = ("task_id__startswith",)
    search_help_text = "A task id, how one begins, or a task name."
    ordering = ("-task_id",)
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 50
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    actions = ("terminate_task",)
    fieldsets = (
        (
            None,
            {"fields": ("task_id", "task_name", "periodic_task_name", "status", "worker")},
        ),
        ("Parameters", {"fields": ("task_args", "task_kwargs")}),
        (
            "Result",
            {
                "fields": (
                    *("result", "date_created", "date_started", "date_done"),
                    *("traceback", "meta"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Tasks:
        """With the run and its workload, which name and parameters come from."""
        tasks: Tasks = super().get_queryset(request).select_related("run__configuration")
        large = ("report", "figures", "fleet", "observed", "environment", "notes")
        return tasks.defer(*(f"run__{name}" for name in large))

    def get_search_results(
        self, request: HttpRequest, queryset: Tasks, search_term: str
    ) -> tuple[Tasks, bool]:
        """By the beginning of the id, or by name: each is answered by an index."""
        term = search_term.strip()
        named = [kind.name for kind in _types() if term and term in {kind.name, kind.function}]
        if named:
            return _of_types(queryset, named), False
        return (queryset.filter(task_id__startswith=term) if term else queryset), False

    @admin.action(description="Terminate selected tasks", permissions=["cancel"])
    def terminate_task(self, request: HttpRequest, queryset: Tasks) -> None:
        """arq's abort, and what came of it: a row says that the task has ended, mostly."""
        ids = list(queryset.values_list("task_id", flat=True)[: MOST_AT_ONCE + 1])
        if len(ids) > MOST_AT_ONCE:
            self.message_user(request, f"At most {MOST_AT_ONCE} tasks at once.", "warning")
            return
        try:
            fates = terminate_tasks(ids)
        except (LoadLabError, WorkersError) as error:
            self.message_user(request, str(error), "error")
            return
        ended = [task_id for task_id, fate in fates.items() if fate is not Fate.UNKNOWN]
        for task in queryset.filter(pk__in=ended):
            self.log_change(request, task, f"Terminate: {fates[task.task_id]}.")
        over = len(ids) - len(ended)
        self.message_user(
            request,
            f"{len(ended)} terminated; {over} had ended already, which cannot be undone.",
            "success" if ended else "warning",
        )

    @admin.display(description="Periodic Task Name")
    def periodic_task_name(self, _: TaskResult) -> None:
        """None: tasks of a load test have no schedule."""

    @admin.display(description="Task Name")
    def task_name(self, task: TaskResult) -> str:
        """As arq and Flower name it."""
        kind = task_types().get(task.run.configuration.task_type)
        return kind.function if kind else task.run.configuration.task_type

    @admin.display(description="Completed DateTime")
    def date_done(self, task: TaskResult) -> datetime | None:
        """When its worker was done with it."""
        return task.finished_at

    @admin.display(description="Started DateTime")
    def date_started(self, task: TaskResult) -> datetime | None:
        """When its worker began."""
        return task.started_at

    @admin.display(description="Created DateTime")
    def date_created(self, task: TaskResult) -> datetime | None:
        """When it was queued."""
        return task.enqueued_at or task.intended_at

    @admin.display(description="Task State")
    def status(self, task: TaskResult) -> str:
        """Celery's word."""
        return STATE_OF[TaskState(task.state)].value

    @admin.display(description="Task Positional Arguments")
    def task_args(self, _: TaskResult) -> str:
        """None: tasks of a load test are called by keyword."""
        return "[]"

    @admin.display(description="Task Named Arguments")
    def task_kwargs(self, task: TaskResult) -> str:
        """The run's parameters and seed."""
        configuration = task.run.configuration
        return json.dumps({**configuration.parameters, "seed": configuration.seed})

    @admin.display(description="Result Data")
    def result(self, task: TaskResult) -> str:
        """What it returned, or how it failed."""
        if task.error_type:
            return f"{task.error_type}: {task.error_message}"
        return json.dumps(task.metrics)

    @admin.display(description="Task Meta Information")
    def meta(self, task: TaskResult) -> str:
        """What Celery has no column for."""
        return json.dumps(
            {"run_id": task.run.test_id, "queue": task.run.target_queue, "retries": task.retries}
        )


def _types() -> list[TaskType]:
    try:
        return list(task_types().values())
    except WorkersError:  # a module of the user cannot be loaded; the lists go on without
        return []


def _of_types(tasks: Tasks, names: list[str]) -> Tasks:
    return _of_runs(tasks, LoadTestRun.objects.filter(configuration__task_type__in=names))


def _of_runs(tasks: Tasks, runs: QuerySet[LoadTestRun]) -> Tasks:
    # why a list: the planner then knows how few of the tasks these are
    ids = dict(runs.values_list("pk", "test_id"))
    # why a bound: the list is walked from the newest task on; "." is what comes after "-"
    newest = max(ids.values(), default="")
    return tasks.filter(run__in=list(ids), task_id__lt=f"{newest}.")


def _beginnings() -> dict[str, datetime]:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "Today": today,
        "Past 7 days": today - timedelta(days=7),
        "This month": today.replace(day=1),
        "This year": today.replace(month=1, day=1),
    }
