"""GET /metrics: for Prometheus."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from runs.api.exposition import CONTENT_TYPE, exposed
from runs.api.permissions import VIEW, StaffOrToken
from runs.api.schema.operations import METRICS_DOCS
from runs.api.view import RunsView
from runs.gauges import read_gauges
from runs.queues import queues_overview


class AnyFormat(DefaultContentNegotiation):
    """Never refuses: what Prometheus says it accepts changes from version to version."""

    def select_renderer(self, request: Request, renderers: Any, *_: Any) -> Any:
        """The first one."""
        return renderers[0], renderers[0].media_type


class MetricsView(RunsView):
    """Read at each scrape, from what every process shares."""

    permission_classes = (StaffOrToken,)
    content_negotiation_class = AnyFormat
    needs: ClassVar = {"GET": VIEW}

    @extend_schema(**METRICS_DOCS)
    def get(self, request: Request) -> HttpResponse:
        """The text."""
        return HttpResponse(
            exposed(read_gauges(), queues=queues_overview()), content_type=CONTENT_TYPE
        )
