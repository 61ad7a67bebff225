"""Runs and charts to take away: JSON and CSV, streamed; no cell is one that a spreadsheet runs."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse

from runs.analysis.reading import amount, words
from runs.models import LoadTestRun, TaskMetric
from runs.models.instants import instant
from runs.report import report_document

_RISKY = ("=", "+", "-", "@", "\t", "\r")
_RUN_COLUMNS = (
    *("test_id", "group_id", "label", "status", "task_type", "target_queue", "num_tasks"),
    *("created_at", "started_at", "finished_at", "tasks_sent", "tasks_completed", "tasks_failed"),
    *("tasks_lost", "overall_throughput", "steady_state_throughput", "p50_execution_time_ms"),
    *("p95_execution_time_ms", "p95_sojourn_time_ms", "regime", "verdict", "headline"),
)
_TASK_COLUMNS = (
    *("task_id", "sequence", "state", "intended_at", "enqueued_at", "started_at", "finished_at"),
    *("execution_time_ms", "retries", "worker", "error_type", "error_message"),
)


def as_json(runs: "QuerySet[LoadTestRun]", *, name: str) -> StreamingHttpResponse:
    """The report documents, a list of them."""
    return _download(_json_list(runs), name=f"{name}.json", kind="application/json")


def as_csv(runs: "QuerySet[LoadTestRun]", *, name: str) -> StreamingHttpResponse:
    """A line a run."""
    found = runs.select_related("configuration").defer("report", "fleet", "observed")
    rows = (_run_cells(run) for run in found.iterator(chunk_size=500))
    return _download(_lines(_RUN_COLUMNS, rows), name=f"{name}.csv", kind="text/csv")


def tasks_as_csv(run: LoadTestRun) -> StreamingHttpResponse:
    """A line a task, in the order in which they were sent, however many there are."""
    tasks = TaskMetric.objects.filter(run=run).order_by("sequence").defer("metrics", "traceback")
    rows = (_task_cells(task) for task in tasks.iterator(chunk_size=2_000))
    return _download(_lines(_TASK_COLUMNS, rows), name=f"{run.test_id}.csv", kind="text/csv")


def document_as_json(run: LoadTestRun) -> HttpResponse:
    """One run's report document as it is stored."""
    text = json.dumps(report_document(run), indent=2, ensure_ascii=False)
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{run.test_id}.json"'
    return response


def table_as_csv(head: Sequence[str], rows: Iterable[Sequence[Any]], *, name: str) -> HttpResponse:
    """The figures behind a chart."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.write("".join(_lines(head, rows)))
    return response


def cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    is_text = isinstance(value, str)
    return f"'{text}" if is_text and text.startswith(_RISKY) else text


def _json_list(runs: "QuerySet[LoadTestRun]") -> Iterator[str]:
    start = "["
    for run in runs.select_related("configuration").iterator(chunk_size=50):
        yield start + json.dumps(report_document(run), ensure_ascii=False)
        start = ",\n"
    yield "]" if start != "[" else "[]"


def _run_cells(run: LoadTestRun) -> list[Any]:
    metrics, times = ("metrics",), ("analysis", "task_metrics")
    return [
        *(run.test_id, run.group_id, run.label, run.status, run.configuration.task_type),
        *(run.target_queue, run.planned_count),
        *(instant(run.created_at), instant(run.started_at), instant(run.finished_at)),
        *(run.sent_count, run.completed_count, run.failed_count, run.lost_count),
        amount(run.figures, *metrics, "overall_throughput"),
        amount(run.figures, *metrics, "steady_state_throughput"),
        amount(run.figures, *times, "p50_execution_time_ms"),
        amount(run.figures, *times, "p95_execution_time_ms"),
        amount(run.figures, *times, "p95_sojourn_time_ms"),
        words(run.figures, "analysis", "regime"),
        *(run.verdict, run.headline),
    ]


def _task_cells(task: TaskMetric) -> list[Any]:
    seconds = task.execution_time_s
    return [
        *(task.task_id, task.sequence, task.state),
        *(instant(task.intended_at), instant(task.enqueued_at)),
        *(instant(task.started_at), instant(task.finished_at)),
        None if seconds is None else round(seconds * 1000, 3),
        *(task.retries, task.worker, task.error_type, task.error_message),
    ]


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _lines(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield str(writer.writerow(head))
    for row in rows:
        yield str(writer.writerow([cell(value) for value in row]))


def _download(content: Iterator[str], *, name: str, kind: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(content, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
