"""What a job and its result look like in Redis: msgpack, never pickle, and read as hostile input.

`dumps` and `loads` are arq's `job_serializer` and `job_deserializer`; `decode_result` reads a
result for the collector. An exception comes back as the one class `RemoteJobError`, never as the
class it names.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from workers import failures, ids
from workers.errors import RemoteJobError
from workers.failures import ErrorKind, TaskError
from workers.jsonsafe import sanitise, text

__all__ = [
    "ErrorKind",
    "RemoteJobError",
    "TaskError",
    "TaskResult",
    "Undecodable",
    "decode_result",
    "dumps",
    "loads",
]

MAX_VALUE_BYTES = 65_536  # a larger result value is replaced by {"omitted": why}
MAX_RAW_BYTES = 1_048_576  # a larger result or job is not ours and is not decoded

_MAX_MS = 253_402_300_799_999  # the last millisecond that a datetime can hold

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=_MAX_MS)]
Name = Annotated[str, msgspec.Meta(max_length=300)]
Tries = Annotated[int, msgspec.Meta(ge=0, le=32_767)]


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
        result["r"] = failures.pack(value)
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
    error = None if packed.s else failures.describe(packed.r)
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
        value = failures.pack_notice(omitted)
    else:
        value = {"omitted": omitted}
    return _encoder.encode(result | {"r": value})


def encode_unknown(value: Any) -> Any:
    """What msgspec cannot pack: exceptions inside a value, numpy scalars, anything else."""
    if isinstance(value, BaseException):
        return failures.pack(value)
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return item()
    return sanitise(value)


def _decode_ext(code: int, data: memoryview) -> Any:
    return failures.unpack(data) if code == failures.EXCEPTION else f"<{len(data)} bytes>"


def _metrics(value: Any, *, success: bool) -> dict[str, Any] | None:
    if not success:
        value = failures.metrics_of(value)
    if value is None:
        return None
    cleaned = sanitise(value)
    return cleaned if isinstance(cleaned, dict) else {"value": cleaned}


_encoder = msgspec.msgpack.Encoder(enc_hook=encode_unknown)
_decoder = msgspec.msgpack.Decoder(dict[str, Any], ext_hook=_decode_ext)
_result_decoder = msgspec.msgpack.Decoder(_PackedResult, ext_hook=_decode_ext)
