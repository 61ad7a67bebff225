"""How does an exception travel? Packed as plain data, read back as one fixed class.

Ext(1, [type, message, traceback, cause, metrics]): an exception may carry a dict named `metrics`,
which then stands with the failed task.
"""

import traceback as traceback_module
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any

import msgspec

from workers.errors import RemoteJobError
from workers.jsonsafe import sanitise, text
from workers.tasks import counting

EXCEPTION = 1  # the code of our msgpack extension type
MAX_MESSAGE = 2_000
MAX_TRACEBACK = 8_000
MAX_CAUSES = 3


class ErrorKind(StrEnum):
    """How a task failed: by itself, or by what arq decided about it."""

    RAISED = "raised"
    TIMED_OUT = "timed_out"
    ABORTED = "aborted"
    EXPIRED = "expired"
    NOT_FOUND = "not_found"
    TOO_MANY_TRIES = "too_many_tries"


_TIMEOUTS = frozenset({"TimeoutError", "workers.tasks.failure.SimulatedTimeoutError"})
_UNSAID = {
    ErrorKind.TIMED_OUT: "not done within its timeout",
    ErrorKind.ABORTED: "aborted, as a cancel asked for",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskError:
    """Why a task failed; `traceback` ends with the innermost frames where it had to be cut."""

    kind: ErrorKind
    error_type: str
    message: str
    traceback: str


class _PackedError(msgspec.Struct, array_like=True):
    type: str
    message: str
    traceback: str = ""
    cause: "_PackedError | None" = None
    metrics: dict[str, Any] | None = None


def pack(error: BaseException) -> msgspec.msgpack.Ext:
    """The exception, its causes and its metrics as plain data."""
    return _pack_error(_error_chain(error, causes=MAX_CAUSES))


def pack_notice(message: str) -> msgspec.msgpack.Ext:
    """An error that says only this."""
    return _pack_error(_PackedError(type="builtins.Exception", message=message))


def unpack(data: memoryview) -> RemoteJobError:
    """The exception that was packed; msgspec's errors where the data are not that."""
    return _RemoteError.of(_error_decoder.decode(data))


def metrics_of(value: Any) -> dict[str, Any] | None:
    """The metrics that the exception of a failed task carried."""
    return value.metrics if isinstance(value, _RemoteError) else None


def describe(value: Any) -> TaskError:
    """Why a task failed, from what stands as its result."""
    if not isinstance(value, RemoteJobError):
        # why: arq's own fall-back is a string, and a foreign serialiser may have written anything
        message = text(str(sanitise(value)), limit=MAX_MESSAGE)
        return TaskError(kind=ErrorKind.RAISED, error_type="unknown", message=message, traceback="")
    kind = _kind(value)
    return TaskError(
        kind=kind,
        error_type=value.type,
        message=value.message or _UNSAID.get(kind, ""),
        traceback=_full_traceback(value),
    )


def _error_chain(error: BaseException, *, causes: int) -> _PackedError:
    if isinstance(error, _RemoteError):
        return error.packed  # it has travelled already, from a child of the process pool
    kind = type(error)
    cause = error.__cause__
    metrics = getattr(error, "metrics", None)
    return _PackedError(
        type=text(f"{kind.__module__}.{kind.__qualname__}", limit=300),
        message=text(_message(error), limit=MAX_MESSAGE),
        traceback=_traceback(error),
        cause=_error_chain(cause, causes=causes - 1) if cause is not None and causes else None,
        metrics=sanitise(metrics) if isinstance(metrics, dict) else None,
    )


def _pack_error(error: _PackedError) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(EXCEPTION, msgspec.msgpack.encode(error))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything
        return "<its message cannot be shown>"


def _traceback(error: BaseException) -> str:
    try:
        lines = traceback_module.format_tb(_own_frames(error.__traceback__))
    except Exception:  # noqa: BLE001 - sources may have changed or gone
        return ""
    whole = "".join(lines)
    return text(whole[-MAX_TRACEBACK:], limit=MAX_TRACEBACK)


def _own_frames(frames: TracebackType | None) -> TracebackType | None:
    """The frames of the task itself: those below our wrapper, which stands below arq's."""
    link = frames
    while link is not None:
        if link.tb_frame.f_code.co_filename == counting.__file__:
            return link.tb_next
        link = link.tb_next
    return frames


class _RemoteError(RemoteJobError):
    """A RemoteJobError that also remembers what it was read from."""

    packed: _PackedError

    @property
    def metrics(self) -> dict[str, Any] | None:
        """The metrics that the exception carried."""
        return self.packed.metrics

    @classmethod
    def of(cls, packed: _PackedError, *, causes: int = MAX_CAUSES) -> "_RemoteError":
        cause = cls.of(packed.cause, causes=causes - 1) if packed.cause and causes else None
        error = cls(
            text(packed.type.removeprefix("builtins."), limit=300),
            text(packed.message, limit=MAX_MESSAGE),
            text(packed.traceback[-MAX_TRACEBACK:], limit=MAX_TRACEBACK),
            cause,
        )
        error.packed = packed
        return error


def _full_traceback(error: RemoteJobError) -> str:
    """The traceback as Python prints it: causes first."""
    parts = []
    link: RemoteJobError | None = error
    while link is not None:
        parts.append(f"Traceback (most recent call last):\n{link.traceback}{link}")
        link = link.cause
    joiner = "\n\nThe above exception was the direct cause of the following exception:\n\n"
    return joiner.join(reversed(parts))


def _kind(error: RemoteJobError) -> ErrorKind:
    if error.type in _TIMEOUTS:
        return ErrorKind.TIMED_OUT
    if error.type == "asyncio.exceptions.CancelledError":
        return ErrorKind.ABORTED
    if error.type == "arq.worker.JobExecutionFailed":
        if error.message == "job expired":
            return ErrorKind.EXPIRED
        if error.message.endswith(" not found"):
            return ErrorKind.NOT_FOUND
        if error.message.endswith(" retries exceeded"):
            return ErrorKind.TOO_MANY_TRIES
    return ErrorKind.RAISED


_error_decoder = msgspec.msgpack.Decoder(_PackedError)
