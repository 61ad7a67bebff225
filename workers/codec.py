"""What a job and its result look like in Redis: msgpack, never pickle, and read as hostile input.

`dumps` and `loads` are arq's `job_serializer` and `job_deserializer`; `decode_result` reads a
result for the collector. An exception travels as Ext(1, [type, message, traceback, cause,
metrics]) and comes back as the one class `RemoteJobError`, never as the class it names.
"""

import traceback as traceback_module
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from workers import ids
from workers.errors import RemoteJobError
from workers.jsonsafe import sanitise, text

MAX_VALUE_BYTES = 65_536  # a larger result value is replaced by {"omitted": why}
MAX_RAW_BYTES = 1_048_576  # a larger result or job is not ours and is not decoded
MAX_MESSAGE = 2_000
MAX_TRACEBACK = 8_000
MAX_CAUSES = 5

_EXCEPTION = 1
_MAX_MS = 253_402_300_799_999  # the last millisecond that a datetime can hold

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=_MAX_MS)]
Name = Annotated[str, msgspec.Meta(max_length=300)]
Tries = Annotated[int, msgspec.Meta(ge=0, le=32_767)]


class ErrorKind(StrEnum):
    """How a task failed: by itself, or by what arq decided about it."""

    RAISED = "raised"
    TIMED_OUT = "timed_out"
    ABORTED = "aborted"
    EXPIRED = "expired"
    NOT_FOUND = "not_found"
    TOO_MANY_TRIES = "too_many_tries"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskError:
    """Why a task failed; `traceback` ends with the innermost frames where it had to be cut."""

    kind: ErrorKind
    error_type: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """What a worker reported of one task, fit to be stored.

    `enqueued_ms` is 0 where arq had lost the body and so did not know (kind expired).
    `finished_ms` is never below `started_ms`: a clock set back in between counts as 0 ms.
    `value` holds the task's metrics; of a failed task those that its exception carried.
    """

    task_id: str
    function: str
    success: bool
    aborted: bool
    job_try: int
    enqueued_ms: int
    started_ms: int
    finished_ms: int
    worker: str
    value: dict[str, Any] | None
    error: TaskError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecodable:
    """A result that cannot be believed, and why."""

    task_id: str
    reason: str


class _PackedError(msgspec.Struct, array_like=True):
    type: str
    message: str
    traceback: str = ""
    cause: "_PackedError | None" = None
    metrics: dict[str, Any] | None = None


class _PackedResult(msgspec.Struct):
    id: str
    f: Name
    s: bool
    t: Tries
    et: Milliseconds
    st: Milliseconds
    ft: Milliseconds
    r: Any = None
    w: Name = ""


class _PackedJob(msgspec.Struct):
    f: Name
    et: Milliseconds
    a: list[Any]
    k: dict[str, Any]
    t: Tries | None = None


def dumps(obj: dict[str, Any]) -> bytes:
    """arq's job_serializer: a job, or a result (which has "ft" and gets our worker id as "w")."""
    if "ft" not in obj:
        return _encoder.encode(obj)
    result = {**obj, "w": ids.worker_id()}
    value = result["r"]
    if isinstance(value, BaseException):
        # why here: a dataclass that is an exception would be packed as a dict
        result["r"] = _packed_exception(value)
    try:
        raw = _encoder.encode(result)
    except Exception:  # noqa: BLE001  # why: a foreign value may fail in any way, its result must not be lost
        raw = _encoder.encode(result | {"r": sanitise(value)})
    if len(raw) > MAX_VALUE_BYTES:
        raw = _without_oversized_value(result, size=len(raw))
    return raw


def loads(raw: bytes) -> dict[str, Any]:
    """arq's job_deserializer: a job's body, or a result for arq's own `Job.result()`.

    A body is checked field by field: arq uses its instants and tries outside of any try block,
    where a wrong one would end the worker.
    """
    _check_size(raw)
    obj: dict[str, Any] = _decoder.decode(raw)
    if "ft" not in obj:
        msgspec.convert(obj, _PackedJob)
    return obj


def decode_result(task_id: str, raw: bytes) -> TaskResult | Undecodable:
    """The result that Redis holds of a task; whatever stands there, this does not raise."""
    try:
        _check_size(raw)
        packed = _result_decoder.decode(raw)
    except (
        msgspec.MsgspecError,
        ValueError,
        RecursionError,
        OverflowError,
        MemoryError,
    ) as refusal:
        reason = text(f"{type(refusal).__name__}: {refusal}", limit=300)
        return Undecodable(task_id=task_id, reason=reason)
    if packed.id != task_id:
        return Undecodable(task_id=task_id, reason="the result names another task")
    error = None if packed.s else _task_error(packed.r)
    return TaskResult(
        task_id=task_id,
        function=text(packed.f),
        success=packed.s,
        aborted=error is not None and error.kind is ErrorKind.ABORTED,
        job_try=packed.t,
        enqueued_ms=packed.et,
        started_ms=packed.st,
        finished_ms=max(packed.st, packed.ft),
        worker=text(packed.w),
        value=_metrics(packed.r, success=packed.s),
        error=error,
    )


def _check_size(raw: bytes) -> None:
    if len(raw) > MAX_RAW_BYTES:
        raise ValueError(f"{len(raw)} bytes are more than the {MAX_RAW_BYTES} that are read")


def _without_oversized_value(result: dict[str, Any], *, size: int) -> bytes:
    omitted = f"the result has {size} bytes, {MAX_VALUE_BYTES} are kept"
    value = result["r"]
    if isinstance(value, msgspec.msgpack.Ext):
        value = _pack_error(_PackedError(type="builtins.Exception", message=omitted))
    else:
        value = {"omitted": omitted}
    return _encoder.encode(result | {"r": value})


def _packed_exception(error: BaseException) -> msgspec.msgpack.Ext:
    return _pack_error(_error_chain(error, causes=MAX_CAUSES))


def _error_chain(error: BaseException, *, causes: int) -> _PackedError:
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
    return msgspec.msgpack.Ext(_EXCEPTION, msgspec.msgpack.encode(error))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # why: a foreign __str__ may raise anything
        return "<its message cannot be shown>"


def _traceback(error: BaseException) -> str:
    try:
        lines = traceback_module.format_tb(error.__traceback__)
    except Exception:  # noqa: BLE001  # why: sources may have changed or gone meanwhile
        return ""
    whole = "".join(lines)
    return text(whole[-MAX_TRACEBACK:], limit=MAX_TRACEBACK)


def _encode_unknown(value: Any) -> Any:
    """What msgspec cannot pack: exceptions inside a value, numpy scalars, anything else."""
    if isinstance(value, BaseException):
        return _packed_exception(value)
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return item()
    return sanitise(value)


def _decode_ext(code: int, data: memoryview) -> Any:
    if code != _EXCEPTION:
        return f"<{len(data)} bytes>"
    packed = _error_decoder.decode(data)
    return _RemoteError.of(packed)


class _RemoteError(RemoteJobError):
    """A RemoteJobError that also remembers the metrics which the exception carried."""

    metrics: dict[str, Any] | None = None

    @classmethod
    def of(cls, packed: _PackedError, *, causes: int = MAX_CAUSES) -> "_RemoteError":
        cause = cls.of(packed.cause, causes=causes - 1) if packed.cause and causes else None
        error = cls(
            text(packed.type.removeprefix("builtins."), limit=300),
            text(packed.message, limit=MAX_MESSAGE),
            text(packed.traceback[-MAX_TRACEBACK:], limit=MAX_TRACEBACK),
            cause,
        )
        error.metrics = packed.metrics
        return error


def _metrics(value: Any, *, success: bool) -> dict[str, Any] | None:
    if not success:
        value = value.metrics if isinstance(value, _RemoteError) else None
    if value is None:
        return None
    cleaned = sanitise(value)
    return cleaned if isinstance(cleaned, dict) else {"value": cleaned}


def _task_error(value: Any) -> TaskError:
    if not isinstance(value, RemoteJobError):
        # why: arq's own fall-back is a string, and a foreign serialiser may have written anything
        message = text(str(sanitise(value)), limit=MAX_MESSAGE)
        return TaskError(kind=ErrorKind.RAISED, error_type="unknown", message=message, traceback="")
    return TaskError(
        kind=_kind(value),
        error_type=value.type,
        message=value.message,
        traceback=_full_traceback(value),
    )


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
    if error.type == "TimeoutError":
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


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_unknown)
_decoder = msgspec.msgpack.Decoder(dict[str, Any], ext_hook=_decode_ext)
_result_decoder = msgspec.msgpack.Decoder(_PackedResult, ext_hook=_decode_ext)
_error_decoder = msgspec.msgpack.Decoder(_PackedError)
