"""Are the settings ones that a load test can be run with? Django asks at every command."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from runs.spec import Spec
from workers.errors import WorkersError
from workers.settings import QUEUES, environment, queue_settings, redis_address

_AT_LEAST_ONE = ("LOADLAB_MAX_TASKS", "LOADLAB_MAX_RATE", "LOADLAB_MAX_WAITING")
_NOT_NEGATIVE = ("LOADLAB_API_RATE", "LOADLAB_API_ANONYMOUS_RATE")
_LEAST_BODY = 1024


@register(Tags.security)
def no_anonymous_outside_debug(**_: Any) -> Sequence[CheckMessage]:
    """The API asks for no login only on a machine for development."""
    if settings.LOADLAB_API_ANONYMOUS and not settings.DEBUG:
        return [
            Error(
                "LOADLAB_API_ANONYMOUS=1 opens the API to everybody, and DEBUG is off.",
                hint="Unset LOADLAB_API_ANONYMOUS and make a token for each caller: "
                "manage.py drf_create_token USER.",
                id="runs.E001",
            )
        ]
    return []


@register()
def limits_can_be_kept(**_: Any) -> Sequence[CheckMessage]:
    """Every limit leaves something that is allowed."""
    return list(_limits())


@register()
def times_are_utc(**_: Any) -> Sequence[CheckMessage]:
    """Instants are stored with their zone."""
    if settings.USE_TZ:
        return []
    return [Error("USE_TZ is off, and instants of several hosts are compared.", id="runs.E003")]


@register()
def queues_and_redis_can_be_read(**_: Any) -> Sequence[CheckMessage]:
    """REDIS_URL and LOADLAB_QUEUE_… say something; nothing is connected to, nothing started."""
    return list(_broken())


@register()
def results_outlive_a_run(**_: Any) -> Sequence[CheckMessage]:
    """A result stays in Redis for as long as a run may wait for it."""
    return list(_short_lived())


def _limits() -> Iterator[CheckMessage]:
    least = dict.fromkeys(_AT_LEAST_ONE, 1) | dict.fromkeys(_NOT_NEGATIVE, 0)
    for name, minimum in {**least, "LOADLAB_API_MAX_BODY": _LEAST_BODY}.items():
        value = getattr(settings, name)
        if value < minimum:
            yield Error(f"{name} is {value}: it must be at least {minimum}.", id="runs.E002")


def _broken() -> Iterator[CheckMessage]:
    try:
        if url := environment("REDIS_URL"):
            redis_address(url)
    except WorkersError as error:
        yield Error(str(error), id="runs.E004")
    for queue in QUEUES:
        try:
            queue_settings(queue)
        except WorkersError as error:
            yield Error(str(error), id="runs.E005")


def _short_lived() -> Iterator[CheckMessage]:
    needed_s = Spec().timeout_s
    for queue in QUEUES:
        try:
            kept_s = queue_settings(queue).keep_result_s
        except WorkersError:
            continue  # said by another check
        if kept_s < needed_s:
            name = f"LOADLAB_QUEUE_{queue.upper()}_KEEP_RESULT"
            yield checks.Warning(
                f"{name} is {kept_s:g} s, and a run waits {needed_s:g} s for its results.",
                hint=f"While the collector is away, results get lost: set {name} above that.",
                id="runs.W001",
            )
