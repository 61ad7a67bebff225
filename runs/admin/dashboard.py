"""The index of the admin: tests under way, the last verdicts, the queues, at a glance."""

from typing import Any

from django.db.models import Case, IntegerField, Value, When

from runs.admin.baselines import standing
from runs.admin.queues import queues_context
from runs.analysis.live_words import Underway, say_live
from runs.analysis.overview_words import say_tests
from runs.analysis.verdicts import Verdict
from runs.histories import ranked_configurations, rows_of
from runs.models import LoadTestRun
from runs.states import ACTIVE, RunStatus

UNDER_WAY, VERDICTS, MOST = 10, 6, 1_000
_NEEDED = (
    *("test_id", "status", "target_queue", "label", "planned_count", "sent_count"),
    *("completed_count", "failed_count", "cancelled_count", "lost_count", "cancel_requested_at"),
    *("headline", "verdict", "finished_at", "configuration__task_type", "configuration__name"),
    *("configuration__num_tasks", "configuration__rate_per_s", "configuration__duration_s"),
    "requested_by__username",
)


def dashboard_context() -> dict[str, Any]:
    """Everything of the index that is about load tests; always the same few queries."""
    under_way = [
        *_runs(status__in=[*ACTIVE, RunStatus.PENDING]).order_by(_ACTIVE_FIRST, "pk")[:MOST]
    ]
    active = [run for run in under_way if run.status in ACTIVE]
    ranked = ranked_configurations()
    worst = rows_of(ranked.ids[:1]) if ranked.verdicts.get(Verdict.REGRESSED) else []
    holders = {run.target_queue: run.test_id for run in active}
    return {
        "say": say_tests(
            len(active),
            waiting=len(under_way) - len(active),
            standings=[standing(row) for row in worst],
        ),
        "under_way": [_row(run, holders) for run in under_way[:UNDER_WAY]],
        "more_under_way": max(0, len(under_way) - UNDER_WAY),
        "verdicts": _runs(status__in=_JUDGED).order_by("-pk")[:VERDICTS],
        **{name: each for name, each in queues_context(ceilings=False).items() if name != "say"},
    }


def _runs(**filters: Any) -> Any:
    return (
        LoadTestRun.objects.filter(**filters)
        .select_related("configuration", "requested_by")
        .only(*_NEEDED)
    )


def _row(run: LoadTestRun, holders: dict[str, str]) -> dict[str, Any]:
    """A test under way with the words of the moment."""
    waits = run.status == RunStatus.PENDING
    said = say_live(
        Underway(
            status=RunStatus(run.status),
            queue=run.target_queue,
            planned=run.planned_count,
            sent=run.sent_count,
            ended=run.accounted_count,
            failed=run.failed_count,
            ahead=holders.get(run.target_queue) if waits else None,
            cancelling=run.cancel_requested_at is not None,
        )
    )
    return {"run": run, "waits": waits, "says": said.headline}


_ACTIVE_FIRST = Case(
    When(status=RunStatus.PENDING.value, then=Value(1)),
    default=Value(0),
    output_field=IntegerField(),
)
_JUDGED = [status.value for status in (RunStatus.COMPLETED, RunStatus.TIMED_OUT, RunStatus.FAILED)]
