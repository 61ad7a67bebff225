"""Use cases at a run's edges: store it as pending; stop it."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from runs.errors import NotAllowedNow, TooManyWaiting
from runs.evaluate import evaluate
from runs.models import LoadTestConfiguration, LoadTestRun
from runs.models.announcing import announce
from runs.models.run import LEASE, new_test_id
from runs.spec import Spec, validate, workload_of
from runs.states import RunStatus

_TRIES = 5  # at drawing names: 24 random bits a second


def start_runs(
    *,
    spec: Spec,
    requested_by: Any = None,
    held_by: str | None = None,
    group_id: str = "",
) -> list[LoadTestRun]:
    """Store the run, or the `repeat` runs of one group, as pending and tell the daemons.

    `held_by` names the process that will conduct them itself: no daemon takes them while its
    leases last. `group_id` adds them to a group that there is already.
    """
    spec = validate(spec)
    with transaction.atomic():
        _refuse_too_many(requested_by, more=spec.repeat)
        runs = _stored(
            spec=spec,
            configuration=LoadTestConfiguration.objects.holding(**workload_of(spec)),
            group_id=group_id or (f"lg_{secrets.token_hex(6)}" if spec.repeat > 1 else ""),
            requested_by=requested_by,
            **_holding(held_by),
        )
        announce()
    if held_by is not None:  # the instants that the database has set
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
    run.reload()
    if run.status == RunStatus.PENDING:
        try:
            evaluate(run, status=RunStatus.CANCELLED)
        except NotAllowedNow:  # a dispatcher took it in between: the collector will stop it
            run.reload()
    return run


def _refuse_too_many(user: Any, *, more: int) -> None:
    """TooManyWaiting where a person's waiting runs and these are more than one may have.

    why the row is locked: of two launches at once, the second must see the first one's runs.
    """
    if user is None:
        return
    most = int(settings.LOADLAB_MAX_WAITING)
    get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)
    waiting = LoadTestRun.objects.filter(requested_by=user, status=RunStatus.PENDING).count()
    if waiting + more > most:
        raise TooManyWaiting(
            f"{waiting} of your runs wait already and {more} more would be above {most} "
            "(LOADLAB_MAX_WAITING): wait until some have begun, or cancel some."
        )


def _stored(
    *, spec: Spec, configuration: LoadTestConfiguration, **common: Any
) -> list[LoadTestRun]:
    """The rows of the runs; drawn again where a name was taken in the same second."""
    for tries_left in reversed(range(_TRIES)):
        runs = [
            LoadTestRun(
                test_id=new_test_id(),
                configuration=configuration,
                label=spec.label,
                target=configuration.target,
                target_queue=configuration.target_queue,
                timeout_s=spec.timeout_s,
                planned_count=configuration.num_tasks,
                baseline_choice=spec.baseline,
                baseline_document=spec.baseline_document,
                thresholds=list(spec.thresholds),
                **common,
            )
            for _ in range(spec.repeat)
        ]
        try:
            with transaction.atomic():
                return list(LoadTestRun.objects.bulk_create(runs))
        except IntegrityError:
            if not tries_left:
                raise
    return []


def _holding(owner: str | None) -> dict[str, Any]:
    if owner is None:
        return {}
    return {
        "dispatcher": owner,
        "dispatcher_until": Now() + LEASE,
        "collector": owner,
        "collector_until": Now() + LEASE,
    }
