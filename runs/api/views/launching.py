"""Launch a load test, or stop one."""

import json
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runs.api.documents import result_url
from runs.api.errors import InvalidRequest
from runs.api.permissions import CANCEL, LAUNCH
from runs.api.schema.operations import CANCEL_DOCS, EXAMPLE_DOCS, LAUNCH_DOCS
from runs.api.serializers import LaunchRequest, Nothing, spec_of
from runs.api.view import RunsView
from runs.models import Daemon, LoadTestRun
from runs.models.daemon import DaemonRole
from runs.models.idempotency import MAX_KEY
from runs.models.instants import instant
from runs.spec import Spec
from runs.start import cancel_run, start_runs
from runs.start_once import Launched, start_once

EXAMPLES = {
    "small": Spec(task_type="cpu_intensive", num_tasks=50),
    "medium": Spec(task_type="io_simulation", num_tasks=200),
    "large": Spec(task_type="memory_operations", num_tasks=1000),
}


class LaunchView(RunsView):
    """POST load-test."""

    needs: ClassVar = {"POST": LAUNCH}
    body: ClassVar = LaunchRequest

    @extend_schema(**LAUNCH_DOCS)
    def post(self, request: Request) -> Response:
        """Store a run as pending; the dispatcher does the rest."""
        return _launch(request, spec=spec_of(self.sent(request)))


class ExampleView(RunsView):
    """POST examples/load-test-small, -medium, -large."""

    needs: ClassVar = {"POST": LAUNCH}
    body: ClassVar = Nothing
    size = "small"

    @extend_schema(**EXAMPLE_DOCS)
    def post(self, request: Request) -> Response:
        """Launch one of the three examples."""
        self.sent(request)
        return _launch(request, spec=EXAMPLES[self.size])


class CancelView(RunsView):
    """POST load-test/{id}/cancel."""

    needs: ClassVar = {"POST": CANCEL}

    @extend_schema(**CANCEL_DOCS)
    def post(self, request: Request, test_id: str) -> Response:
        """Stop a run: nothing more is sent, what waits leaves the queue."""
        self.sent(request)
        run = cancel_run(test_id=test_id)
        done = "It is cancelled." if run.is_finished else "It is being cancelled."
        return Response(
            {
                "test_id": run.test_id,
                "status": run.status,
                "message": done,
                "result_url": result_url(request, run.test_id),
            },
            status=202,
        )


def _launch(request: Request, *, spec: Spec) -> Response:
    launched = _started(request, spec=spec)
    first = launched.runs[0]
    url = result_url(request, first.group_id or first.test_id)
    headers = {"Location": url}
    if launched.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(_document(request, launched.runs, url=url), status=202, headers=headers)


def _started(request: Request, *, spec: Spec) -> Launched:
    user = request.user if request.user.is_authenticated else None
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return Launched(runs=start_runs(spec=spec, requested_by=user))
    if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise InvalidRequest(
            {"Idempotency-Key": f"Idempotency-Key must be 1 to {MAX_KEY} printable ASCII letters."}
        )
    sent = json.dumps([request.path, request.data], sort_keys=True)
    return start_once(spec=spec, requested_by=user, key=key, sent=sent)


def _document(request: Request, runs: list[LoadTestRun], *, url: str) -> dict[str, Any]:
    first = runs[0]
    document: dict[str, Any] = {
        "task_id": first.test_id,
        "test_id": first.test_id,
        "status": first.status,
        "queued_at": instant(first.created_at),
        "message": _message(runs),
        "result_url": url,
    }
    if first.group_id:
        document["group_id"] = first.group_id
        document["runs"] = [
            {"test_id": run.test_id, "result_url": result_url(request, run.test_id)} for run in runs
        ]
    return document


def _message(runs: list[LoadTestRun]) -> str:
    """What was launched, what it waits for, and what is missing for it to start."""
    first = runs[0]
    times = f"{len(runs)} runs of " if len(runs) > 1 else ""
    ahead = LoadTestRun.objects.ahead_of(first) if first.status == "pending" else None
    waits = f", after {ahead.test_id}" if ahead else ""
    alive = Daemon.objects.alive(DaemonRole.DISPATCHER).exists()
    missing = (
        "" if alive else " No dispatcher is running: start `load_test dispatch`, or `make up`."
    )
    return f"{times}{first.configuration.in_words} on {first.target_queue}{waits}.{missing}"
