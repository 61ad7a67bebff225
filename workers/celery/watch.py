"""What becomes of each job of this process? Told to the outbox as it happens, from three places.

A job's coroutine says when it begins and how it leaves. arq's serialiser is called once for every
result, also of jobs that never began (unknown function, expired, too many tries, aborted early),
and is given the exception itself. A job that ends without a result was asked to be run again.
"""

import asyncio
import os
import time
import traceback as traceback_module
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

from arq.worker import Retry, RetryJob

from workers import ids
from workers.celery import results, states
from workers.celery.events import Event, Events, is_sampled
from workers.celery.options import Options
from workers.celery.outbox import Mirrored, Outbox
from workers.celery.serving import Serving
from workers.celery.states import State

MAX_TRACEBACK = 4_000
MAX_REMEMBERED = 10_000  # ids that were asked to be revoked

_WRAPPERS = frozenset(
    {"arq.worker", "asyncio.tasks", "workers.celery.compatible", "workers.tasks.counting"}
)
_ARQ_RUNS_AGAIN = (Retry, RetryJob, asyncio.CancelledError)
_AT_ONCE = timedelta(milliseconds=2)  # a job whose score is later than this was deferred


@dataclass(slots=True, kw_only=True)
class Job:
    """A job that runs, or has just left its coroutine."""

    job_id: str
    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    retries: int
    eta: str | None = None
    began_at: float = field(default_factory=time.time)
    began: float = field(default_factory=time.perf_counter)
    error: BaseException | None = None
    returned: bool = False
    value: Any = None

    @property
    def age_s(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.began


@dataclass(slots=True, kw_only=True)
class Watch:
    """The jobs of one worker process, and what is told of them."""

    serving: Serving
    options: Options
    events: Events
    outbox: Outbox
    running: dict[str, Job] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)
    revoked: OrderedDict[str, None] = field(default_factory=OrderedDict)
    telling: bool = True

    @property
    def processed(self) -> int:
        """Jobs that began, as Celery counts them."""
        return sum(self.totals.values())

    def arrive(self) -> None:
        """Say that the worker is there."""
        self._worker("worker-online")

    def beat(self) -> None:
        """Say that the worker is still there."""
        self._worker("worker-heartbeat")

    def leave(self) -> None:
        """Say that the worker goes."""
        self._worker("worker-offline")

    def begin(
        self, ctx: Mapping[str, Any], *, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Job:
        """A job begins to run."""
        job = Job(
            job_id=ctx["job_id"],
            name=name,
            args=args,
            kwargs=kwargs,
            retries=ctx["job_try"] - 1,
            eta=_eta(ctx),
        )
        self.running[job.job_id] = job
        self.totals[name] += 1
        if self._tells_of(job.job_id):
            self.outbox.tell(self._received(job))
            self.outbox.tell(self.events.started(job.job_id))
        self._keep(job, State.STARTED, {"pid": os.getpid(), "hostname": self.serving.hostname})
        return job

    def finish(self, result: Mapping[str, Any]) -> None:
        """arq has written a job's result: `result` is what it has given to its serialiser."""
        job = self.running.pop(result["id"], None)
        began = job is not None
        if job is None:
            job = Job(
                job_id=result["id"],
                name=result["f"],
                args=tuple(result["a"]),
                kwargs=result["k"],
                retries=result["t"] - 1,
            )
            if self._tells_of(job.job_id):
                self.outbox.tell(self._received(job))
        state = states.of_outcome(success=result["s"], error=result["r"])
        self._conclude(job, state, result["r"], finished_ms=result["ft"], began=began)

    def end(self, job_id: str) -> None:
        """arq has let go of a job. If that wrote no result: how did its coroutine leave?"""
        job = self.running.pop(job_id, None)
        if job is None:
            return
        if job.returned:
            self._conclude(job, State.SUCCESS, job.value)
        elif isinstance(job.error, asyncio.CancelledError) and job_id in self.revoked:
            self._conclude(job, State.REVOKED, job.error)
        elif isinstance(job.error, asyncio.CancelledError) and self._is_overdue(job):
            self._conclude(job, State.FAILURE, TimeoutError())
        elif isinstance(job.error, _ARQ_RUNS_AGAIN):
            self._conclude(job, State.RETRY, job.error)
        else:
            self._conclude(job, State.FAILURE, job.error)

    def remember_revoked(self, job_ids: list[str]) -> None:
        """Note that these were asked to be revoked."""
        for job_id in job_ids:
            self.revoked[job_id] = None
        while len(self.revoked) > MAX_REMEMBERED:
            self.revoked.popitem(last=False)

    def _worker(self, kind: str) -> None:
        if self.options.events:
            event = self.events.worker(kind, active=len(self.running), processed=self.processed)
            self.outbox.tell_at_once(event)

    def _tells_of(self, job_id: str) -> bool:
        return (
            self.options.events and self.telling and is_sampled(job_id, share=self.options.sample)
        )

    def _is_overdue(self, job: Job) -> bool:
        timeout_s = self.serving.timeouts_s.get(job.name, self.serving.job_timeout_s)
        return 0 < timeout_s <= job.age_s + 0.01

    def _received(self, job: Job) -> Event:
        shown = self.options.redaction.shown
        return self.events.received(
            job.job_id,
            name=job.name,
            args=shown(job.args),
            kwargs=shown(job.kwargs),
            retries=job.retries,
            eta=job.eta,
            root_id=_run_of(job.job_id),
        )

    def _conclude(
        self,
        job: Job,
        state: State,
        result: Any,
        *,
        finished_ms: int | None = None,
        began: bool = True,
    ) -> None:
        tells, keeps = self._tells_of(job.job_id), self.options.results
        if not (tells or keeps):
            return
        traceback = ""
        if state is not State.SUCCESS and isinstance(result, BaseException):
            traceback = self.options.redaction.text(_traceback(result))
        if tells:
            self.outbox.tell(self._outcome(job, state, result, traceback=traceback, began=began))
        if keeps:
            self._keep(job, state, result, traceback=traceback or None, finished_ms=finished_ms)

    def _outcome(
        self, job: Job, state: State, result: Any, *, traceback: str, began: bool
    ) -> Event:
        if state is State.SUCCESS:
            shown = self.options.redaction.shown(result)
            return self.events.succeeded(job.job_id, result=shown, runtime_s=job.age_s)
        if state is State.REVOKED:
            return self.events.revoked(job.job_id, terminated=began)
        tell = self.events.retried if state is State.RETRY else self.events.failed
        exception = self.options.redaction.text(self._exception(result))
        return tell(job.job_id, exception=exception, traceback=traceback)

    def _exception(self, error: Any) -> str:
        return str(error) if isinstance(error, str) else self.options.redaction.shown(error)

    def _keep(
        self,
        job: Job,
        state: State,
        result: Any,
        *,
        traceback: str | None = None,
        finished_ms: int | None = None,
    ) -> None:
        if not self.options.results:
            return
        redaction = self.options.redaction
        if state in states.EXCEPTION_STATES:
            kept: Any = results.error(result, status=state, redaction=redaction)
        else:
            kept = results.value(result, redaction=redaction)
        document = results.document(
            job.job_id,
            status=state,
            result=kept,
            traceback=traceback,
            finished_ms=finished_ms,
            extended={
                "name": job.name,
                "args": results.value(list(job.args), redaction=redaction),
                "kwargs": results.value(job.kwargs, redaction=redaction),
                "worker": self.serving.hostname,
                "retries": job.retries,
                "queue": self.serving.queue,
                "parent_id": _run_of(job.job_id),
            },
        )
        began = None if state in states.READY_STATES else results.instant(job.began_at)
        self.outbox.keep(job.job_id, Mirrored(document=document, began=began))


def _run_of(job_id: str) -> str | None:
    """The run that a job is a task of, None for a job that no run has sent."""
    return job_id.rpartition("-")[0] if ids.sequence_of(job_id) else None


def _eta(ctx: Mapping[str, Any]) -> str | None:
    """When a deferred job was due; None for one that was due when it was queued."""
    due = datetime.fromtimestamp(ctx["score"] / 1000, tz=UTC)
    return due.isoformat() if due - ctx["enqueue_time"] > _AT_ONCE else None


def _traceback(error: BaseException) -> str:
    """The exception and its frames below arq's and ours, cut to the innermost."""
    try:
        lines = traceback_module.format_exception(
            type(error), error, _own_frames(error.__traceback__)
        )
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything, sources may be gone
        return type(error).__qualname__
    return "".join(lines)[-MAX_TRACEBACK:]


def _own_frames(frames: TracebackType | None) -> TracebackType | None:
    """The frames of the task: those below arq's and the wrappers' around its coroutine."""
    link = frames
    while link is not None and link.tb_frame.f_globals.get("__name__") in _WRAPPERS:
        link = link.tb_next
    return link or frames
