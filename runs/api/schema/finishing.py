"""What every operation shares: the errors it may answer, and the links from one to the next."""

from typing import Any

from runs.api.schema.components import COMPONENTS
from runs.api.schema.examples import EXAMPLES
from runs.api.schema.shapes import component

_PREFIX = "/api/v1/tasks/"
_SENTENCES = {
    400: ("invalid_request", "What was sent is wrong; `fields` says where."),
    401: ("not_authenticated", "Nobody is logged in, or the token is wrong."),
    403: ("permission_denied", "The permission is missing; or a session came without CSRF token."),
    404: ("unknown_run", "There is no such run."),
    406: ("not_acceptable", "Only application/json is answered."),
    409: ("not_allowed_now", "The run's state forbids it, or the key was used for another launch."),
    411: ("length_required", "The body came without a Content-Length."),
    413: ("body_too_large", "The body is too long."),
    415: ("unsupported_media_type", "The body is not application/json."),
    429: ("throttled", "Too many requests, or too many waiting runs; `Retry-After` says how long."),
    500: ("internal_error", "A fault of ours; the log of the web process says which."),
    503: ("database_unavailable", "PostgreSQL or Redis is away; `Retry-After` says when to ask."),
}
_LINKED = {"result": "task_id", "tasks": "test_id", "cancel": "test_id", "pin": "test_id"}


def finish(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add our components, the errors of every operation and the links between operations."""
    components = result.setdefault("components", {})
    components["schemas"] = dict(sorted({**components.get("schemas", {}), **COMPONENTS}.items()))
    components["schemas"]["LaunchRequest"]["additionalProperties"] = False
    components["responses"] = {_name(status): _response(status) for status in _SENTENCES}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            _name_example(path, operation=operation)
            for status in _errors_of(path, method=method, operation=operation):
                operation["responses"].setdefault(
                    str(status), {"$ref": f"#/components/responses/{_name(status)}"}
                )
            _link(operation)
            _illustrate(operation)
    return result


def _errors_of(path: str, *, method: str, operation: dict[str, Any]) -> list[int]:
    if not path.startswith(_PREFIX):
        return {"/readyz": [400, 406, 500, 503], "/healthz": [400, 406, 500]}.get(
            path, [400, 401, 403, 406, 429, 500, 503]
        )
    errors = [400, 401, 403, 406, 429, 500, 503]
    names_runs = "{" in path or operation["operationId"] == "compare"
    if names_runs:
        errors.append(404)
    if method == "post":
        errors += [409, 411, 413, 415]
    if method == "delete" or operation["operationId"] == "compare":
        errors.append(409)
    return sorted(errors)


def _name_example(path: str, *, operation: dict[str, Any]) -> None:
    """One view serves the three examples; each is an operation of its own."""
    base, _, size = path.rpartition("/load-test-")
    if base.endswith("/examples"):
        operation["operationId"] = f"launch_{size}"
        operation["summary"] = f"Launch the {size} example"


def _link(operation: dict[str, Any]) -> None:
    """From what was launched to all that can be done with it; from a page to the next."""
    launched = operation["responses"].get("202")
    if launched and operation["operationId"].startswith("launch"):
        launched["links"] = {
            other: {
                "operationId": other,
                "parameters": {parameter: "$response.body#/test_id"},
            }
            for other, parameter in _LINKED.items()
        }


def _illustrate(operation: dict[str, Any]) -> None:
    """Show an answer beside its schema."""
    for status, answer in operation["responses"].items():
        for media in answer.get("content", {}).values():
            if status.startswith("2"):
                media["example"] = EXAMPLES[operation["operationId"]]


def _name(status: int) -> str:
    return "".join(word.title() for word in _SENTENCES[status][0].split("_"))


def _response(status: int) -> dict[str, Any]:
    code, sentence = _SENTENCES[status]
    example = {"error": code, "message": sentence, "fields": {}}
    if status == 400:
        example["fields"] = {"num_tasks": "num_tasks is '50': it must be a whole number."}
    answer: dict[str, Any] = {
        "description": sentence,
        "content": {"application/json": {"schema": component("Error"), "example": example}},
    }
    if status in {429, 503}:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return answer
