"""The report document, as far as it is published: every name of it may be relied on."""

from runs.api.schema.shapes import (
    ANY_OBJECT,
    COUNT,
    INSTANT,
    NUMBER,
    TEXT,
    Schema,
    at_least,
    list_of,
    or_null,
    said,
    words,
)
from runs.states import RunStatus

_TIMES = ("execution_time_ms", "queue_wait_ms", "sojourn_time_ms")

STATUS: Schema = words(*(status.value for status in RunStatus))
RATING: Schema = words("poor", "moderate", "good", "excellent", "unrated")

CONFIGURATION: Schema = at_least(
    task_type=TEXT,
    num_tasks=COUNT,
    batch_size=COUNT,
    delay_ms=NUMBER,
    target_queue=TEXT,
)

COUNTS: dict[str, Schema] = {
    "tasks_sent": COUNT,
    "tasks_completed": COUNT,
    "tasks_failed": COUNT,
    "tasks_lost": COUNT,
    "tasks_cancelled": COUNT,
    "failure_rate_percent": or_null(NUMBER),
    "completion_percentage": or_null(NUMBER),
}

ANALYSIS: Schema = {
    "type": "object",
    "properties": {
        "regime": or_null(words("saturated", "keeping_up", "mixed")),
        "because": or_null(TEXT),
        "performance_analysis": at_least(
            throughput_rating=RATING,
            efficiency_rating=RATING,
            queue_pressure=or_null(words("low", "moderate", "high", "unrated")),
            recommendations=list_of(TEXT),
        ),
        "task_metrics": {
            "type": "object",
            "properties": {
                "n": COUNT,
                **{
                    f"{statistic}_{time}": or_null(NUMBER)
                    for time in _TIMES
                    for statistic in ("avg", "p50", "p95", "p99")
                },
                "intervals": said(ANY_OBJECT, "{figure: [low, high]}, 95 %"),
            },
        },
        "type_metrics": ANY_OBJECT,
        "distribution": ANY_OBJECT,
        "bottleneck": or_null(ANY_OBJECT),
        "baseline": or_null(ANY_OBJECT),
        "failures": list_of(at_least(error_type=TEXT, count=COUNT, example=or_null(TEXT))),
        "accounting": {
            "type": "object",
            "properties": dict.fromkeys(
                (
                    *("planned", "sent", "completed", "failed", "cancelled", "lost"),
                    *("outstanding", "retries"),
                ),
                COUNT,
            ),
            "description": "sent = completed + failed + cancelled + lost + outstanding",
        },
        "environment": ANY_OBJECT,
        "timeline": or_null(ANY_OBJECT),
        "poll_cycle": or_null(ANY_OBJECT),
    },
}

PROGRESS: Schema = {
    "type": "object",
    "description": "Only while the run is not finished.",
    "properties": {
        **dict.fromkeys(
            ("planned", "sent", "completed", "failed", "lost", "cancelled", "outstanding"), COUNT
        ),
        "percent": or_null(NUMBER),
        "throughput_per_s": or_null(NUMBER),
        "seconds_left": or_null(NUMBER),
        "waiting_for": or_null(TEXT),
    },
}

REPORT: Schema = {
    "type": "object",
    "description": "The judgement of a finished run, or how far it is; docs/api.md explains it.",
    "required": ["schema", "test_id", "status", "configuration", "metrics"],
    "properties": {
        "schema": said({"type": "integer"}, "version of this document"),
        "test_id": TEXT,
        "status": STATUS,
        "headline": said(or_null(TEXT), "the answer in one sentence"),
        "gists": said(ANY_OBJECT, "{section: one sentence}"),
        "started_at": or_null(INSTANT),
        "finished_at": or_null(INSTANT),
        "configuration": CONFIGURATION,
        "metrics": {
            "type": "object",
            "properties": {
                **COUNTS,
                "total_duration_seconds": or_null(NUMBER),
                "overall_throughput": said(or_null(NUMBER), "completed a second"),
                "steady_state_throughput": or_null(NUMBER),
            },
            "required": list(COUNTS),
        },
        "analysis": ANALYSIS,
        "thresholds": list_of(
            at_least(
                expression=TEXT,
                value={"type": ["number", "string", "null"]},
                passed={"type": "boolean"},
                because=TEXT,
            )
        ),
        "notes": list_of(TEXT),
        "progress": PROGRESS,
    },
}
