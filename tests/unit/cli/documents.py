"""Report documents as they are stored: what a face may be handed, from the rich to the bare."""

import copy
from typing import Any

SATURATED: dict[str, Any] = {
    "schema": 1,
    "test_id": "lt_20261123T094501_7f3a9c",
    "label": "",
    "group_id": "",
    "status": "completed",
    "headline": "60 tasks/s: same as your last 8 runs (+0.1 %, 95 % -0.2 to +0.4).",
    "gists": {
        "bottleneck": "Limited by poll_delay: free slots are refilled only every 0.5 s.",
        "queue_wait": "not judged: 400/s offered, more than it can take. Try --rate 40/s",
    },
    "started_at": "2026-11-23T09:45:01.120Z",
    "finished_at": "2026-11-23T09:45:17.950Z",
    "thresholds": [],
    "configuration": {
        "task_type": "io_simulation",
        "num_tasks": 1000,
        "batch_size": 20,
        "delay_ms": 50,
        "target_queue": "load_test",
        "parameters": {},
        "seed": 0,
        "rate_per_s": None,
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
        "performance_analysis": {
            "throughput_rating": "moderate",
            "efficiency_rating": "excellent",
            "queue_pressure": "high",
            "recommendations": [
                "Change poll_delay 0.5 → 0.05: predicted 148/s (2.5×), ~2 % CPU per idle worker.",
                "Send larger batches: 20 tasks take one round trip, 500 would too.",
            ],
        },
        "task_metrics": {
            "n": 1000,
            "avg_execution_time_ms": 174.5,
            "p50_execution_time_ms": 171.0,
            "p95_execution_time_ms": 251.2,
            "p99_execution_time_ms": 294.1,
            "avg_queue_wait_ms": 7120.0,
            "p50_queue_wait_ms": 7200.0,
            "p95_queue_wait_ms": 13_200.0,
            "p99_queue_wait_ms": 13_900.0,
            "avg_sojourn_time_ms": 7300.0,
            "p50_sojourn_time_ms": 7371.0,
            "p95_sojourn_time_ms": 13_400.0,
            "p99_sojourn_time_ms": 14_100.0,
            "intervals": {"p95_execution_time_ms": [247.9, 256.0]},
        },
        "distribution": {
            "execution_time_ms": {"edges": [0, 100, 200, 300], "counts": [12, 780, 208]},
        },
        "type_metrics": {
            "io_efficiency_percent": {
                "mean": 96.1,
                "p50": 96.4,
                "p95": 98.0,
                "min": 80.2,
                "max": 99.1,
                "n": 998,
            },
            "total_io_time_ms": {
                "mean": 401.2,
                "p50": 399.9,
                "p95": 520.1,
                "min": 300.0,
                "max": 611.7,
                "n": 998,
            },
        },
        "regime": "saturated",
        "because": "400/s were offered and 60/s served, so the backlog grew to 851 tasks.",
        "bottleneck": {
            "binding": "poll_delay",
            "ceilings": [
                {
                    "name": "poll_delay",
                    "throughput_per_s": 60.0,
                    "formula": "max_jobs / mean(d·⌈D/d⌉)",
                    "inputs": {
                        "max_jobs": {"value": 30, "unit": "slots", "source": "heartbeat"},
                        "d": {"value": 0.5, "unit": "s", "source": "heartbeat"},
                    },
                },
                {
                    "name": "max_jobs",
                    "throughput_per_s": 168.9,
                    "formula": "max_jobs / mean(S)",
                    "inputs": {"max_jobs": 30, "mean_execution_time_s": 0.1745},
                },
                {
                    "name": "queue_read_limit",
                    "throughput_per_s": 300.0,
                    "formula": "",
                    "inputs": {},
                },
                {"name": "redis", "throughput_per_s": 9100.0, "formula": "", "inputs": {}},
                {"name": "event_loop", "throughput_per_s": 1800.0, "formula": "", "inputs": {}},
            ],
            "change": {
                "setting": "poll_delay",
                "from": 0.5,
                "to": 0.05,
                "predicted_throughput_per_s": 148.0,
                "cost": "~2 % CPU per idle worker",
                "proof": {
                    "command": "loadlab try --change poll_delay=0.05 --repeat 5",
                    "seconds": 118,
                },
            },
        },
        "baseline": {
            "kind": "history",
            "runs": [f"lt_20261122T09450{n}_7f3a9c" for n in range(8)],
            "n": 8,
            "verdict": "unchanged",
            "because": "The whole interval lies within ± 5 %.",
            "figures": {
                "overall_throughput": {
                    "baseline": 59.3,
                    "value": 59.4,
                    "ratio": 1.001,
                    "ratio_interval": [0.998, 1.004],
                    "verdict": "unchanged",
                }
            },
            "changed": [],
        },
        "failures": [{"error_type": "ValueError", "count": 2, "example": "bad input"}],
        "accounting": {
            "planned": 1000,
            "sent": 1000,
            "completed": 998,
            "failed": 2,
            "cancelled": 0,
            "lost": 0,
            "outstanding": 0,
            "retries": 0,
        },
        "environment": {
            "processes": 1,
            "slots": 30,
            "arq_settings": {"max_jobs": 30, "poll_delay_s": 0.5},
            "versions": {"python": "3.11.7", "arq": "0.28.0"},
            "observer": {"redis_commands_percent": 3.1, "shares_host": True},
        },
        "timeline": {
            "interval_s": 1.0,
            "sent": [400, 400, 200, 0],
            "finished": [30, 60, 60, 60],
            "failed": [0, 0, 2, 0],
            "backlog": [370, 710, 850, 790],
            "in_flight": [30, 30, 30, 30],
            "worker_cpu_percent": [None, 20.0, 22.5, 21.0],
            "worker_rss_mb": [61.0, 61.2, 61.2, 61.2],
            "redis_cpu_percent": [1.0, 2.0, None, 1.0],
        },
        "poll_cycle": {"period_s": 0.5, "slots_in_use": [30, 30, 21, 8, 0], "busy_percent": 35.0},
    },
    "notes": ["worker, Redis and database share this machine"],
}


def changed(document: dict[str, Any], **dotted: Any) -> dict[str, Any]:
    """A copy with other values: `metrics__tasks_lost=3` reaches into `metrics`."""
    copied = copy.deepcopy(document)
    for path, value in dotted.items():
        *parents, last = path.split("__")
        place = copied
        for name in parents:
            place = place[name]
        place[last] = value
    return copied


KEEPING_UP = changed(
    SATURATED,
    headline="At 40 tasks/s 95 % are done within 663 ms; 0.25 s of the average is waiting for the "
    "next poll.",
    analysis__regime="keeping_up",
    analysis__baseline__verdict="improved",
    analysis__task_metrics__p50_queue_wait_ms=252.0,
    analysis__task_metrics__p95_queue_wait_ms=477.0,
    analysis__task_metrics__p99_queue_wait_ms=497.0,
    analysis__bottleneck__binding="arrivals",
    analysis__bottleneck__change=None,
)
MIXED = changed(SATURATED, analysis__regime="mixed", analysis__baseline__verdict="inconclusive")
FIRST_RUN = changed(
    SATURATED,
    headline="60 tasks/s.",
    analysis__baseline={
        "kind": "none",
        "runs": [],
        "n": 0,
        "verdict": "no_baseline",
        "because": "No baseline yet: run this twice more, or pin this run.",
        "figures": {},
        "changed": [],
    },
)
FAILED = changed(
    FIRST_RUN,
    status="failed",
    headline="Redis evicts keys (maxmemory-policy allkeys-lru), so tasks could vanish.",
    metrics__tasks_sent=0,
    metrics__tasks_completed=0,
    metrics__tasks_failed=0,
    metrics__overall_throughput=None,
    metrics__total_duration_seconds=None,
    metrics__failure_rate_percent=None,
    analysis__failures=[],
)
TIMED_OUT = changed(
    FIRST_RUN,
    status="timed_out",
    headline="Timed out: 400 of 1000 tasks have no result.",
    metrics__tasks_completed=598,
    metrics__tasks_lost=400,
)
CANCELLED = changed(
    FIRST_RUN,
    status="cancelled",
    headline="Cancelled after 300 of 1000 tasks.",
    metrics__tasks_sent=300,
    metrics__tasks_completed=120,
    metrics__tasks_failed=0,
    metrics__tasks_cancelled=180,
    analysis__failures=[],
)
BARE = {"schema": 1, "test_id": "lt_20261123T094501_7f3a9c", "status": "completed"}
RUNNING = {
    **BARE,
    "status": "running",
    "headline": "",
    "configuration": SATURATED["configuration"],
    "progress": {
        "planned": 1000,
        "sent": 1000,
        "completed": 410,
        "failed": 2,
        "lost": 0,
        "cancelled": 0,
        "outstanding": 588,
        "throughput_per_s": 60.1,
        "seconds_left": 9.8,
    },
}
GROUP = {
    "group_id": "lg_0a1b2c3d4e5f",
    "runs": [SATURATED, changed(SATURATED, test_id="lt_20261123T094601_0b1c2d")],
    "summary": {
        "thresholds": [
            {
                "expression": "p95_execution_time_ms<500",
                "value": 254.0,
                "passed": True,
                "because": "254 is < 500",
            }
        ],
        "headline": "60 tasks/s in 2 runs, 0.1 % apart.",
        "n": 2,
        "figures": {"overall_throughput": {"mean": 59.4, "cv": 0.001, "n": 2}},
    },
}

EXPLANATION = {
    "subject": "media",
    "fleet": {"processes": 2, "slots": 20, "source": "heartbeats", "settings": []},
    "task_time_ms": 200.0,
    "task_time_source": "given",
    "bottleneck": SATURATED["analysis"]["bottleneck"],
    "missing": ["redis is left out: its CPU per task was not measured."],
    "rate": {
        "rate_per_s": 40.0,
        "fits": True,
        "utilisation_percent": 66.7,
        "limited_by": "poll_delay",
        "capacity_per_s": 60.0,
    },
}
COMPARISON = {
    "sides": [
        {"name": "lg_a", "n": 5, "runs": [{"test_id": "lt_1"}, {"test_id": "lt_2"}]},
        {"name": "lg_b", "n": 5, "runs": [{"test_id": "lt_3"}]},
    ],
    "comparisons": [
        {
            "before": "lg_a",
            "now": "lg_b",
            "headline": "poll_delay 0.5 → 0.05: 2.49× the throughput (2.48 to 2.50).",
            "verdict": "improved",
            "changed": [{"field": "arq_settings.poll_delay_s", "from": 0.5, "to": 0.05}],
            "figures": {
                "overall_throughput": {
                    "label": "throughput",
                    "before": 59.6,
                    "value": 148.5,
                    "change": 1.49,
                    "interval": [1.48, 1.5],
                    "verdict": "improved",
                },
                "failure_rate_percent": {
                    "label": "failure rate",
                    "before": 0.0,
                    "value": 0.2,
                    "change": 0.2,
                    "interval": [-0.1, 0.4],
                    "verdict": "unchanged",
                },
                "p95_execution_time_ms": {
                    "label": "p95 execution time",
                    "before": 251.0,
                    "value": None,
                    "change": None,
                    "interval": None,
                    "verdict": "inconclusive",
                },
            },
        }
    ],
    "predicted": SATURATED["analysis"]["bottleneck"]["change"],
}
NOISE = {
    "group_id": "lg_a",
    "runs": ["lt_1", "lt_2", "lt_3"],
    "figures": [
        {
            "figure": "overall_throughput",
            "n": 3,
            "mean": 56.3,
            "run_cv_percent": 2.82,
            "smallest_effect_percent": 6.51,
            "because": "groups of 3 see a change of 6.5%",
            "gate": {"accepted": False, "because": "a gate at 5.0% needs 6 runs a side"},
        },
        {"figure": "failure_rate_percent", "n": 3, "mean": 0.0, "run_cv_percent": None},
    ],
}
WORKLOADS = [
    {
        "name": "",
        "in_words": "1000 × io_simulation",
        "queue": "load_test",
        "last_run": "lt_20261123T094501_7f3a9c",
        "figure": "overall_throughput",
        "figure_label": "throughput",
        "last_figure": 45.0,
        "baseline": 60.0,
        "baseline_n": 8,
        "verdict": "regressed",
        "history": [{"value": 60.0}, {"value": 60.5}, {"value": None}, {"value": 45.0}],
        "since": "throughput fell by 25 % with lt_20261123T094501_7f3a9c",
        "pinned_run": "lt_20261122T094500_7f3a9c",
    },
    {"in_words": "noop at 5/s for 2 s", "queue": "media", "last_run": "lt_2", "verdict": ""},
]

FINISHED = {
    "saturated": SATURATED,
    "keeping_up": KEEPING_UP,
    "mixed": MIXED,
    "first_run": FIRST_RUN,
    "failed": FAILED,
    "timed_out": TIMED_OUT,
    "cancelled": CANCELLED,
    "bare": BARE,
}


def all_null(value: Any) -> Any:
    """The same document, nothing in it known."""
    if isinstance(value, dict):
        return {name: all_null(item) for name, item in value.items()}
    return None
