"""What does Celery's Redis result backend hold of a task? `celery-task-meta-<id>`, plain JSON.

Stock `celery.AsyncResult` and Flower read it. An exception is stored by name and message; a reader
builds it, if it knows the class, and nothing here ever does.
"""

import time
from datetime import UTC, datetime
from typing import Any

from workers.celery.envelope import to_json
from workers.celery.redaction import Redaction
from workers.celery.states import READY_STATES, State
from workers.jsonsafe import sanitise

MAX_BYTES = 65_536


def document(
    task_id: str,
    *,
    status: State,
    result: Any,
    traceback: str | None = None,
    finished_ms: int | None = None,
    extended: dict[str, Any] | None = None,
) -> bytes:
    """What stands under the task's key; `extended` are Celery's result_extended fields."""
    meta = {
        "status": status.value,
        "result": result,
        "traceback": traceback,
        "children": [],
        "date_done": finished_at(finished_ms) if status in READY_STATES else None,
        "task_id": task_id,
        **(extended or {}),
    }
    raw = to_json(meta)
    if len(raw) > MAX_BYTES:
        omitted = {"omitted": f"the result has {len(raw)} bytes, {MAX_BYTES} are kept"}
        raw = to_json(meta | {"result": omitted, "args": None, "kwargs": None})
    return raw


def value(result: Any, *, redaction: Redaction) -> Any:
    """A task's return value as JSON can hold it."""
    return sanitise(redaction.value(result))


def error(exception: object, *, status: State, redaction: Redaction) -> dict[str, Any]:
    """An exception as Celery's JSON backend stores it."""
    if status is State.REVOKED:
        return {
            "exc_type": "TaskRevokedError",
            "exc_message": ["terminated"],
            "exc_module": "celery.exceptions",
        }
    if not isinstance(exception, BaseException):
        # why: where nothing can be serialised arq puts a sentence in the exception's place
        return {
            "exc_type": "Exception",
            "exc_message": [redaction.text(str(exception))],
            "exc_module": "builtins",
        }
    kind = type(exception)
    return {
        "exc_type": kind.__qualname__,
        "exc_message": [sanitise(redaction.value(arg)) for arg in exception.args],
        "exc_module": kind.__module__,
    }


def instant(epoch_s: float) -> str:
    """When, as Celery writes it: ISO 8601 in UTC, which orders as text."""
    return datetime.fromtimestamp(epoch_s, tz=UTC).isoformat()


def finished_at(finished_ms: int | None) -> str:
    """When a task was done; now, where arq does not say."""
    return instant(time.time() if finished_ms is None else finished_ms / 1000)
