"""Use case: forget old runs and all their tasks; what somebody pinned as a baseline is kept."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from runs.models import LoadTestConfiguration, LoadTestRun, TaskMetric

RUNS_PER_BATCH = 100
TASKS_PER_BATCH = 100_000  # one run larger than this is a batch of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was forgotten, and how many old runs were kept because they are pinned."""

    runs: int
    tasks: int
    pinned: int


def prune(*, older_than_days: int) -> Pruned:
    """Delete the runs that ended and were asked for longer ago than that, oldest first.

    Each batch is a transaction of its own, so that an interrupted pruning has deleted whole runs
    only and no other command waits long for a lock.
    """
    old = LoadTestRun.objects.finished().filter(
        created_at__lt=Now() - timedelta(days=older_than_days)
    )
    pinned = LoadTestConfiguration.objects.exclude(pinned_run=None).values("pinned_run")
    runs = tasks = 0
    while batch := _next_batch(old.exclude(pk__in=pinned)):
        with transaction.atomic():
            tasks += TaskMetric.objects.filter(run__in=batch).delete()[0]
            runs += len(batch)
            LoadTestRun.objects.filter(pk__in=batch).delete()
    return Pruned(runs=runs, tasks=tasks, pinned=old.filter(pk__in=pinned).count())


def _next_batch(old: "QuerySet[LoadTestRun]") -> list[int]:
    chosen: list[int] = []
    tasks = 0
    for pk, sent in old.order_by("pk").values_list("pk", "sent_count")[:RUNS_PER_BATCH]:
        tasks += sent
        if chosen and tasks > TASKS_PER_BATCH:
            break
        chosen.append(pk)
    return chosen
