"""Whatever Redis holds, reading it raises nothing and yields what PostgreSQL can store."""

import asyncio
import json
import math
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from arq.jobs import DeserializationError, deserialize_job_raw, deserialize_result, serialize_result
from hypothesis import given
from hypothesis import strategies as st

from workers import ids
from workers.codec import (
    MAX_RAW_BYTES,
    MAX_VALUE_BYTES,
    ErrorKind,
    RemoteJobError,
    TaskResult,
    Undecodable,
    decode_result,
    dumps,
    loads,
)

TASK = "lt_20261123T094501_7f3a9c-0000007"
ENVELOPE = {"id": TASK, "f": "noop", "s": True, "t": 1, "et": 1_000, "st": 2_000, "ft": 2_010}

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text()
    | st.binary()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
    max_leaves=40,
)


def stored(value: object, *, success: bool = True) -> bytes:
    """What an arq worker with our codec writes for a job that returned `value`."""
    raw = serialize_result(
        "noop", (), {}, 1, 1_000, success, value, 2_000, 2_010, "ref", "q", TASK, serializer=dumps
    )
    assert raw is not None
    return raw


def read(value: object, *, success: bool = True) -> TaskResult:
    result = decode_result(TASK, stored(value, success=success))
    assert isinstance(result, TaskResult)
    return result


def assert_storable(value: object) -> None:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in text
    text.encode()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_raising(raw: bytes) -> None:
    assert isinstance(decode_result(TASK, raw), TaskResult | Undecodable)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6))
def test_a_damaged_result_is_read_without_raising(damage: list[tuple[int, int]]) -> None:
    raw = bytearray(stored(ValueError("bad input"), success=False))
    for place, byte in damage:
        raw[place % len(raw)] = byte
    assert isinstance(decode_result(TASK, bytes(raw)), TaskResult | Undecodable)


@given(values)
def test_any_value_becomes_storable_json(value: object) -> None:
    result = read(value)
    assert result.success
    assert_storable(result.value)


@given(values)
def test_a_forged_value_becomes_storable_json(value: object) -> None:
    result = decode_result(TASK, msgspec.msgpack.encode({**ENVELOPE, "r": value}))
    assert isinstance(result, TaskResult)
    assert_storable(result.value)


@given(values)
def test_a_forged_failure_becomes_storable_text(value: object) -> None:
    result = decode_result(TASK, msgspec.msgpack.encode({**ENVELOPE, "s": False, "r": value}))
    assert isinstance(result, TaskResult)
    assert result.error is not None
    assert_storable([result.error.message, result.error.error_type, result.error.traceback])


@given(st.text(), st.text())
def test_a_failure_keeps_its_type_and_words(message: str, note: str) -> None:
    result = read(ValueError(message, note), success=False)
    assert result.error is not None
    assert result.error.error_type == "ValueError"
    assert_storable([result.error.message, result.error.traceback])


@pytest.mark.parametrize(
    "wrong",
    [
        {"et": -1},
        {"et": 10**18},
        {"st": 1.5},
        {"ft": "2010"},
        {"t": -1},
        {"t": 40_000},
        {"s": 1},
        {"f": 7},
        {"f": "x" * 301},
        {"w": 7},
        {"id": "lt_other-0000007"},
        {"id": 7},
    ],
)
def test_a_result_with_a_wrong_field_is_not_believed(wrong: dict[str, Any]) -> None:
    raw = msgspec.msgpack.encode({**ENVELOPE, "r": None, **wrong})
    assert isinstance(decode_result(TASK, raw), Undecodable)


@pytest.mark.parametrize("missing", sorted(ENVELOPE))
def test_a_result_without_a_field_is_not_believed(missing: str) -> None:
    raw = msgspec.msgpack.encode({key: ENVELOPE[key] for key in ENVELOPE if key != missing})
    assert isinstance(decode_result(TASK, raw), Undecodable)


def test_nesting_beyond_any_stack_is_not_believed() -> None:
    bottomless = b"\x91" * 100_000 + b"\x01"
    raw = msgspec.msgpack.encode(ENVELOPE)
    forged = bytes([raw[0] + 1]) + raw[1:] + msgspec.msgpack.encode("r") + bottomless
    assert isinstance(decode_result(TASK, forged), Undecodable)


def test_a_huge_result_is_not_even_decoded() -> None:
    result = decode_result(TASK, bytes(MAX_RAW_BYTES + 1))
    assert isinstance(result, Undecodable)
    assert str(MAX_RAW_BYTES) in result.reason


def test_a_clock_set_back_counts_as_no_time() -> None:
    result = decode_result(TASK, msgspec.msgpack.encode({**ENVELOPE, "ft": 1_500}))
    assert isinstance(result, TaskResult)
    assert (result.started_ms, result.finished_ms) == (2_000, 2_000)


def test_results_carry_the_worker_and_jobs_do_not() -> None:
    assert read(None).worker == ids.worker_id()
    job = {"t": None, "f": "noop", "a": (), "k": {"seed": 0}, "et": 1_000}
    assert loads(dumps(job)) == {**job, "a": []}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": math.nan, "b": math.inf}, {"a": None, "b": None}),
        ({"a": 2**70}, {"a": 2.0**70}),
        ({"a": 10**400}, {"a": None}),
        ({"a": "x\x00\ud800y"}, {"a": "x��y"}),
        ({1: "one"}, {"1": "one"}),
        ({"a": {2, 1}}, {"a": [1, 2]}),
        ({"a": b"xyz"}, {"a": "<3 bytes>"}),
        (42, {"value": 42}),
        (None, None),
    ],
)
def test_values_that_json_cannot_hold_are_coerced(value: object, expected: object) -> None:
    assert read(value).value == expected


def test_a_value_may_be_anything() -> None:
    class Mute:
        def __str__(self) -> str:
            raise RuntimeError

    cycle: dict[str, Any] = {}
    cycle["again"] = cycle
    kept = read({"object": object(), "mute": Mute(), "cycle": cycle, "error": ValueError("x")})
    assert kept.success
    assert_storable(kept.value)


def test_a_value_is_bounded_in_every_direction() -> None:
    wide = read({f"key{n}": n for n in range(1_000)}).value
    long = read(list(range(10_000))).value
    assert wide is not None
    assert long is not None
    assert len(wide) == 64
    assert len(long["value"]) == 256


def test_an_oversized_value_is_replaced_by_a_word_about_it() -> None:
    raw = stored({"text": "x" * MAX_VALUE_BYTES})
    assert len(raw) < 1_000
    result = decode_result(TASK, raw)
    assert isinstance(result, TaskResult)
    assert result.success
    assert result.value is not None
    assert str(MAX_VALUE_BYTES) in result.value["omitted"]


def test_a_failure_tells_its_cause_and_its_metrics() -> None:
    outer = ValueError("outer")
    outer.__cause__ = KeyError("inner")
    outer.metrics = {"failure_kind": "raise"}  # type: ignore[attr-defined]
    result = read(outer, success=False)
    assert result.value == {"failure_kind": "raise"}
    assert result.error is not None
    assert (result.error.kind, result.error.message) == (ErrorKind.RAISED, "outer")
    assert result.error.traceback.index("KeyError: 'inner'") < result.error.traceback.index(
        "ValueError: outer"
    )


def test_an_exception_that_is_a_dataclass_stays_a_failure() -> None:
    @dataclass
    class Refusal(Exception):
        code: int = 7

    result = read(Refusal(), success=False)
    assert result.error is not None
    assert result.error.error_type.endswith("Refusal")


def test_a_long_chain_of_long_messages_is_cut() -> None:
    error = ValueError("x" * 100_000)
    for _ in range(50):
        outer = ValueError("x" * 100_000)
        outer.__cause__ = error
        error = outer
    assert len(stored(error, success=False)) < MAX_VALUE_BYTES


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), ErrorKind.TIMED_OUT),
        (asyncio.CancelledError(), ErrorKind.ABORTED),
        (ValueError("job expired"), ErrorKind.RAISED),
    ],
)
def test_failures_are_told_apart(error: BaseException, kind: ErrorKind) -> None:
    result = read(error, success=False)
    assert result.error is not None
    assert result.error.kind is kind
    assert result.error.message
    assert result.aborted is (kind is ErrorKind.ABORTED)


def test_arq_raises_the_one_fixed_class_and_never_the_named_one() -> None:
    raw = stored(asyncio.CancelledError("stop"), success=False)
    error = deserialize_result(raw, deserializer=loads).result
    assert isinstance(error, RemoteJobError)
    assert error.type == "asyncio.exceptions.CancelledError"
    assert not isinstance(error, asyncio.CancelledError)


@pytest.mark.parametrize(
    "wrong",
    [
        {"et": 10**18},
        {"et": "now"},
        {"t": "1"},
        {"f": ["noop"]},
        {"k": {1: 2}},
        {"k": []},
        {"a": 1},
    ],
)
def test_a_hostile_job_is_refused_where_arq_expects_it(wrong: dict[str, Any]) -> None:
    body = {"t": None, "f": "noop", "a": [], "k": {}, "et": 1_000, **wrong}
    with pytest.raises(DeserializationError):
        deserialize_job_raw(msgspec.msgpack.encode(body), deserializer=loads)
