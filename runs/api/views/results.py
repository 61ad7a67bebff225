"""Read what became of a run: its report, or how far it is; its tasks; the runs there are."""

import hashlib
import math
from datetime import timedelta
from typing import Any, ClassVar, cast

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from runs.api.documents import LARGE, run_row, task_row
from runs.api.keyset import cursor_after, page, position_of
from runs.api.permissions import VIEW
from runs.api.schema.operations import RESULT_DOCS, RUNS_DOCS, TASKS_DOCS
from runs.api.serializers import ResultQuery, RunsQuery, TasksQuery
from runs.api.view import RunsView
from runs.errors import UnknownRun
from runs.models import LoadTestRun, TaskMetric
from runs.report import group_document, report_document
from runs.states import TERMINAL

MAX_RETRY_AFTER_S = 30
_FILTERS = {
    "status": "status",
    "task_type": "configuration__task_type",
    "target_queue": "target_queue",
    "label": "label__startswith",
    "verdict": "verdict",
    "group_id": "group_id",
    "created_after": "created_at__gte",
    "created_before": "created_at__lt",
}


class ResultView(RunsView):
    """GET load-test-result/{id}."""

    needs: ClassVar = {"GET": VIEW}
    query: ClassVar = ResultQuery

    @extend_schema(**RESULT_DOCS)
    def get(self, request: Request, task_id: str) -> HttpResponse:
        """The report; while the run is not finished the same document with its progress."""
        document = self._document(task_id)
        body = JSONRenderer().render(document)
        response = HttpResponse(body, content_type="application/json")
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        # why the plain request: Django asks it for the headers of a condition
        answer = get_conditional_response(request._request, etag=etag, response=response)  # noqa: SLF001
        answer = cast("HttpResponse", answer)
        answer["ETag"] = etag
        answer["Cache-Control"] = "private, no-cache"
        wait = _retry_after(document)
        if wait is not None:
            answer["Retry-After"] = str(wait)
        return answer

    def _document(self, reference: str) -> dict[str, Any]:
        queue = self.asked.get("target_queue")
        if reference.startswith("lg_"):
            document = group_document(reference)
            found = document["runs"]
        else:
            document = report_document(LoadTestRun.objects.named(reference))
            found = [document]
        if queue and any(run["configuration"]["target_queue"] != queue for run in found):
            raise UnknownRun(reference)
        return document


class RunsListView(RunsView):
    """GET load-tests."""

    needs: ClassVar = {"GET": VIEW}
    query: ClassVar = RunsQuery

    @extend_schema(**RUNS_DOCS)
    def get(self, request: Request) -> Response:
        """The runs, newest first."""
        runs = LoadTestRun.objects.select_related("configuration").defer(*LARGE).order_by("-pk")
        for name, lookup in _FILTERS.items():
            if name in self.asked:
                runs = runs.filter(**{lookup: self.asked[name]})
        if self.asked["cursor"] is not None:
            runs = runs.filter(pk__lt=position_of(self.asked["cursor"])[0])
        size = self.asked["page_size"]
        found = list(runs[: size + 1])
        more = len(found) > size
        return Response(
            page(
                request,
                rows=[run_row(run, request=request) for run in found[:size]],
                next_cursor=cursor_after(found[size - 1].pk) if more else None,
            )
        )


class TasksView(RunsView):
    """GET load-test/{id}/tasks."""

    needs: ClassVar = {"GET": VIEW}
    query: ClassVar = TasksQuery

    @extend_schema(**TASKS_DOCS)
    def get(self, request: Request, test_id: str) -> Response:
        """The tasks of a run that have ended."""
        run = LoadTestRun.objects.named(test_id)
        slowest = self.asked["order"] == "slowest"
        tasks = self._slowest(run) if slowest else self._in_sequence(run)
        if "state" in self.asked:
            tasks = tasks.filter(state=self.asked["state"])
        size = self.asked["page_size"]
        found = list(tasks[: size + 1])
        last = found[size - 1] if len(found) > size else None
        return Response(
            page(
                request,
                rows=[task_row(task) for task in found[:size]],
                next_cursor=None if last is None else _cursor(last, slowest=slowest),
            )
        )

    def _in_sequence(self, run: LoadTestRun) -> Any:
        _, after = position_of(self.asked["cursor"] or "0-0")
        return TaskMetric.objects.filter(run=run, sequence__gt=after).order_by("sequence")

    def _slowest(self, run: LoadTestRun) -> Any:
        tasks = TaskMetric.objects.filter(run=run)
        if self.asked["cursor"] is None:
            return tasks.slowest()
        microseconds, sequence = position_of(self.asked["cursor"])
        return tasks.slowest_after(
            execution_time=timedelta(microseconds=microseconds), sequence=sequence
        )


def _cursor(task: TaskMetric, *, slowest: bool) -> str:
    if not slowest:
        return cursor_after(0, task.sequence)
    taken = (task.finished_at or task.started_at) - task.started_at  # type: ignore[operator]
    return cursor_after(taken // timedelta(microseconds=1), task.sequence)


def _retry_after(document: dict[str, Any]) -> int | None:
    """Seconds until it is worth asking again; None where the answer is final."""
    left = [
        (run.get("progress") or {}).get("seconds_left") or 1.0
        for run in document.get("runs", [document])
        if run["status"] not in TERMINAL
    ]
    return max(1, min(MAX_RETRY_AFTER_S, math.ceil(max(left)))) if left else None
