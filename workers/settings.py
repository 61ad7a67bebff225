"""Where is Redis, which queues are there, how is each served? Read from the environment when used.

The arq CLI never loads Django's settings, so everything that a worker needs is read here, with
`.env` of the checkout below the environment, as Django's settings do.
"""

import functools
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arq.connections import RedisSettings
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from workers.errors import InvalidSetting, RedisUnreachable, UnknownQueue

QUEUES: tuple[str, ...] = ("load_test", "system", "media")
CHECKOUT = Path(__file__).resolve().parent.parent

# why OSError: redis-py's connect() raises it bare, and retries only what is listed; without it
# an outage of 2 s ends every worker
RETRIED_ERRORS: tuple[type[Exception], ...] = (RedisConnectionError, RedisTimeoutError, OSError)

_QUEUE_KEY_PREFIX = "arq:queue:"
_DEFAULTS = {"load_test": (30, 600.0), "system": (15, 300.0), "media": (10, 600.0)}
_SECONDS_PER_UNIT = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(ms|s|m|h)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """How the workers of a queue serve it; `queue_read_limit` None means max(5·max_jobs, 100)."""

    name: str
    max_jobs: int
    job_timeout_s: float
    poll_delay_s: float
    queue_read_limit: int | None
    keep_result_s: float

    @property
    def ids_per_poll(self) -> int:
        """How many ids one poll reads: arq takes max(5·max_jobs, 100) where nothing is set."""
        return self.queue_read_limit or max(self.max_jobs * 5, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A Redis and its queues that a run is sent to; `redis_url` None means the environment's."""

    name: str = "default"
    redis_url: str | None = None
    queue_key_prefix: str = _QUEUE_KEY_PREFIX

    def queue_key(self, queue: str) -> str:
        return self.queue_key_prefix + queue


def queue_key(name: str) -> str:
    """arq's `queue_name` of a queue of ours, its sorted set in Redis."""
    return _QUEUE_KEY_PREFIX + name


def queue_settings(name: str) -> QueueSettings:
    """The settings of a queue: LOADLAB_QUEUE_<NAME>_…, else the defaults."""
    if name not in QUEUES:
        raise UnknownQueue(f"There is no queue {name!r}; the queues are {', '.join(QUEUES)}.")
    max_jobs, job_timeout_s = _DEFAULTS[name]
    prefix = f"LOADLAB_QUEUE_{name.upper()}_"
    slots = _number(prefix + "MAX_JOBS", default=max_jobs, parse=_whole, low=1, high=10_000)
    read_limit = _number(prefix + "QUEUE_READ_LIMIT", default=0, parse=_whole, low=0, high=10**6)
    return QueueSettings(
        name=name,
        max_jobs=int(slots),
        job_timeout_s=_number(
            prefix + "JOB_TIMEOUT", default=job_timeout_s, parse=_seconds, low=0.1, high=86_400
        ),
        poll_delay_s=_number(
            prefix + "POLL_DELAY", default=0.5, parse=_seconds, low=0.001, high=60
        ),
        queue_read_limit=int(read_limit) or None,
        keep_result_s=_number(
            prefix + "KEEP_RESULT", default=3600, parse=_seconds, low=1, high=30 * 86_400
        ),
    )


def redis_url() -> str:
    """REDIS_URL, else the embedded server's; that one is started if it is down."""
    given = environment("REDIS_URL")
    if given:
        _connection_fields(given)
        return given
    return f"unix://{_embedded_socket()}?db=0"


def redis_address(url: str | None = None) -> str:
    """Where Redis is, for people: `host:port/db` or the socket's path, never a password."""
    url = url or environment("REDIS_URL")
    if not url:
        from loadlab.embedded import status  # why here: see _embedded_socket

        return next(str(server.socket) for server in status() if "Valkey" in server.name)
    fields = _connection_fields(url)
    if "path" in fields:
        return str(fields["path"])
    host, port = fields.get("host", "localhost"), fields.get("port", 6379)
    return f"{host}:{port}/{fields.get('db', 0)}"


def redis_settings() -> RedisSettings:
    """arq's connection settings; an embedded server is started when a connection asks for it."""
    url = environment("REDIS_URL")
    settings = RedisSettings(**_arq_fields(url)) if url else _EmbeddedRedisSettings()
    # why this long: 60 tries, at most 0.5 s apart, bridge about half a minute without Redis
    settings.retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 60)
    settings.retry_on_error = list(RETRIED_ERRORS)
    settings.conn_retries = 0  # why none: each of them would be 60 tries
    return settings


def task_modules() -> list[str]:
    """The modules of LOADLAB_TASK_MODULES, which hold the user's own task types."""
    return [name for name in re.split(r"[,\s]+", environment("LOADLAB_TASK_MODULES")) if name]


def var_directory() -> Path:
    """Where logs of worker processes go: LOADLAB_VAR, else `var` of the checkout."""
    return (CHECKOUT / (environment("LOADLAB_VAR") or "var")).resolve()


def environment(name: str) -> str:
    """An environment variable, stripped; empty where it is not set."""
    _read_dotenv()
    return os.environ.get(name, "").strip()


class _EmbeddedRedisSettings(RedisSettings):
    """Starts the embedded server when the socket is asked for: at a connection, never at import."""

    @property
    def unix_socket_path(self) -> str | None:
        return _embedded_socket()

    @unix_socket_path.setter
    def unix_socket_path(self, value: str | None) -> None:
        """The dataclass's own initialiser assigns its default; there is nothing to keep."""


def _embedded_socket() -> str:
    # why here: with REDIS_URL set nothing embedded is imported
    from loadlab.embedded import EmbeddedServerError, ensure_valkey

    try:
        return str(ensure_valkey())
    except EmbeddedServerError as error:
        raise RedisUnreachable(str(error)) from error


def _arq_fields(url: str) -> dict[str, Any]:
    fields = _connection_fields(url)
    return {
        "host": fields.get("host", "localhost"),
        "port": fields.get("port", 6379),
        "database": fields.get("db", 0),
        "username": fields.get("username"),
        "password": fields.get("password"),
        "unix_socket_path": fields.get("path"),
        "ssl": url.startswith("rediss:"),
        "ssl_cert_reqs": fields.get("ssl_cert_reqs", "required"),
        "ssl_ca_certs": fields.get("ssl_ca_certs"),
        "ssl_check_hostname": bool(fields.get("ssl_check_hostname", False)),
    }


def _connection_fields(url: str) -> dict[str, Any]:
    # why redis-py's own parser: arq's leaves %-signs in passwords and socket paths as they are
    try:
        fields = dict(parse_url(url))
    except ValueError:
        fields = {}
    if not fields or ("path" not in fields and "host" not in fields):
        raise InvalidSetting(
            "REDIS_URL cannot be read; allowed are redis://[user:password@]host[:port][/db], "
            "rediss://… and unix:///path/to/socket[?db=0]."
        )
    return fields


def _number(
    variable: str, *, default: float, parse: Callable[[str], float], low: float, high: float
) -> float:
    text = environment(variable)
    if not text:
        return default
    kind = "a whole number" if parse is _whole else "a duration (0.5, 50ms, 30s, 2m)"
    suffix = "" if parse is _whole else " s"
    allowed = f"{kind} from {low:g} to {high:g}{suffix} is allowed"
    try:
        value = parse(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InvalidSetting(f"{variable} is {text!r}; {allowed}.")
    return value


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(text)
    return int(text)


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(text)
    return float(match[1]) * _SECONDS_PER_UNIT[match[2] or ""]


@functools.cache
def _read_dotenv() -> None:
    # why by hand: django-environ imports Django, which workers do without; the rules are its own
    path = CHECKOUT / ".env"
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"(?:export )?([A-Za-z_0-9]+)=(.*)", line)
        if match:
            os.environ.setdefault(match[1], _unquoted(match[2]))


def _unquoted(value: str) -> str:
    if re.fullmatch(r"'.*'", value):
        return value[1:-1]
    if re.fullmatch(r'".*"', value):
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
