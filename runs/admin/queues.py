"""Queues and workers: depth, the oldest job's age, who serves, what the queue can do at most."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from runs.admin import permissions
from runs.admin.charts.bars import ceilings_of
from runs.admin.wording import NO_BREAK, NONE, bytes_of, count, duration_s, percent, setting
from runs.analysis.overview_words import QueueNow, say_queues
from runs.analysis.reading import amount, part, value, words
from runs.errors import LoadLabError
from runs.explain import explain
from runs.queues import queues_overview

_CEILINGS = 6
_SETTINGS = (
    *("max_jobs", "poll_delay_s", "queue_read_limit", "job_timeout_s", "keep_result_s"),
    "max_tries",
)


@require_safe
def queues_page(request: HttpRequest, *, site: Any) -> HttpResponse:
    """The page; what changes in it alone where the page itself asks."""
    permissions.require(request, permissions.VIEW)
    context = queues_context()
    if request.headers.get("HX-Request"):
        response = TemplateResponse(request, "admin/runs/_queues.html", context)
    else:
        context |= {**site.each_context(request), "title": "Queues and workers"}
        response = TemplateResponse(request, "admin/runs/queues.html", context)
    response["Cache-Control"] = "no-store"
    return response


def queues_context(*, ceilings: bool = True) -> dict[str, Any]:
    """Every queue as the page shows it, and the sentence about all."""
    queues = [_queue(each, ceilings=ceilings) for each in queues_overview()]
    return {
        "queues": queues,
        "say": say_queues([_now(each) for each in queues]),
        "worker_count": sum(len(each["workers"]) for each in queues),
        "reachable": all(each["reachable"] for each in queues),
        "now": timezone.now(),
    }


def _now(queue: Mapping[str, Any]) -> QueueNow:
    return QueueNow(
        name=queue["queue"],
        reachable=queue["reachable"],
        because=queue["because"],
        waiting=queue["waiting"] or 0,
        workers=len(queue["workers"]),
        oldest_s=queue["oldest_job_age_s"],
        served_per_s=queue["at_most"],
    )


def _queue(seen: Mapping[str, Any], *, ceilings: bool) -> dict[str, Any]:
    workers = [_worker(each) for each in seen["workers"]]
    slots = sum(each["slots"] for each in workers)
    running = seen["running"]
    queue = {**seen, "workers": workers, "slots": slots, **_limits(seen, asked=ceilings)}
    waiting = None if seen["due"] is None else max(0, seen["due"] - (running or 0))
    return queue | {
        "waiting": waiting,
        "waiting_shown": count(waiting),
        "busy": f"{count(running)} of {count(slots)}" if slots else NONE,
        "oldest": duration_s(seen["oldest_job_age_s"]) if waiting else NONE,
        "served_by": f"{len(workers)} × {workers[0]['slots']} slots" if workers else "",
        "settings": list(dict.fromkeys(worker["settings"] for worker in workers)),
        "versions": list(dict.fromkeys(worker["versions"] for worker in workers)),
        "foreign": bool(waiting) and seen.get("active_run") is None,
    }


def _worker(described: Mapping[str, Any]) -> dict[str, Any]:
    beat, settings = part(described, "beat"), part(described, "settings")
    slots = int(amount(settings, "max_jobs") or 0)
    at = amount(beat, "at")
    age = None if at is None else max(0.0, timezone.now().timestamp() - at)
    return {
        "id": words(described, "worker_id"),
        "host": words(described, "host"),
        "age": NONE if age is None else f"{age:.1f}{NO_BREAK}s",
        "slots": slots,
        "busy": f"{count(value(beat, 'jobs_running'))} of {slots}",
        "cpu": percent(value(beat, "cpu_percent")),
        "memory": bytes_of(value(beat, "rss_bytes")),
        "done": f"{count(value(beat, 'jobs_done'))} / {count(value(beat, 'jobs_failed'))}",
        "settings": " · ".join(
            f"{name.removesuffix('_s')} {setting(name, value(settings, name))}"
            for name in _SETTINGS
            if value(settings, name) is not None
        ),
        "versions": " · ".join(
            [*(f"{n} {v}" for n, v in part(described, "versions").items())]
            + ([f"revision {words(described, 'revision')}"] if words(described, "revision") else [])
        ),
    }


def _limits(seen: Mapping[str, Any], *, asked: bool) -> dict[str, Any]:
    """What the laws say of the queue; nothing where nobody serves it or nobody can be asked."""
    none = {"at_most": None, "limited_by": "", "ceilings": None, "basis": ""}
    if not asked or not seen["reachable"] or not seen["workers"]:
        return none
    try:
        found = explain(queue=str(seen["queue"]))
    except LoadLabError:
        return none
    bottleneck = part(found, "bottleneck")
    ceilings = ceilings_of(bottleneck)
    if ceilings is None:
        return none
    binding = next((row for row in ceilings.rows if row.binding), ceilings.rows[0])
    return {
        "at_most": binding.per_s,
        "limited_by": binding.name,
        "ceilings": {"rows": ceilings.rows[:_CEILINGS], "cut": ceilings.cut},
        "basis": f"for tasks of {duration_s((amount(found, 'task_time_ms') or 0) / 1000)}, "
        f"{words(found, 'task_time_source')}",
    }
