"""A connection to the worker's own Redis that cannot hold up the worker.

Not arq's pool: that one may have no connection to spare, which arq takes for an error, and retries
for half a minute. This one gives up within a second and never more than a few connections.
"""

from typing import Any

import redis
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.sentinel import SentinelConnectionPool

TIMEOUT_S = 1.0
FAREWELL_S = 0.3

_CONNECTIONS = 4  # publishing, listening, answering, and one to spare
_PATIENCE: dict[str, Any] = {"retry": None, "retry_on_error": [], "retry_on_timeout": False}


def own_connection(arqs: Redis) -> Redis:
    """A client for the same server and database as arq's."""
    pool = arqs.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        # why shared: its connections find the master through the pool they belong to
        return Redis(connection_pool=pool)
    kwargs = pool.connection_kwargs | _PATIENCE | _timeouts(TIMEOUT_S)
    return Redis.from_pool(
        ConnectionPool(
            connection_class=pool.connection_class, max_connections=_CONNECTIONS, **kwargs
        )
    )


def database_of(arqs: Redis) -> int:
    """The number of the database, which kombu's channel names begin with."""
    return int(arqs.connection_pool.connection_kwargs.get("db") or 0)


def publish_now(arqs: Redis, messages: list[tuple[str, bytes]]) -> None:
    """Publish without an event loop, when the process is about to end and has none any more."""
    pool: Any = arqs.connection_pool
    kind = getattr(redis.connection, pool.connection_class.__name__)
    kwargs = pool.connection_kwargs | _PATIENCE | _timeouts(FAREWELL_S)
    connections = redis.ConnectionPool(connection_class=kind, **kwargs)
    with redis.Redis(connection_pool=connections) as client:
        pipe = client.pipeline(transaction=False)
        for channel, message in messages:
            pipe.publish(channel, message)
        pipe.execute()
    connections.disconnect()


def _timeouts(seconds: float) -> dict[str, float]:
    return {"socket_timeout": seconds, "socket_connect_timeout": seconds}
