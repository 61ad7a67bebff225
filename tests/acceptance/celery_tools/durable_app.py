"""The same application with arq settings that outlive a Redis that restarts."""

from arq_app import WorkerSettings
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from workers.settings import RETRIED_ERRORS

WorkerSettings.redis_settings.retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 60)
WorkerSettings.redis_settings.retry_on_error = list(RETRIED_ERRORS)

__all__ = ["WorkerSettings"]
