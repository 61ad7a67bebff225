"""The addresses of the API; there is no slash at their end, as published."""

from django.urls import path, re_path

from runs.api.views import docs, service
from runs.api.views.baselines import BaselinesView, BaselineView
from runs.api.views.comparing import CompareView, ExplainView
from runs.api.views.launching import CancelView, ExampleView, LaunchView
from runs.api.views.queues import QueuesView
from runs.api.views.results import ResultView, RunsListView, TasksView
from runs.api.views.types import TypesView

app_name = "api"

_TASKS = "v1/tasks/"
urlpatterns = [
    path(f"{_TASKS}load-test", LaunchView.as_view(), name="launch"),
    *(
        path(
            f"{_TASKS}examples/load-test-{size}",
            ExampleView.as_view(size=size),
            name=f"example-{size}",
        )
        for size in ("small", "medium", "large")
    ),
    path(f"{_TASKS}load-test-result/<str:task_id>", ResultView.as_view(), name="result"),
    path(f"{_TASKS}load-test-types", TypesView.as_view(), name="types"),
    path(f"{_TASKS}load-tests", RunsListView.as_view(), name="runs"),
    path(f"{_TASKS}load-test/compare", CompareView.as_view(), name="compare"),
    path(f"{_TASKS}load-test/explain", ExplainView.as_view(), name="explain"),
    path(f"{_TASKS}baselines", BaselinesView.as_view(), name="baselines"),
    path(f"{_TASKS}queues", QueuesView.as_view(), name="queues"),
    path(f"{_TASKS}load-test/<str:test_id>/tasks", TasksView.as_view(), name="tasks"),
    path(f"{_TASKS}load-test/<str:test_id>/cancel", CancelView.as_view(), name="cancel"),
    path(f"{_TASKS}load-test/<str:test_id>/baseline", BaselineView.as_view(), name="baseline"),
    re_path("^schema/?$", docs.schema_view, name="schema"),
    re_path("^docs/?$", docs.docs_view, name="docs"),
    re_path("", service.NothingHereView.as_view(), name="nothing"),
]
