"""What answers where no view of the API was reached: the same error shape, never HTML."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from runs.api.errors import answer_with_status

OURS = ("/api/", "/healthz", "/readyz", "/metrics")
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


class ErrorShapeMiddleware:
    """Puts the errors of Django itself (a wrong host, a failed middleware) into our shape."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Leave everything alone but an error that is not JSON."""
        response = self.get_response(request)
        if not request.path.startswith(OURS) or response.status_code < 400:
            return response
        if response.get("Content-Type", "").startswith("application/json"):
            return response
        shaped = JsonResponse(
            answer_with_status(response.status_code).document, status=response.status_code
        )
        for name in _KEPT_HEADERS:
            if name in response:
                shaped[name] = response[name]
        return shaped
