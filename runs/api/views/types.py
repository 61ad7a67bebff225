"""Which task types there are."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runs.api.documents import type_row
from runs.api.permissions import VIEW
from runs.api.schema.operations import TYPES_DOCS
from runs.api.view import RunsView
from workers.tasks.registry import task_types


class TypesView(RunsView):
    """GET load-test-types."""

    needs: ClassVar = {"GET": VIEW}

    @extend_schema(**TYPES_DOCS)
    def get(self, request: Request) -> Response:
        """The built-in ones and the user's own."""
        return Response({"results": [type_row(kind) for kind in task_types().values()]})
