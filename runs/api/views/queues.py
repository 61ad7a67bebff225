"""How the queues are now."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runs.api.permissions import VIEW
from runs.api.schema.operations import QUEUES_DOCS
from runs.api.view import RunsView
from runs.queues import queues_overview


class QueuesView(RunsView):
    """GET queues."""

    needs: ClassVar = {"GET": VIEW}

    @extend_schema(**QUEUES_DOCS)
    def get(self, request: Request) -> Response:
        """Depth and workers of each; where Redis is away each says so."""
        return Response({"results": queues_overview()})
