"""Use case: end single tasks, wherever they are; say of each what became of it.

A whole run is stopped by `cancel_run`. This is for tasks named one by one, as Celery's tools do.
"""

from collections import defaultdict
from collections.abc import Iterable

from asgiref.sync import async_to_sync

from runs.models import TaskMetric
from workers.celery.revocation import Fate, revoke_at
from workers.settings import queue_key, redis_url

MOST_AT_ONCE = 1_000


def terminate_tasks(task_ids: Iterable[str]) -> dict[str, Fate]:
    """Abort these tasks, running or waiting; UNKNOWN are those that had ended already.

    RedisUnreachable where it is away: then nothing was asked of any worker.
    """
    by_queue: dict[str, list[str]] = defaultdict(list)
    known = TaskMetric.objects.filter(pk__in=list(task_ids)[:MOST_AT_ONCE])
    for task_id, queue in known.values_list("task_id", "run__target_queue"):
        by_queue[queue].append(task_id)
    fates: dict[str, Fate] = {}
    for queue, ids in by_queue.items():
        fates |= async_to_sync(revoke_at)(redis_url(), ids, queue_key=queue_key(queue))
    return fates
