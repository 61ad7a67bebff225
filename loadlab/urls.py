"""Which address leads where."""

from django.contrib import admin
from django.urls import include, path

from runs.api.views.metrics import MetricsView
from runs.api.views.service import AliveView, ReadyView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("runs.api.urls")),
    path("healthz", AliveView.as_view(), name="healthz"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("readyz", ReadyView.as_view(), name="readyz"),
]
