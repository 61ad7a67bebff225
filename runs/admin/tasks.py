"""Tasks in the admin: those of a run, the latest of all, or one by its id; and the page of a task.

Each of these lists is read off one index, so two million rows cost what a hundred do.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from runs.admin.keyset import KeysetChangeList, ListedAdmin
from runs.admin.tags import when
from runs.admin.task_report import task_report
from runs.admin.wording import NONE, duration_s
from runs.models import LoadTestRun, TaskMetric
from runs.states import TaskState

RUN, STATE, ORDER, ERROR = "run", "state", "order", "error"
SLOWEST = "slowest"
ERRORS_LOOKED_AT = 50_000  # failed tasks of a run among which one type of error is looked for


class RunFilter(SimpleListFilter):
    """The tasks of one run: reached from its page."""

    title = "run"
    parameter_name = RUN

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The one that was asked for."""
        asked = request.GET.get(RUN)
        return [(asked, asked)] if asked else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Its tasks."""
        asked = self.value()
        if not asked:
            return queryset
        run = LoadTestRun.objects.filter(test_id=asked).values_list("pk", flat=True).first()
        return queryset.filter(run=run) if run else queryset.none()


class StateFilter(SimpleListFilter):
    """What became of them; completed is the rule, so only the others can be asked for."""

    title = "state"
    parameter_name = STATE

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Within one run only: there an index answers."""
        if not request.GET.get(RUN):
            return []
        return [(s.value, s.value) for s in TaskState if s is not TaskState.COMPLETED]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those in the state."""
        return queryset.filter(state=self.value()) if self.value() else queryset


class OrderFilter(SimpleListFilter):
    """In which order they come."""

    title = "order"
    parameter_name = ORDER

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Within one run only."""
        return [(SLOWEST, "slowest first")] if request.GET.get(RUN) else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those that ran at all; the order itself is the list's."""
        return queryset


class ErrorFilter(SimpleListFilter):
    """One type of error among the failed tasks of a run: reached from its page."""

    title = "error"
    parameter_name = ERROR

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The one that was asked for."""
        asked = request.GET.get(ERROR)
        return [(asked, asked)] if asked and request.GET.get(RUN) else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Looked for among the first failed ones: no index knows types of errors."""
        if not self.value():
            return queryset
        failed = queryset.filter(state=TaskState.FAILED.value).order_by("sequence")
        looked_at = failed.values("pk")[:ERRORS_LOOKED_AT]
        return queryset.filter(pk__in=looked_at, error_type=self.value())


@admin.register(TaskMetric)
class TaskAdmin(ListedAdmin):
    """What became of each task."""

    list_display = ("task", "state", "took", "finished", "attempts", "worker", "error")
    list_display_links = ("task",)
    list_filter = (RunFilter, StateFilter, OrderFilter, ErrorFilter)
    search_fields = ("task_id__startswith",)
    search_help_text = "A task id, or how it begins."
    ordering = ("pk",)
    list_per_page = 100
    actions = None
    change_list_template = "admin/runs/task_list.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without what only the page of a task needs."""
        return TaskMetric.objects.defer("metrics", "traceback")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        """Pages without OFFSET."""
        return TaskChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """By the beginning of the id, which the primary key answers."""
        term = search_term.strip()
        return (queryset.filter(task_id__startswith=term) if term else queryset), False

    def page_behind(self, request: HttpRequest, queryset: Any, place: str) -> Any:
        """The tasks behind a place in the order of this list."""
        order = order_of(request)
        try:
            return _BEHIND[order](queryset, *place.split(":"))
        except (TypeError, ValueError, OverflowError):
            return queryset.none()

    def place_of(self, request: HttpRequest, task: TaskMetric) -> str:
        """Where the page behind a task begins."""
        return _PLACES[order_of(request)](task)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Under the name of the run whose tasks these are."""
        run = request.GET.get(RUN)
        title = f"Tasks of {run}" if run else "Tasks"
        return super().changelist_view(
            request, {"title": title, "of_run": run, **(extra_context or {})}
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of a task."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        tasks = TaskMetric.objects.select_related("run__configuration")
        task = tasks.filter(task_id=object_id).first()
        if task is None:
            raise Http404(f"There is no task {object_id!r}.")
        context = self.admin_site.each_context(request)
        context |= {"title": f"Task {task.sequence}", "task": task, "report": task_report(task)}
        return TemplateResponse(request, "admin/runs/task.html", context)

    @admin.display(description="task")
    def task(self, task: TaskMetric) -> str:
        """Its id."""
        return task.task_id

    @admin.display(description="run time")
    def took(self, task: TaskMetric) -> str:
        """Finished − started."""
        return duration_s(task.execution_time_s)

    @admin.display(description="finished, UTC")
    def finished(self, task: TaskMetric) -> Any:
        """When."""
        return when(task.finished_at, zone="") or NONE

    @admin.display(description="attempts")
    def attempts(self, task: TaskMetric) -> int:
        """The first and every retry."""
        return task.retries + 1

    @admin.display(description="error")
    def error(self, task: TaskMetric) -> str:
        """Its type."""
        return task.error_type or NONE


class TaskChangeList(KeysetChangeList):
    """Its order follows from what is asked for, so that an index gives it."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """In the order of this list."""
        return _ORDERED[order_of(request)](super().get_queryset(request, exclude_parameters))


def order_of(request: HttpRequest) -> str:
    """By id where ids are looked for, in sequence or slowest first within a run, else latest."""
    if request.GET.get("q", "").strip():
        return "id"
    if not request.GET.get(RUN):
        return "latest"
    return SLOWEST if request.GET.get(ORDER) == SLOWEST else "sequence"


def _latest(tasks: Any) -> Any:
    return tasks.filter(finished_at__isnull=False).order_by("-finished_at", "-task_id")


def _slowest(tasks: Any) -> Any:
    return tasks.slowest()


_ORDERED: dict[str, Callable[[Any], Any]] = {
    "id": lambda tasks: tasks.order_by("task_id"),
    "sequence": lambda tasks: tasks.order_by("sequence"),
    SLOWEST: _slowest,
    "latest": _latest,
}


def _behind_latest(tasks: Any, microseconds: str, task_id: str) -> Any:
    at = _EPOCH + timedelta(microseconds=int(microseconds))
    earlier = Q(finished_at__lt=at) | Q(finished_at=at, task_id__lt=task_id)
    return tasks.filter(earlier, finished_at__lte=at)


def _behind_slowest(tasks: Any, microseconds: str, sequence: str) -> Any:
    return tasks.slowest_after(
        execution_time=timedelta(microseconds=int(microseconds)), sequence=int(sequence)
    )


_BEHIND: dict[str, Callable[..., Any]] = {
    "id": lambda tasks, task_id: tasks.filter(task_id__gt=task_id),
    "sequence": lambda tasks, sequence: tasks.filter(sequence__gt=int(sequence)),
    SLOWEST: _behind_slowest,
    "latest": _behind_latest,
}
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)


def _place_of_latest(task: TaskMetric) -> str:
    return f"{((task.finished_at or _EPOCH) - _EPOCH) // _MICROSECOND}:{task.task_id}"


def _place_of_slowest(task: TaskMetric) -> str:
    started = task.started_at or _EPOCH
    return f"{((task.finished_at or started) - started) // _MICROSECOND}:{task.sequence}"


_PLACES: dict[str, Callable[[TaskMetric], str]] = {
    "id": lambda task: task.task_id,
    "sequence": lambda task: str(task.sequence),
    SLOWEST: _place_of_slowest,
    "latest": _place_of_latest,
}
