"""The admin site: Django's own with a dashboard for index, and pages that are no model's.

why here and not in `runs.admin`: importing that registers models, which needs the site to be there.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

# What people call them; the models keep their own names
NAMES = {
    "LoadTestRun": "Runs",
    "TaskMetric": "Tasks",
    "LoadTestConfiguration": "Configurations",
    "TaskResult": "Task results, as Celery shows them",
}


class LoadLabAdminSite(AdminSite):
    """Where load tests are launched, watched, understood and compared."""

    site_header = "loadlab"
    site_title = "loadlab"
    site_url = None
    enable_nav_sidebar = False
    index_template = "admin/runs/dashboard.html"

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """The dashboard, for whoever may see runs."""
        from runs.admin import permissions
        from runs.admin.dashboard import dashboard_context

        seen = permissions.may(request, permissions.VIEW)
        context = {
            "may_view": seen,
            "may_launch": permissions.may(request, permissions.LAUNCH),
            **(dashboard_context() if seen else {}),
            **(extra_context or {}),
        }
        return super().index(request, context)

    def get_urls(self) -> list[Any]:
        """Our pages before Django's."""
        from runs.admin.baselines import baselines_page
        from runs.admin.comparing import compare_page
        from runs.admin.queues import queues_page

        return [
            self._page("load-tests/compare/", compare_page, name="compare"),
            self._page("load-tests/baselines/", baselines_page, name="baselines"),
            self._page("load-tests/queues/", queues_page, name="queues"),
            *super().get_urls(),
        ]

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Django's list, our app first, with the pages that are no model's."""
        apps: list[Any] = list(super().get_app_list(request, app_label))
        for app in apps:
            if app["app_label"] == "runs":
                app["models"] = [*_renamed(app["models"]), *_pages(request)]
        return sorted(apps, key=lambda app: app["app_label"] != "runs")

    def _page(self, route: str, view: Callable[..., HttpResponse], *, name: str) -> URLPattern:
        def shown(request: HttpRequest) -> HttpResponse:
            return view(request, site=self)

        return path(route, self.admin_view(shown), name=name)


def _renamed(models: list[Any]) -> list[Any]:
    order = {name: place for place, name in enumerate(NAMES)}
    for model in models:
        if model["object_name"] == "LoadTestRun":
            model["add_word"] = "Launch"
        model["name"] = NAMES.get(model["object_name"], model["name"])
    return sorted(models, key=lambda each: order.get(each["object_name"], len(order)))


def _pages(request: HttpRequest) -> list[dict[str, Any]]:
    from runs.admin import permissions

    if not permissions.may(request, permissions.VIEW):
        return []
    pages = (("Baselines", "baselines"), ("Queues and workers", "queues"))
    return [
        {
            "name": name,
            "object_name": page.capitalize(),
            "admin_url": reverse(f"admin:{page}"),
            "add_url": None,
            "view_only": True,
            "perms": {"view": True},
        }
        for name, page in pages
    ]
