"""Configurations in the admin: workloads to name, to run, to look up the runs of."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from runs.admin import permissions
from runs.admin.doing import CONFIRMED
from runs.admin.keyset import ListedAdmin
from runs.admin.run_filters import QueueFilter
from runs.admin.wording import by_name, joined
from runs.again import MOST_AT_ONCE, refuse_more_than, run_configurations
from runs.errors import LoadLabError
from runs.models import LoadTestConfiguration


class NamedFilter(SimpleListFilter):
    """Saved under a name, or only run."""

    title = "name"
    parameter_name = "named"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those with a name."""
        return [("1", "named")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those with a name."""
        return queryset.exclude(name="") if self.value() == "1" else queryset


@admin.register(LoadTestConfiguration)
class ConfigurationAdmin(ListedAdmin):
    """Every workload that was run or saved; its content never changes, its name may."""

    list_display = ("title", "workload", "parameters_in_words", "pinned")
    list_display_links = ("title",)
    list_filter = (NamedFilter, QueueFilter)
    search_fields = ("name__startswith",)
    search_help_text = "How a name or a task type begins."
    list_select_related = ("pinned_run",)
    change_list_template = "admin/runs/configuration_list.html"
    change_form_template = "admin/runs/configuration.html"
    fields = ("name", "content")
    readonly_fields = ("content",)
    actions = ("run_selected",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """To give a name."""
        return permissions.may(request, permissions.NAME)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """By the beginning of the name or of the task type."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = queryset.filter(name__istartswith=term) | queryset.filter(
            task_type__istartswith=term
        )
        return found, False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Under the name that people give them."""
        launch = reverse("admin:runs_loadtestrun_add")
        return super().changelist_view(
            request,
            {
                "title": "Configurations",
                "launch": launch if self.has_launch_permission(request) else "",
                **(extra_context or {}),
            },
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Its name, its content, the way to its runs."""
        runs = reverse("admin:runs_loadtestrun_changelist")
        context = {
            "runs_address": f"{runs}?configuration={object_id}",
            "launch_address": f"{reverse('admin:runs_loadtestrun_add')}?configuration={object_id}",
            "may_launch": self.has_launch_permission(request),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    @admin.action(description="Run selected configurations", permissions=["launch"])
    def run_selected(
        self, request: HttpRequest, queryset: "QuerySet[LoadTestConfiguration]"
    ) -> HttpResponse | None:
        """One run of each: all of them or none."""
        chosen = list(queryset.order_by("pk")[: MOST_AT_ONCE + 1])
        try:
            refuse_more_than(MOST_AT_ONCE, given=len(chosen))
            if CONFIRMED not in request.POST:
                return self._ask(request, chosen)
            runs = run_configurations([each.pk for each in chosen], requested_by=request.user)
        except LoadLabError as error:
            messages.error(request, str(error))
            return None
        for run in runs:
            self.log_addition(request, run, "Launched.")
        messages.success(request, f"Launched: {', '.join(run.test_id for run in runs[:3])}.")
        return HttpResponseRedirect(reverse("admin:runs_loadtestrun_changelist"))

    @admin.display(description="configuration")
    def title(self, configuration: LoadTestConfiguration) -> str:
        """Its name, else what it is."""
        return joined(configuration)

    @admin.display(description="workload")
    def workload(self, configuration: LoadTestConfiguration) -> str:
        """What is sent, and where."""
        return joined(f"{configuration.in_words} on {configuration.target_queue}")

    @admin.display(description="parameters")
    def parameters_in_words(self, configuration: LoadTestConfiguration) -> str:
        """Name and value of each."""
        given = configuration.parameters.items()
        return ", ".join(f"{name} {by_name(name, value)}" for name, value in given) or "–"

    @admin.display(description="baseline")
    def pinned(self, configuration: LoadTestConfiguration) -> SafeString | str:
        """The pinned run."""
        run = configuration.pinned_run
        if run is None:
            return "history"
        address = reverse("admin:runs_loadtestrun_change", args=[run.test_id])
        return format_html('<a href="{}">{}</a>', address, run.test_id)

    @admin.display(description="content")
    def content(self, configuration: LoadTestConfiguration) -> str:
        """All that makes this workload this workload."""
        content = configuration.content.items()
        return "\n".join(f"{name}: {by_name(name, value)}" for name, value in content)

    def _ask(self, request: HttpRequest, chosen: list[LoadTestConfiguration]) -> HttpResponse:
        return TemplateResponse(
            request,
            "admin/runs/confirm_configurations.html",
            {
                **self.admin_site.each_context(request),
                "title": "Run selected configurations",
                "configurations": chosen,
                "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
                "back": reverse("admin:runs_loadtestconfiguration_changelist"),
            },
        )
