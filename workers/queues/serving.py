"""How is a queue served? Builds the settings class of a queue, which arq's own CLI runs unchanged.

Nothing here starts a server or opens a connection: the class is data until a worker runs it.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

from arq.cron import CronJob
from arq.worker import Function

from workers import codec, ids
from workers.fleet import FleetSettings
from workers.heartbeat import Heart
from workers.outages import survive_outages
from workers.pool import CONTEXT_KEY, ProcessPool
from workers.settings import QueueSettings, environment, queue_key, queue_settings, redis_settings
from workers.tasks.counting import COUNTS
from workers.tasks.registry import arq_functions

MAX_TRIES = 5  # arq's own default
HEALTH_CHECK_INTERVAL_S = 10.0  # arq's own hour would call a dead worker healthy
# why not 0: arq then cancels on SIGTERM, and a flooded worker exits with an error and leaves claims
# behind; tasks shorter than this finish, longer ones are put back
JOB_COMPLETION_WAIT_S = 5
# which part of a poll interval this process polls at: spreads the polls of a fleet
PHASE_VARIABLE = "LOADLAB_POLL_PHASE"
CELERY_VARIABLES = ("LOADLAB_CELERY_EVENTS", "LOADLAB_CELERY_CONTROL", "LOADLAB_CELERY_RESULTS")

_HEART = "loadlab_heart"

logger = logging.getLogger("loadlab.workers")


def settings_class(
    queue: str, *, functions: Sequence[Function] = (), cron_jobs: Sequence[CronJob] = ()
) -> type:
    """The `WorkerSettings` of a queue: every task type, and what else is given."""
    settings = queue_settings(queue)
    served = (*arq_functions(), *functions)

    async def start(ctx: dict[Any, Any]) -> None:
        survive_outages(ctx["redis"])
        pool = ctx[CONTEXT_KEY] = ProcessPool()
        heart = ctx[_HEART] = Heart(
            redis=ctx["redis"],
            queue=queue,
            settings=_fleet_settings(settings, functions=served, pool=pool),
            functions=tuple(function.name for function in served),
            pool=pool,
        )
        await heart.start()
        logger.info("worker_started queue=%s worker=%s", queue, ids.worker_id())
        await _wait_for_phase(settings.poll_delay_s)

    async def stop(ctx: dict[Any, Any]) -> None:
        await ctx[_HEART].stop()
        await ctx[CONTEXT_KEY].close()
        logger.info(
            "worker_stopped queue=%s worker=%s jobs_done=%d jobs_failed=%d",
            *(queue, ids.worker_id(), COUNTS.done, COUNTS.failed),
        )

    # why a class made here: arq reads a class's own __dict__ and nothing that it inherits
    made = type(
        "WorkerSettings",
        (),
        {
            "functions": list(served),
            "cron_jobs": list(cron_jobs),
            "queue_name": queue_key(queue),
            "redis_settings": redis_settings(),
            "max_jobs": settings.max_jobs,
            "job_timeout": settings.job_timeout_s,
            "poll_delay": settings.poll_delay_s,
            "queue_read_limit": settings.queue_read_limit,
            "keep_result": settings.keep_result_s,
            "max_tries": MAX_TRIES,
            "health_check_interval": HEALTH_CHECK_INTERVAL_S,
            "job_completion_wait": JOB_COMPLETION_WAIT_S,
            "allow_abort_jobs": True,
            "job_serializer": codec.dumps,
            "job_deserializer": codec.loads,
            "on_startup": start,
            "on_shutdown": stop,
        },
    )
    return _as_celery_tools_see_it(made)


def _as_celery_tools_see_it(made: type) -> type:
    """With Celery's protocols, where one of LOADLAB_CELERY_… is set; else as it is."""
    if not any(map(environment, CELERY_VARIABLES)):
        return made
    from workers.celery.compatible import compatible_if_wanted  # why here: off costs nothing

    return compatible_if_wanted(made)


def _fleet_settings(
    settings: QueueSettings, *, functions: Sequence[Function], pool: ProcessPool
) -> FleetSettings:
    longest_s = max(function.timeout_s or settings.job_timeout_s for function in functions)
    return FleetSettings(
        max_jobs=settings.max_jobs,
        poll_delay_s=settings.poll_delay_s,
        queue_read_limit=settings.ids_per_poll,
        job_timeout_s=settings.job_timeout_s,
        keep_result_s=settings.keep_result_s,
        max_tries=MAX_TRIES,
        health_check_interval_s=HEALTH_CHECK_INTERVAL_S,
        keep_result_forever=False,
        allow_abort_jobs=True,
        retries_os_errors=True,
        in_progress_timeout_s=longest_s + 10,
        pool_processes=pool.processes,
    )


async def _wait_for_phase(poll_delay_s: float) -> None:
    """Begin to poll where LOADLAB_POLL_PHASE (0 to 1) of the poll interval has passed."""
    text = environment(PHASE_VARIABLE)
    if text:
        await asyncio.sleep((float(text) * poll_delay_s - time.time()) % poll_delay_s)
