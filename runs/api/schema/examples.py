"""An answer of each operation, as it may look; a test holds each against its schema."""

from typing import Any

_BASE = "http://localhost:8000/api/v1/tasks"
_RUN = "lt_20261123T094501_7f3a9c"
_EARLIER = "lt_20261122T094501_1c2d3e"

_LAUNCHED = {
    "task_id": _RUN,
    "test_id": _RUN,
    "status": "pending",
    "queued_at": "2026-11-23T09:45:01.120Z",
    "message": "1000 × io_simulation on load_test.",
    "result_url": f"{_BASE}/load-test-result/{_RUN}",
}
_ROW = {
    "test_id": _RUN,
    "group_id": "",
    "label": "before the upgrade",
    "status": "completed",
    "task_type": "io_simulation",
    "target_queue": "load_test",
    "num_tasks": 1000,
    "tasks_sent": 1000,
    "tasks_completed": 998,
    "tasks_failed": 2,
    "tasks_lost": 0,
    "tasks_cancelled": 0,
    "created_at": "2026-11-23T09:45:01.120Z",
    "started_at": "2026-11-23T09:45:01.250Z",
    "finished_at": "2026-11-23T09:45:18.050Z",
    "overall_throughput": 59.4,
    "regime": "saturated",
    "verdict": "unchanged",
    "headline": "60 tasks/s: same as your last 8 runs.",
    "result_url": f"{_BASE}/load-test-result/{_RUN}",
}
_REPORT = {
    "schema": 1,
    "test_id": _RUN,
    "status": "completed",
    "headline": "60 tasks/s: same as your last 8 runs.",
    "configuration": {
        "task_type": "io_simulation",
        "num_tasks": 1000,
        "batch_size": 20,
        "delay_ms": 50,
        "target_queue": "load_test",
    },
    "metrics": {
        "tasks_sent": 1000,
        "tasks_completed": 998,
        "tasks_failed": 2,
        "tasks_lost": 0,
        "tasks_cancelled": 0,
        "total_duration_seconds": 16.8,
        "overall_throughput": 59.4,
        "steady_state_throughput": 59.9,
        "failure_rate_percent": 0.2,
        "completion_percentage": 100.0,
    },
    "analysis": {
        "regime": "saturated",
        "performance_analysis": {
            "throughput_rating": "moderate",
            "efficiency_rating": "excellent",
            "queue_pressure": "high",
            "recommendations": ["Change poll_delay 0.5 → 0.05: predicted 148/s (2.5×)."],
        },
        "task_metrics": {
            "n": 1000,
            "avg_execution_time_ms": 174.5,
            "p50_execution_time_ms": 171.0,
            "p95_execution_time_ms": 251.2,
            "p99_execution_time_ms": 294.1,
        },
    },
    "thresholds": [],
    "notes": [],
}
_TASK = {
    "id": f"{_RUN}-0000001",
    "sequence": 1,
    "state": "completed",
    "celery_state": "SUCCESS",
    "intended_at": "2026-11-23T09:45:01.250Z",
    "enqueued_at": "2026-11-23T09:45:01.251Z",
    "started_at": "2026-11-23T09:45:01.703Z",
    "finished_at": "2026-11-23T09:45:01.874Z",
    "execution_time_ms": 171.0,
    "retries": 0,
    "worker": "host:4711:7f3a9c",
    "metrics": {"total_io_time_ms": 401.2},
    "error_type": None,
    "error_message": None,
    "traceback": None,
}
_TYPE = {
    "name": "sleep",
    "summary": "holds a slot for duration_ms",
    "queue": "load_test",
    "default_tasks": 100,
    "timeout_s": None,
    "parameters": [
        {
            "name": "duration_ms",
            "kind": "float",
            "default": 100,
            "minimum": 0,
            "maximum": 600_000,
            "choices": [],
            "unit": "ms",
            "meaning": "how long",
            "allowed": "a number from 0 to 600000 ms",
        }
    ],
    "metrics": [{"name": "slept_ms", "unit": "ms", "formula": "monotonic clock around the sleep"}],
}
_FIGURE = {
    "before": 59.6,
    "value": 148.5,
    "change": 1.49,
    "interval": [1.48, 1.5],
    "verdict": "improved",
}
_BASELINE = {
    "configuration_id": 7,
    "name": "",
    "in_words": "1000 × io_simulation",
    "queue": "load_test",
    "last_run": _RUN,
    "last_at": "2026-11-23T09:45:18.050Z",
    "figure": "overall_throughput",
    "unit": "/s",
    "last_figure": 59.4,
    "baseline": 59.3,
    "verdict": "unchanged",
    "history": [{"test_id": _RUN, "value": 59.4, "at": "2026-11-23T09:45:18.050Z"}],
    "change_points": [],
    "since": None,
    "pinned_run": None,
}

EXAMPLES: dict[str, Any] = {
    "launch": _LAUNCHED,
    "launch_small": {**_LAUNCHED, "message": "50 × cpu_intensive on load_test."},
    "launch_medium": {**_LAUNCHED, "message": "200 × io_simulation on load_test."},
    "launch_large": {**_LAUNCHED, "message": "1000 × memory_operations on load_test."},
    "cancel": {
        "test_id": _RUN,
        "status": "running",
        "message": "It is being cancelled.",
        "result_url": f"{_BASE}/load-test-result/{_RUN}",
    },
    "result": _REPORT,
    "runs": {
        "results": [_ROW],
        "next_cursor": "42",
        "next": f"{_BASE}/load-tests?page_size=1&cursor=42",
    },
    "tasks": {"results": [_TASK], "next_cursor": None, "next": None},
    "types": {"results": [_TYPE]},
    "pin": _ROW,
    "unpin": _ROW,
    "compare": {
        "sides": [
            {"name": _EARLIER, "n": 1, "runs": [{"test_id": _EARLIER}]},
            {"name": _RUN, "n": 1, "runs": [{"test_id": _RUN}]},
        ],
        "comparisons": [
            {
                "before": _EARLIER,
                "now": _RUN,
                "configuration_differences": [],
                "changed": [{"name": "poll_delay_s", "before": 0.5, "now": 0.05}],
                "verdict": "improved",
                "headline": "poll_delay 0.5 → 0.05: +149 % throughput (+148 to +150).",
                "because": "+149 % throughput (+148 to +150)",
                "figures": {"overall_throughput": _FIGURE},
            }
        ],
    },
    "explain": {
        "subject": "load_test",
        "fleet": {"processes": 1, "slots": 30, "source": "heartbeats"},
        "task_time_ms": 170.0,
        "task_time_source": "given",
        "bottleneck": {
            "binding": "poll_delay",
            "ceilings": [{"name": "poll_delay", "throughput_per_s": 60.0}],
            "change": {"setting": "poll_delay", "from": 0.5, "to": 0.05},
        },
        "missing": [],
        "rate": {"rate_per_s": 40, "fits": True, "utilisation_percent": 66.7},
    },
    "baselines": {"results": [_BASELINE]},
    "queues": {
        "results": [
            {
                "queue": "load_test",
                "active_run": _RUN,
                "reachable": True,
                "because": "",
                "queued": 558,
                "due": 558,
                "deferred": 0,
                "running": 30,
                "oldest_job_age_s": 4.2,
                "workers": [],
            }
        ]
    },
    "healthz": {"status": "alive"},
    "readyz": {"status": "ready", "dependencies": {"database": "ok", "redis": "ok"}},
    "metrics": '# TYPE loadlab_runs gauge\nloadlab_runs{status="running"} 1.0\n',
}
