"""What each endpoint says of itself."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from runs.api.schema.shapes import component
from runs.api.serializers import (
    CompareQuery,
    ExplainQuery,
    LaunchRequest,
    Nothing,
    ResultQuery,
    RunsQuery,
    TasksQuery,
)

LAUNCHES, RESULTS, MEANING, SERVICE = "Launch", "Results", "Meaning", "Service"

_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="The same key with the same body starts the same run once, for 24 hours.",
)
_LOCATION = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri"},
    OpenApiParameter.HEADER,
    required=True,
    response=[202],
    description="where the result is read",
)
_ETAG = OpenApiParameter(
    "ETag", {"type": "string"}, OpenApiParameter.HEADER, required=True, response=[200, 304]
)
_NOT_OLDER = OpenApiParameter(
    "If-None-Match",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="the ETag of the answer before: 304 where nothing has changed",
)
_RETRY = OpenApiParameter(
    "Retry-After",
    {"type": "integer"},
    OpenApiParameter.HEADER,
    response=[200],
    description="seconds; only while the run is not finished",
)
_LAUNCHED = {202: component("Launched")}

_FAST = OpenApiExample(
    "How fast can it go",
    value={
        "task_type": "io_simulation",
        "num_tasks": 1000,
        "batch_size": 20,
        "delay_ms": 50,
        "target_queue": "load_test",
    },
    request_only=True,
)
_FEEL = OpenApiExample(
    "How does it feel at this rate",
    value={
        "task_type": "sleep",
        "parameters": {"duration_ms": 100},
        "rate_per_s": 40,
        "duration_s": 5,
        "arrival": "poisson",
        "label": "before the upgrade",
        "thresholds": ["p95_sojourn_time_ms<700"],
    },
    request_only=True,
)

LAUNCH_DOCS: dict[str, Any] = {
    "operation_id": "launch",
    "summary": "Launch a load test",
    "description": (
        "Stores a pending run and answers at once; the dispatcher sends its tasks. Needs "
        "`runs.launch_loadtestrun`."
    ),
    "tags": [LAUNCHES],
    "request": LaunchRequest,
    "responses": _LAUNCHED,
    "parameters": [_KEY, _LOCATION],
    "examples": [_FAST, _FEEL],
}
EXAMPLE_DOCS: dict[str, Any] = {
    "description": "50 `cpu_intensive`, 200 `io_simulation` or 1000 `memory_operations` tasks.",
    "tags": [LAUNCHES],
    "request": Nothing,
    "responses": _LAUNCHED,
    "parameters": [_KEY, _LOCATION],
}
CANCEL_DOCS: dict[str, Any] = {
    "operation_id": "cancel",
    "summary": "Stop a run",
    "description": (
        "Nothing more is sent, what waits leaves the queue, what runs is aborted. Asking twice is "
        "asking once; 409 where it has ended. Needs `runs.cancel_loadtestrun`."
    ),
    "tags": [LAUNCHES],
    "request": Nothing,
    "responses": {202: component("Stopped")},
}
RESULT_DOCS: dict[str, Any] = {
    "operation_id": "result",
    "summary": "Read the report, or how far the run is",
    "description": "Of a run (lt_…), or of a group (lg_…). Needs `runs.view_loadtestrun`.",
    "tags": [RESULTS],
    "parameters": [ResultQuery, _NOT_OLDER, _ETAG, _RETRY],
    "responses": {200: {"anyOf": [component("Report"), component("Group")]}, 304: None},
}
RUNS_DOCS: dict[str, Any] = {
    "operation_id": "runs",
    "summary": "List the runs, newest first",
    "description": "Needs `runs.view_loadtestrun`.",
    "tags": [RESULTS],
    "parameters": [RunsQuery],
    "responses": {200: component("Runs")},
}
TASKS_DOCS: dict[str, Any] = {
    "operation_id": "tasks",
    "summary": "List the tasks of a run that have ended",
    "description": "In the order of sending, or slowest first. Needs `runs.view_loadtestrun`.",
    "tags": [RESULTS],
    "parameters": [TasksQuery],
    "responses": {200: component("Tasks")},
}
TYPES_DOCS: dict[str, Any] = {
    "operation_id": "types",
    "summary": "List the task types with their parameters and metrics",
    "description": "Needs `runs.view_loadtestrun`.",
    "tags": [LAUNCHES],
    "responses": {200: component("TaskTypes")},
}
PIN_DOCS: dict[str, Any] = {
    "operation_id": "pin",
    "summary": "Make a completed run the baseline of its configuration",
    "description": "Needs `runs.pin_loadtestrun`.",
    "tags": [MEANING],
    "request": Nothing,
    "responses": {200: component("Run")},
}
UNPIN_DOCS: dict[str, Any] = {
    "operation_id": "unpin",
    "summary": "Let history judge again",
    "description": "409 where the run is not pinned. Needs `runs.pin_loadtestrun`.",
    "tags": [MEANING],
    "responses": {200: component("Run")},
}
COMPARE_DOCS: dict[str, Any] = {
    "operation_id": "compare",
    "summary": "Compare runs or groups",
    "description": "Needs `runs.view_loadtestrun`.",
    "tags": [MEANING],
    "parameters": [CompareQuery],
    "responses": {200: component("Comparison")},
}
EXPLAIN_DOCS: dict[str, Any] = {
    "operation_id": "explain",
    "summary": "What limits a queue, without any load",
    "description": "Needs `runs.view_loadtestrun`.",
    "tags": [MEANING],
    "parameters": [ExplainQuery],
    "responses": {200: component("Explanation")},
}
BASELINES_DOCS: dict[str, Any] = {
    "operation_id": "baselines",
    "summary": "Each configuration with its baseline and history, regressed first",
    "description": "Needs `runs.view_loadtestrun`.",
    "tags": [MEANING],
    "responses": {200: component("Baselines")},
}
QUEUES_DOCS: dict[str, Any] = {
    "operation_id": "queues",
    "summary": "Each queue with its depth and workers",
    "description": "Answers within a second, also without Redis. Needs `runs.view_loadtestrun`.",
    "tags": [SERVICE],
    "responses": {200: component("Queues")},
}
ALIVE_DOCS: dict[str, Any] = {
    "operation_id": "healthz",
    "summary": "Whether the web process is alive",
    "tags": [SERVICE],
    "auth": [{}],
    "responses": {200: component("Alive")},
}
READY_DOCS: dict[str, Any] = {
    "operation_id": "readyz",
    "summary": "Whether database and Redis answer",
    "description": "Within two seconds; 503 names what does not answer under `fields`.",
    "tags": [SERVICE],
    "auth": [{}],
    "responses": {200: component("Ready")},
}
METRICS_DOCS: dict[str, Any] = {
    "operation_id": "metrics",
    "summary": "Gauges and counters for Prometheus",
    "description": "For staff, or for a token.",
    "tags": [SERVICE],
    "responses": {(200, "text/plain"): {"type": "string"}},
}
