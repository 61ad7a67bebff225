"""Use cases at a run's edges: store it as pending; stop it."""

import secrets
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from runs.errors import NotAllowedNow
from runs.models import LoadTestConfiguration, LoadTestRun
from runs.models.run import LEASE, new_test_id
from runs.spec import Spec, validate, workload_of
from runs.states import RunStatus

CHANNEL = "loadlab_runs"  # LISTEN here to hear of a new run within milliseconds


def start_runs(
    *, spec: Spec, requested_by: Any = None, held_by: str | None = None
) -> list[LoadTestRun]:
    """Store the run, or the `repeat` runs of one group, as pending and tell the daemons.

    `held_by` names the process that will conduct them itself: no daemon takes them while its
    leases last.
    """
    spec = validate(spec)
    with transaction.atomic():
        configuration = LoadTestConfiguration.objects.holding(**workload_of(spec))
        group_id = f"lg_{secrets.token_hex(6)}" if spec.repeat > 1 else ""
        runs = [
            LoadTestRun.objects.create(
                test_id=new_test_id(),
                configuration=configuration,
                group_id=group_id,
                label=spec.label,
                target=configuration.target,
                target_queue=configuration.target_queue,
                timeout_s=spec.timeout_s,
                planned_count=configuration.num_tasks,
                baseline_choice=spec.baseline,
                thresholds=list(spec.thresholds),
                requested_by=requested_by,
                **_holding(held_by),
            )
            for _ in range(spec.repeat)
        ]
        announce()
    for run in runs:
        run.refresh_from_db(fields=["dispatcher_until", "collector_until"])
    return runs


def cancel_run(*, test_id: str) -> LoadTestRun:
    """Stop a run: at once where nothing was sent, else whoever collects it cleans up.

    Cancelling twice is one cancel; NotAllowedNow where the run has ended.
    """
    run = LoadTestRun.objects.named(test_id)
    if run.is_finished:
        raise NotAllowedNow(f"{test_id} is {run.status} already: there is nothing to cancel.")
    with transaction.atomic():
        run.request_cancel()
        announce()
    run.refresh_from_db()
    if run.status == RunStatus.PENDING:
        try:
            run.move_to(RunStatus.CANCELLED, finished_at=timezone.now())
        except NotAllowedNow:  # a dispatcher took it in between: the collector will stop it
            run.refresh_from_db()
    return run


def announce() -> None:
    """Wake every daemon that listens, when the surrounding transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


def _holding(owner: str | None) -> dict[str, Any]:
    if owner is None:
        return {}
    return {
        "dispatcher": owner,
        "dispatcher_until": Now() + LEASE,
        "collector": owner,
        "collector_until": Now() + LEASE,
    }
