"""One line over an arq settings class, and Celery's tools see its worker.

from loadlab import celery_compatible

@celery_compatible
class WorkerSettings:
    functions = [send_mail]

A decorator and not a base class: arq reads a class's own attributes and nothing that it inherits.
"""

import functools
import pickle
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast, overload

from arq.cron import CronJob
from arq.jobs import Serializer
from arq.typing import WorkerCoroutine
from arq.utils import import_string
from arq.worker import Function, func

from workers.celery import options as variables
from workers.celery.bridge import Bridge
from workers.celery.options import Options, options_from_environment
from workers.celery.serving import Serving

Hook = Callable[[dict[Any, Any]], Awaitable[None]]
_C = TypeVar("_C", bound=type)
_J = TypeVar("_J", Function, CronJob)


@overload
def celery_compatible(settings_class: _C, /) -> _C: ...
@overload
def celery_compatible(
    *, events: bool | None = None, control: bool | None = None, results: bool | None = None
) -> Callable[[_C], _C]: ...
def celery_compatible(
    settings_class: _C | None = None,
    /,
    *,
    events: bool | None = None,
    control: bool | None = None,
    results: bool | None = None,
) -> _C | Callable[[_C], _C]:
    """Have the workers of an arq settings class speak to Flower and to the `celery` command.

    Events are on unless LOADLAB_CELERY_EVENTS=0; control and the mirror of results are off unless
    asked for here, or by LOADLAB_CELERY_CONTROL=1 and LOADLAB_CELERY_RESULTS=1.
    """
    if events is None and not variables.is_set(variables.EVENTS):
        events = True

    def decorate(decorated: _C) -> _C:
        chosen = options_from_environment(events=events, control=control, results=results)
        if chosen.any:
            _connect(decorated, options=chosen)
        return decorated

    return decorate if settings_class is None else decorate(settings_class)


def compatible_if_wanted(settings_class: _C) -> _C:
    """The same for our own queues, where the environment alone decides."""
    chosen = options_from_environment()
    if chosen.any:
        _connect(settings_class, options=chosen)
    return settings_class


def _connect(settings_class: type, *, options: Options) -> None:
    """Put the bridge between arq and the functions, hooks and serialiser of the class."""
    own = dict(vars(settings_class))
    if options.control:
        # why only where it says nothing: a class that forbids aborting means it
        own.setdefault("allow_abort_jobs", True)
    functions = [_as_function(function) for function in own.get("functions") or ()]
    cron_jobs: list[CronJob] = list(own.get("cron_jobs") or ())
    jobs: list[Function | CronJob] = [*functions, *cron_jobs]
    bridge = Bridge(
        serving=Serving.of(own, functions={job.name: job.timeout_s for job in jobs}),
        options=options,
        deserializer=own.get("job_deserializer"),
    )
    changed = {
        "functions": [_watched(function, bridge=bridge) for function in functions],
        "cron_jobs": [_watched(job, bridge=bridge) for job in cron_jobs],
        "on_startup": _on_startup(own.get("on_startup"), bridge=bridge),
        "on_shutdown": _on_shutdown(own.get("on_shutdown"), bridge=bridge),
        "after_job_end": _after_job_end(own.get("after_job_end"), bridge=bridge),
        "job_serializer": _serialiser(own.get("job_serializer"), bridge=bridge),
    }
    if "allow_abort_jobs" in own:
        changed["allow_abort_jobs"] = own["allow_abort_jobs"]
    for name, value in changed.items():
        setattr(settings_class, name, value)


def _as_function(given: "str | Function | WorkerCoroutine") -> Function:
    if not isinstance(given, str):
        return func(given)
    path = given

    # why later: the module that the name is in may be the one that is being imported
    async def run_named(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> Any:
        return await import_string(path)(ctx, *args, **kwargs)

    return func(run_named, name=path)


def _watched(job: _J, *, bridge: Bridge) -> _J:
    coroutine, name = job.coroutine, job.name

    @functools.wraps(coroutine)
    async def run(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> Any:
        watched = bridge.began(ctx, name=name, args=args, kwargs=kwargs)
        if watched is None:
            return await coroutine(ctx, *args, **kwargs)
        try:
            watched.value = await coroutine(ctx, *args, **kwargs)
        except BaseException as error:
            watched.error = error
            raise
        watched.returned = True
        return watched.value

    return replace(job, coroutine=cast("WorkerCoroutine", run))


def _serialiser(theirs: Serializer | None, *, bridge: Bridge) -> Serializer:
    pack = theirs or pickle.dumps

    def serialise(document: dict[str, Any]) -> bytes:
        # why first: where this raises, arq comes again with a sentence in the result's place
        raw = pack(document)
        if _is_result(document):
            bridge.serialised(document)
        return raw

    return serialise


def _is_result(document: Mapping[str, Any]) -> bool:
    return "ft" in document  # a job that is queued has not finished


def _on_startup(theirs: Hook | None, *, bridge: Bridge) -> Hook:
    async def start(ctx: dict[Any, Any]) -> None:
        if theirs is not None:
            await theirs(ctx)
        await bridge.start(ctx["redis"])

    return start


def _on_shutdown(theirs: Hook | None, *, bridge: Bridge) -> Hook:
    async def stop(ctx: dict[Any, Any]) -> None:
        await bridge.stop()
        if theirs is not None:
            await theirs(ctx)

    return stop


def _after_job_end(theirs: Hook | None, *, bridge: Bridge) -> Hook:
    async def end(ctx: dict[Any, Any]) -> None:
        bridge.ended(ctx)
        if theirs is not None:
            await theirs(ctx)

    return end
