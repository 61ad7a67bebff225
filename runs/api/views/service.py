"""Is the service alive, can it work, what does it offer?"""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from runs.api.errors import Answer
from runs.api.permissions import VIEW
from runs.api.schema.operations import ALIVE_DOCS, READY_DOCS
from runs.api.view import RunsView
from runs.readiness import unready


class OpenView(RunsView):
    """An endpoint that asks for no login and so touches no database."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    needs: ClassVar = {"GET": VIEW}


class AliveView(OpenView):
    """GET /healthz."""

    @extend_schema(**ALIVE_DOCS)
    def get(self, request: Request) -> Response:
        """The process answers, so it is alive."""
        return Response({"status": "alive"})


class ReadyView(OpenView):
    """GET /readyz."""

    @extend_schema(**READY_DOCS)
    def get(self, request: Request) -> HttpResponse:
        """Whether each dependency answers."""
        away = unready()
        if away:
            refusal = Answer(
                status=503, code="not_ready", message=" ".join(away.values()), fields=away
            )
            return Response(refusal.document, status=503, headers={"Retry-After": "5"})
        return Response({"status": "ready", "dependencies": {"database": "ok", "redis": "ok"}})


class NothingHereView(OpenView):
    """Any other address under /api/."""

    schema = None
    needs: ClassVar = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse, whatever the method."""
        raise NotFound

    @property
    def default_response_headers(self) -> dict[str, str]:
        """No method is allowed here, which needs no header."""
        return {}
