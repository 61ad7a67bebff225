"""What every endpoint does before it does its own: login, permission, rate, shape of the query."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.views import APIView

from runs.api.errors import InvalidRequest, LengthRequired
from runs.api.serializers import Nothing, Query, Strict
from runs.errors import UnknownRun


class RunsView(APIView):
    """An endpoint of the API; `needs` names the permission for each of its methods."""

    needs: ClassVar[dict[str, str]] = {}
    query: ClassVar[type[Query]] = Query
    body: ClassVar[type[Strict]] = Nothing

    http_method_names = ["get", "head", "post", "delete"]  # noqa: RUF012 - Django reads it so

    def permission_for(self, method: str) -> str | None:
        """What `method` needs; None where there is no such method."""
        return self.needs.get("GET" if method == "HEAD" else method)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Everything that can be refused before the endpoint itself is asked."""
        super().initial(request, *args, **kwargs)
        if self.permission_for(str(request.method)) is None:
            return
        for reference in kwargs.values():
            if not (reference.isascii() and reference.isprintable()):
                raise UnknownRun(reference[:40])  # why: PostgreSQL takes no NUL to compare with
        self.asked = self.query.read(request.query_params.lists())
        # why: such a body has no length to Django, which would take it for none at all
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            raise LengthRequired

    def perform_authentication(self, request: Request) -> None:
        """Count the request as soon as it is known whose it is, and a failed login as well."""
        try:
            super().perform_authentication(request)
        finally:
            super().check_throttles(request)

    def check_throttles(self, request: Request) -> None:
        """It is counted already."""

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Say what is possible instead."""
        allowed = " and ".join(name for name in self.allowed_methods if name != "HEAD")
        raise MethodNotAllowed(
            str(request.method), f"{request.method} is not possible here; {allowed} is."
        )

    def sent(self, request: Request) -> dict[str, Any]:
        """The values of the body."""
        if not isinstance(request.data, Mapping):
            raise InvalidRequest({"body": "The body must be a JSON object."})
        given = self.body(data=request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)
