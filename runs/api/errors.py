"""Every error in one shape: a code for machines, what to do for people, which fields are wrong."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.http.request import UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from runs.analysis.document import UnreadableReportError
from runs.errors import InvalidSpec, LoadLabError, NotAllowedNow, TooManyWaiting, UnknownRun
from workers.errors import (
    InvalidParameter,
    RedisUnreachable,
    UnknownQueue,
    UnknownTaskType,
    WorkersError,
)

logger = logging.getLogger("loadlab")

RETRY_AFTER_S = 5
_LOGIN = (
    "Log in, or send `Authorization: Token …`; `manage.py drf_create_token USER` makes a token."
)


class MalformedBody(exceptions.ParseError):
    """The body is no JSON that could be read."""

    default_code = "malformed_json"


class BodyTooLarge(exceptions.APIException):
    """The body is longer than anything that could be asked for."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"


class LengthRequired(exceptions.APIException):
    """The body comes in chunks of unknown length."""

    status_code = HTTPStatus.LENGTH_REQUIRED
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length: it is read whole or not at all."


class InvalidRequest(exceptions.APIException):
    """What was sent does not have the shape that is asked for: one sentence a field."""

    status_code = HTTPStatus.BAD_REQUEST
    default_code = "invalid_request"

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__(" ".join(self.fields.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered to an error."""

    status: int
    code: str
    message: str
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The one shape."""
        return {"error": self.code, "message": self.message, "fields": dict(self.fields)}


def answer_error(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: any error at all, in our shape."""
    answer = answer_to(error)
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        request = context["request"]
        logger.error("api_failed %s %s", request.method, request.path, exc_info=error)
        got_request_exception.send(sender=type(context.get("view")), request=request)
    return Response(answer.document, status=answer.status, headers=dict(answer.headers))


def answer_with_status(status: int) -> Answer:
    """The answer where Django itself has refused and has no words for us."""
    sentences = {
        400: "The request cannot be read: check its host name and its headers.",
        403: "This is not allowed.",
        404: "There is nothing here: GET /api/schema/ lists what there is.",
        413: "The body is longer than anything that could be asked for.",
        500: "Something went wrong here; the log of the web process says what.",
    }
    codes = {403: "permission_denied", 413: "body_too_large", 500: "internal_error"}
    phrase = HTTPStatus(status).phrase
    return Answer(
        status=status,
        code=codes.get(status, _snake(phrase)),
        message=sentences.get(status, f"{phrase}."),
    )


@singledispatch
def answer_to(_error: Exception) -> Answer:
    """The answer to an error; what nobody has foreseen says nothing of the inside."""
    return answer_with_status(500)


@answer_to.register
def _(error: LoadLabError) -> Answer:
    # what a person may have got wrong, else what is away
    status = 400 if error.exit_code == 2 else 503
    return Answer(status=status, code=_snake(type(error).__name__), message=str(error))


@answer_to.register
def _(error: InvalidSpec) -> Answer:
    return Answer(status=400, code="invalid_spec", message=str(error), fields=error.fields)


@answer_to.register
def _(error: UnknownRun) -> Answer:
    message = f"There is no load test {error.test_id!r}: GET load-tests lists those there are."
    return Answer(status=404, code="unknown_run", message=message)


@answer_to.register
def _(error: NotAllowedNow) -> Answer:
    return Answer(status=409, code=_snake(type(error).__name__), message=str(error))


@answer_to.register
def _(error: TooManyWaiting) -> Answer:
    return Answer(
        status=429, code="too_many_waiting", message=str(error), headers=_again(RETRY_AFTER_S)
    )


@answer_to.register
def _(error: UnreadableReportError) -> Answer:
    # a stored report of another version of ours
    return Answer(status=409, code="unreadable_report", message=str(error))


@answer_to.register
def _(error: WorkersError) -> Answer:
    # a setting, or a module of the user's own types, that cannot be used: the sentence says which
    return Answer(status=500, code="misconfigured", message=str(error))


@answer_to.register(InvalidParameter)
@answer_to.register(UnknownTaskType)
@answer_to.register(UnknownQueue)
def _(error: WorkersError) -> Answer:
    return Answer(status=400, code=_snake(type(error).__name__), message=str(error))


@answer_to.register
def _(error: RedisUnreachable) -> Answer:
    return Answer(
        status=503, code="redis_unreachable", message=str(error), headers=_again(RETRY_AFTER_S)
    )


@answer_to.register(OperationalError)
@answer_to.register(InterfaceError)
def _(_error: Exception) -> Answer:
    return Answer(
        status=503,
        code="database_unavailable",
        message="PostgreSQL does not answer; ask again in some seconds.",
        headers=_again(RETRY_AFTER_S),
    )


@answer_to.register
def _(error: exceptions.APIException) -> Answer:
    return _refused(error, str(error.detail))


@answer_to.register(exceptions.NotAuthenticated)
@answer_to.register(exceptions.AuthenticationFailed)
def _(error: exceptions.APIException) -> Answer:
    known = isinstance(error, exceptions.NotAuthenticated)
    return Answer(
        status=error.status_code,
        code=str(error.get_codes()),
        message=_LOGIN if known else f"{error.detail} {_LOGIN}",
        headers={"WWW-Authenticate": str(getattr(error, "auth_header", "Token"))},
    )


@answer_to.register
def _(error: exceptions.UnsupportedMediaType) -> Answer:
    return _refused(error, "Send the body as application/json.")


@answer_to.register
def _(error: exceptions.NotAcceptable) -> Answer:
    return _refused(error, "Only application/json is answered: accept it, or send no Accept.")


@answer_to.register
def _(error: exceptions.NotFound) -> Answer:
    return answer_with_status(error.status_code)


@answer_to.register
def _(error: exceptions.Throttled) -> Answer:
    wait = getattr(error, "wait", None) or RETRY_AFTER_S
    message = f"These are more requests in a minute than are allowed: ask again in {wait} s."
    return Answer(status=429, code="throttled", message=message, headers=_again(wait))


@answer_to.register
def _(error: InvalidRequest) -> Answer:
    return Answer(status=400, code="invalid_request", message=str(error), fields=error.fields)


@answer_to.register
def _(error: exceptions.PermissionDenied) -> Answer:
    message, code = str(error.detail), "permission_denied"
    if message.startswith("CSRF Failed"):
        message, code = (
            f"{message} Send the token as X-CSRFToken, or log in by token.",
            "csrf_failed",
        )
    return Answer(status=403, code=code, message=message)


@answer_to.register
def _(_error: Http404) -> Answer:
    return answer_with_status(404)


@answer_to.register
def _(_error: PermissionDenied) -> Answer:
    return answer_with_status(403)


@answer_to.register
def _(_error: RequestDataTooBig) -> Answer:
    return answer_with_status(413)


@answer_to.register(SuspiciousOperation)
@answer_to.register(UnreadablePostError)
def _(_error: Exception) -> Answer:
    return answer_with_status(400)


def _refused(error: exceptions.APIException, message: str) -> Answer:
    return Answer(status=error.status_code, code=str(error.get_codes()), message=message)


def _again(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, int(seconds)))}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[\s-]+", "_", name).lower()
