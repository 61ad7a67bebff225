"""What runs are judged against: see it, pin a run, let it go."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runs.api.documents import run_row
from runs.api.permissions import PIN, VIEW
from runs.api.schema.operations import BASELINES_DOCS, PIN_DOCS, UNPIN_DOCS
from runs.api.view import RunsView
from runs.baselines import baseline_rows, pin, unpin


class BaselinesView(RunsView):
    """GET baselines."""

    needs: ClassVar = {"GET": VIEW}

    @extend_schema(**BASELINES_DOCS)
    def get(self, request: Request) -> Response:
        """Each configuration with its history, regressed first."""
        return Response({"results": baseline_rows()})


class BaselineView(RunsView):
    """POST and DELETE load-test/{id}/baseline."""

    needs: ClassVar = {"POST": PIN, "DELETE": PIN}

    @extend_schema(**PIN_DOCS)
    def post(self, request: Request, test_id: str) -> Response:
        """Make a completed run the baseline of its configuration."""
        self.sent(request)
        return Response(run_row(pin(test_id=test_id), request=request))

    @extend_schema(**UNPIN_DOCS)
    def delete(self, request: Request, test_id: str) -> Response:
        """Let its configuration be judged by its history again."""
        return Response(run_row(unpin(test_id=test_id), request=request))
