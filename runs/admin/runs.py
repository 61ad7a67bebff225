"""Runs in the admin: the list with its actions, and the way to the pages of one run."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from runs.admin import exports, permissions
from runs.admin.deeds import CANCEL, DEEDS, JUDGE, PIN, RUN_AGAIN, Deed
from runs.admin.doing import action_of, deed_view
from runs.admin.keyset import KeysetChangeList, ListedAdmin
from runs.admin.launching import estimate_fragment, launch_page
from runs.admin.run_filters import (
    ConfigurationFilter,
    GroupFilter,
    QueueFilter,
    StatusFilter,
    TypeFilter,
    VerdictFilter,
)
from runs.admin.run_pages import chart_csv, live_fragment, run_page, try_page
from runs.admin.tags import verdict as verdict_mark
from runs.admin.tags import when
from runs.admin.wording import joined
from runs.errors import UnknownRun
from runs.models import LoadTestRun

LARGE = ("report", "figures", "fleet", "observed", "environment", "notes", "baseline_document")
MOST_COMPARED = 10
View = Callable[..., HttpResponse]


@admin.register(LoadTestRun)
class RunAdmin(ListedAdmin):
    """The runs there are, newest first."""

    list_display = ("run", "status_or_verdict", "says", "tasks", "launched")
    list_display_links = ("run",)
    list_filter = (
        *(StatusFilter, VerdictFilter, QueueFilter, TypeFilter),
        *(GroupFilter, ConfigurationFilter),
    )
    search_fields = ("test_id__startswith",)
    search_help_text = "A test id, a group id, or how one of these or a label begins."
    change_list_template = "admin/runs/run_list.html"
    actions = (
        *(action_of(deed) for deed in (RUN_AGAIN, PIN, CANCEL, JUDGE)),
        *("compare_selected", "export_json", "export_csv"),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """To add a run is to launch it."""
        return permissions.may(request, permissions.LAUNCH)

    # The list --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> "QuerySet[LoadTestRun]":
        """Without what only the page of a run needs."""
        runs: QuerySet[LoadTestRun] = LoadTestRun.objects.select_related(
            "configuration", "requested_by"
        )
        return runs.defer(*LARGE)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        """Pages without OFFSET."""
        return RunChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """By the beginning of an id or a label: each is answered by an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.startswith(("lt_", "lg_")):
            return queryset.filter(Q(test_id__startswith=term) | Q(group_id=term)), False
        return queryset.filter(Q(label__startswith=term) | Q(test_id__startswith=term)), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, under the name that people give it."""
        return super().changelist_view(request, {"title": "Runs", **(extra_context or {})})

    @admin.display(description="run")
    def run(self, run: LoadTestRun) -> str:
        """Its id, and its label where it has one."""
        return f"{run.test_id} {run.label}".strip()

    @admin.display(description="outcome")
    def status_or_verdict(self, run: LoadTestRun) -> SafeString | str:
        """The verdict of a completed run, else how far it came."""
        if run.status == "completed" and run.verdict:
            return verdict_mark(run.verdict)
        return run.status.replace("_", " ")

    @admin.display(description="says")
    def says(self, run: LoadTestRun) -> str:
        """The stored sentence."""
        return joined(run.headline) or "–"

    @admin.display(description="workload")
    def tasks(self, run: LoadTestRun) -> str:
        """What was sent, and where."""
        return joined(f"{run.configuration.in_words} on {run.target_queue}")

    @admin.display(description="launched, UTC")
    def launched(self, run: LoadTestRun) -> SafeString:
        """When."""
        return when(run.created_at, zone="")

    # Actions that change nothing ---------------------------------------------------------------

    @admin.action(description="Compare selected", permissions=["view"])
    def compare_selected(
        self, request: HttpRequest, queryset: "QuerySet[LoadTestRun]"
    ) -> HttpResponse | None:
        """Oldest first: the others are held against it."""
        ids = list(queryset.order_by("pk").values_list("test_id", flat=True)[: MOST_COMPARED + 1])
        if not 2 <= len(ids) <= MOST_COMPARED:
            self.message_user(request, f"Choose 2 to {MOST_COMPARED} runs to compare.", "warning")
            return None
        return HttpResponseRedirect(
            f"{reverse('admin:compare')}?{urlencode({'runs': ','.join(ids)})}"
        )

    @admin.action(description="Export selected as JSON", permissions=["view"])
    def export_json(self, request: HttpRequest, queryset: "QuerySet[LoadTestRun]") -> Any:
        """Their report documents."""
        return exports.as_json(queryset.defer(None).order_by("pk"), name="runs")

    @admin.action(description="Export selected as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: "QuerySet[LoadTestRun]") -> Any:
        """A line a run."""
        return exports.as_csv(queryset.defer(None).order_by("pk"), name="runs")

    # The pages of one run ------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Before Django's own, whose last one takes everything."""
        ours = [
            self._path("estimate/", estimate_fragment, name="estimate"),
            self._path("<str:test_id>/live/", self._with_run(live_fragment), name="live"),
            self._path("<str:test_id>/try/", self._with_run(self._try), name="try"),
            self._path(
                "<str:test_id>/charts/<slug:name>.csv", self._with_run(chart_csv), name="chart"
            ),
            self._path("<str:test_id>/export.json", self._with_run(self._json), name="json"),
            self._path("<str:test_id>/export.csv", self._with_run(self._tasks_csv), name="csv"),
        ]
        ours += [
            self._path(
                f"<str:test_id>/{deed.name}/", self._with_run(self._deed(deed)), name=deed.name
            )
            for deed in DEEDS.values()
        ]
        return ours + super().get_urls()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """The page of a run, by its test id; by its number for the log of the admin."""
        return self._with_run(self._page)(request, test_id=object_id)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The launch page."""
        return launch_page(request, model_admin=self)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """A run by its id or its number."""
        return found_run(object_id)

    def _page(self, request: HttpRequest, *, run: LoadTestRun) -> HttpResponse:
        return run_page(request, run=run, model_admin=self)

    def _try(self, request: HttpRequest, *, run: LoadTestRun) -> HttpResponse:
        return try_page(request, run=run, model_admin=self)

    def _json(self, request: HttpRequest, *, run: LoadTestRun) -> HttpResponse:
        return exports.document_as_json(run)

    def _tasks_csv(self, request: HttpRequest, *, run: LoadTestRun) -> Any:
        return exports.tasks_as_csv(run)

    def _deed(self, deed: Deed) -> View:
        def view(request: HttpRequest, *, run: LoadTestRun) -> HttpResponse:
            return deed_view(request, deed=deed, run=run, model_admin=self)

        return view

    def _path(self, route: str, view: View, *, name: str) -> URLPattern:
        guarded = self.admin_site.admin_view(view)
        return path(route, guarded, name=f"runs_loadtestrun_{name}")

    def _with_run(self, view: View) -> View:
        """The view of a run that is there, for whoever may see runs."""

        def shown(request: HttpRequest, test_id: str, **more: Any) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            run = found_run(test_id)
            if run is None:
                raise Http404(f"There is no load test {test_id!r}.")
            return view(request, run=run, **more)

        return shown


class RunChangeList(KeysetChangeList):
    """Its links name runs by their test ids."""

    def url_for_result(self, result: Any) -> str:
        """The page of a run."""
        return reverse("admin:runs_loadtestrun_change", args=[result.test_id])


def found_run(reference: str) -> LoadTestRun | None:
    """The run of that test id, or of that number."""
    runs = LoadTestRun.objects.select_related("requested_by")
    try:
        run: LoadTestRun = runs.named(reference)
    except UnknownRun:
        numbered = reference.isdecimal() and len(reference) < 19
        first: LoadTestRun | None = (
            runs.select_related("configuration", "requested_by").filter(pk=int(reference)).first()
            if numbered
            else None
        )
        return first
    return run
