"""What may a page of ours load and run? Its own files, and nothing written into the page itself.

Django 5.2 has no such middleware; the setting is named and shaped as Django 6's own, which replaces
this module.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "Content-Security-Policy"


class ContentSecurityPolicyMiddleware:
    """Sends SECURE_CSP with every answer that brings no policy of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the header."""
        response = self.get_response(request)
        response.headers.setdefault(HEADER, written(settings.SECURE_CSP))
        return response


def written(policy: dict[str, list[str]]) -> str:
    """The policy as its header says it."""
    return "; ".join(" ".join([name, *sources]) for name, sources in policy.items())
