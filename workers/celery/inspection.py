"""What does a worker answer when Celery's tools inspect it? The shapes are those of celery.worker.

Flower shows keys of `stats` that it does not know under "Other": that is where arq's own figures
stand, the true queue depth among them.
"""

import os
import resource
import time
from typing import Any

from arq.constants import job_key_prefix
from arq.jobs import Deserializer, deserialize_job
from redis.asyncio import Redis

from workers.celery.serving import Serving
from workers.celery.watch import Job, Watch
from workers.jsonsafe import sanitise

MAX_SCHEDULED = 100

_PLACES = ("host", "port", "db", "path")


def active(watch: Watch) -> list[dict[str, Any]]:
    """The jobs that run now."""
    return [request(job, watch=watch) for job in list(watch.running.values())]


def request(job: Job, *, watch: Watch) -> dict[str, Any]:
    """A job as Celery describes a request."""
    value = watch.options.redaction.value
    return _described(watch.serving, job_id=job.job_id, name=job.name) | {
        "args": sanitise(value(list(job.args))),
        "kwargs": sanitise(value(dict(job.kwargs))),
        "time_start": job.began_at,
        "acknowledged": True,
        "worker_pid": os.getpid(),
    }


def query(watch: Watch, task_ids: list[str]) -> dict[str, Any]:
    """Those of the given tasks that this worker runs."""
    return {
        task_id: ["active", request(watch.running[task_id], watch=watch)]
        for task_id in task_ids
        if task_id in watch.running
    }


async def scheduled(
    redis: Redis, *, watch: Watch, deserializer: Deserializer | None
) -> list[dict[str, Any]]:
    """The first jobs of the queue that are deferred; with arq they are any worker's."""
    due = await redis.zrangebyscore(
        watch.serving.queue_key,
        min=f"({int(time.time() * 1000)}",
        max="+inf",
        start=0,
        num=MAX_SCHEDULED,
        withscores=True,
    )
    if not due:
        return []
    bodies = await redis.mget([job_key_prefix + job_id.decode() for job_id, _ in due])
    return [
        {
            "eta": _iso(score / 1000),
            "priority": 6,
            "request": _waiting(watch, job_id.decode(), body, deserializer=deserializer),
        }
        for (job_id, score), body in zip(due, bodies, strict=True)
    ]


def active_queues(serving: Serving) -> list[dict[str, Any]]:
    """The queue, with every key that Flower's worker page asks for."""
    exchange = {
        "name": serving.queue,
        "type": "direct",
        "arguments": None,
        "durable": True,
        "passive": False,
        "auto_delete": False,
        "delivery_mode": None,
        "no_declare": False,
    }
    absent = (
        *("queue_arguments", "binding_arguments", "consumer_arguments", "alias", "no_declare"),
        *("expires", "message_ttl", "max_length", "max_length_bytes", "max_priority"),
    )
    return [
        {
            "name": serving.queue,
            "exchange": exchange,
            "routing_key": serving.queue,
            "durable": True,
            "exclusive": False,
            "auto_delete": False,
            "no_ack": False,
            "bindings": [],
            **dict.fromkeys(absent),
        }
    ]


def conf(watch: Watch) -> dict[str, Any]:
    """The settings, under Celery's names where it has one; never an address or a password."""
    serving, options = watch.serving, watch.options
    return {
        "worker_concurrency": serving.max_jobs,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": options.events,
        "task_time_limit": serving.job_timeout_s,
        "task_default_queue": serving.queue,
        "task_default_max_retries": serving.max_tries - 1,
        "task_serializer": "arq",
        "result_expires": options.results_ttl_s if options.results else serving.keep_result_s,
        "arq_max_jobs": serving.max_jobs,
        "arq_poll_delay_s": serving.poll_delay_s,
        "arq_max_tries": serving.max_tries,
        "arq_allow_abort_jobs": serving.allow_abort_jobs,
        "loadlab_celery_control": options.control,
        "loadlab_celery_results": options.results,
        "loadlab_celery_events_sample": options.sample,
    }


async def stats(redis: Redis, *, watch: Watch, uptime_s: float) -> dict[str, Any]:
    """Counts, limits and resources of this process."""
    serving = watch.serving
    return {
        "total": dict(watch.totals),
        "pid": os.getpid(),
        "clock": str(watch.events.clock.value),
        "uptime": int(uptime_s),
        "pool": {
            "implementation": "arq: one event loop",
            "max-concurrency": serving.max_jobs,
            "processes": [os.getpid()],
            "max-tasks-per-child": "N/A",
            "put-guarded-by-semaphore": True,
            "timeouts": [0, serving.job_timeout_s],
        },
        "broker": _broker(redis),
        "prefetch_count": serving.max_jobs,
        "rusage": _rusage(),
        "arq": {
            "queue": serving.queue_key,
            **await _depth(redis, serving),
            "running_here": len(watch.running),
            "events_told": watch.outbox.told,
            "events_lost": watch.outbox.lost,
        },
    }


async def _depth(redis: Redis, serving: Serving) -> dict[str, int]:
    async with redis.pipeline(transaction=False) as pipe:
        pipe.zcard(serving.queue_key)
        pipe.zcount(serving.queue_key, f"({int(time.time() * 1000)}", "+inf")
        on_queue, deferred = await pipe.execute()
    # why "on_queue": arq leaves ids in progress there
    return {"on_queue": on_queue, "deferred": deferred}


def _broker(redis: Redis) -> dict[str, Any]:
    known = redis.connection_pool.connection_kwargs
    place = {name: known[name] for name in _PLACES if name in known}
    return {
        "transport": "redis",
        "hostname": place.get("host") or place.get("path"),
        "port": place.get("port"),
        "virtual_host": str(place.get("db") or 0),
        "userid": None,
        "ssl": "ssl_context" in known or "ssl_cert_reqs" in known,
    }


def _rusage() -> dict[str, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        name.removeprefix("ru_"): getattr(used, name)
        for name in dir(used)
        if name.startswith("ru_")
    }


def _waiting(
    watch: Watch, job_id: str, body: bytes | None, *, deserializer: Deserializer | None
) -> dict[str, Any]:
    described = _described(watch.serving, job_id=job_id, name=None)
    if body is None:
        return described
    try:
        job = deserialize_job(body, deserializer=deserializer)
    except Exception:  # noqa: BLE001 - an undecodable body is for the worker to fail, not for us
        return described
    value = watch.options.redaction.value
    return described | {
        "name": job.function,
        "type": job.function,
        "args": sanitise(value(list(job.args))),
        "kwargs": sanitise(value(dict(job.kwargs))),
    }


def _described(serving: Serving, *, job_id: str, name: str | None) -> dict[str, Any]:
    return {
        "id": job_id,
        "name": name,
        "args": [],
        "kwargs": {},
        "type": name,
        "hostname": serving.hostname,
        "time_start": None,
        "acknowledged": False,
        "delivery_info": {
            "exchange": "",
            "routing_key": serving.queue,
            "priority": 0,
            "redelivered": False,
        },
        "worker_pid": None,
    }


def _iso(epoch_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(epoch_s))
