"""What runs mean beside each other, and what limits a queue."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runs.api.permissions import VIEW
from runs.api.schema.operations import COMPARE_DOCS, EXPLAIN_DOCS
from runs.api.serializers import CompareQuery, ExplainQuery
from runs.api.view import RunsView
from runs.compare import compare
from runs.explain import explain


class CompareView(RunsView):
    """GET load-test/compare."""

    needs: ClassVar = {"GET": VIEW}
    query: ClassVar = CompareQuery

    @extend_schema(**COMPARE_DOCS)
    def get(self, request: Request) -> Response:
        """Each of the others against the first."""
        return Response(compare(references=self.asked["runs"].split(",")))


class ExplainView(RunsView):
    """GET load-test/explain."""

    needs: ClassVar = {"GET": VIEW}
    query: ClassVar = ExplainQuery

    @extend_schema(**EXPLAIN_DOCS)
    def get(self, request: Request) -> Response:
        """Ceilings, the binding one, the best change, and whether a rate fits."""
        asked = dict(self.asked)
        # why no settings class here: importing what a stranger names runs it
        return Response(explain(queue=asked.pop("target_queue"), **asked))
