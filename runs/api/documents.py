"""How runs, tasks and task types look in an answer; the report document is none of these."""

from typing import Any

from django.urls import reverse
from rest_framework.request import Request

from runs.celery_view import STATE_OF
from runs.models import LoadTestRun, TaskMetric
from runs.models.instants import instant
from runs.states import TaskState
from workers.tasks.registry import TaskType

# what a row of a list does without
LARGE = ("report", "fleet", "observed", "environment", "notes")


def result_url(request: Request, reference: str) -> str:
    """Where the result of a run or of a group is read."""
    return request.build_absolute_uri(reverse("api:result", args=[reference]))


def run_row(run: LoadTestRun, *, request: Request) -> dict[str, Any]:
    """A run in a list."""
    return {
        "test_id": run.test_id,
        "group_id": run.group_id,
        "label": run.label,
        "status": run.status,
        "task_type": run.configuration.task_type,
        "target_queue": run.target_queue,
        "num_tasks": run.planned_count,
        "tasks_sent": run.sent_count,
        "tasks_completed": run.completed_count,
        "tasks_failed": run.failed_count,
        "tasks_lost": run.lost_count,
        "tasks_cancelled": run.cancelled_count,
        "created_at": instant(run.created_at),
        "started_at": instant(run.started_at),
        "finished_at": instant(run.finished_at),
        "overall_throughput": run.figures.get("overall_throughput"),
        "regime": run.regime or None,
        "verdict": run.verdict or None,
        "headline": run.headline or None,
        "result_url": result_url(request, run.test_id),
    }


def task_row(task: TaskMetric) -> dict[str, Any]:
    """A task of a run."""
    seconds = task.execution_time_s
    return {
        "id": task.task_id,
        "sequence": task.sequence,
        "state": task.state,
        "celery_state": STATE_OF[TaskState(task.state)].value,
        "intended_at": instant(task.intended_at),
        "enqueued_at": instant(task.enqueued_at),
        "started_at": instant(task.started_at),
        "finished_at": instant(task.finished_at),
        "execution_time_ms": None if seconds is None else round(seconds * 1000, 3),
        "retries": task.retries,
        "worker": task.worker or None,
        "metrics": task.metrics,
        "error_type": task.error_type or None,
        "error_message": task.error_message or None,
        "traceback": task.traceback or None,
    }


def type_row(kind: TaskType) -> dict[str, Any]:
    """A task type, what it takes and what its results carry."""
    return {
        "name": kind.name,
        "summary": kind.summary,
        "queue": kind.queue,
        "default_tasks": kind.default_tasks,
        "timeout_s": kind.timeout_s,
        "parameters": [
            {
                "name": parameter.name,
                "kind": parameter.kind.__name__,
                "default": parameter.default,
                "minimum": parameter.minimum,
                "maximum": parameter.maximum,
                "choices": list(parameter.choices),
                "unit": parameter.unit,
                "meaning": parameter.meaning,
                "allowed": parameter.allowed,
            }
            for parameter in kind.parameters
        ],
        "metrics": [
            {"name": metric.name, "unit": metric.unit, "formula": metric.formula}
            for metric in kind.metrics
        ],
    }
