"""The contract for machines, and a page for people that reads it; neither needs another host."""

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

# what the page needs and nothing more: its own files, and the interface's images in its stylesheet
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@functools.cache
def openapi_yaml() -> str:
    """The contract as it is checked in."""
    renderer: Any = OpenApiYamlRenderer()
    return str(renderer.render(_schema(), renderer_context={}).decode())


@require_safe
def schema_view(request: HttpRequest) -> HttpResponse:
    """GET /api/schema/: YAML, or JSON where that is asked for."""
    as_json = request.accepts("application/json") and not request.accepts("application/yaml")
    if as_json or request.GET.get("format") == "json":
        return HttpResponse(_openapi_json(), content_type="application/vnd.oai.openapi+json")
    return HttpResponse(openapi_yaml(), content_type="application/vnd.oai.openapi; charset=utf-8")


@require_safe
@ensure_csrf_cookie
def docs_view(request: HttpRequest) -> HttpResponse:
    """GET /api/docs/: every operation with its shapes, to read and to try."""
    response = render(request, "api/docs.html")
    response["Content-Security-Policy"] = POLICY
    return response


@functools.cache
def _openapi_json() -> bytes:
    renderer: Any = OpenApiJsonRenderer()
    return bytes(renderer.render(_schema(), renderer_context={}))


@functools.cache
def _schema() -> Any:
    # why kept: it follows from the code alone, and making it takes a tenth of a second
    generate: Any = SchemaGenerator  # why Any: it has no types
    return generate().get_schema(request=None, public=True)
