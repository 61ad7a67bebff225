"""kombu's envelopes: written as it reads them, read as hostile input."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.celery import envelope
from workers.celery.envelope import Channels, Command, LamportClock


def a_message(body: object, **headers: object) -> bytes:
    return envelope.pack(
        json.dumps(body).encode(), exchange="celery.pidbox", routing_key="", headers=headers
    )


def test_channels_begin_with_the_database_and_bear_kombus_prefixes() -> None:
    assert Channels().event("task-multi") == "/0.celeryev/task.multi"
    assert Channels(database=3).commands == "/3.celery.pidbox"
    prefixed = Channels(database=3, key_prefix="app:", fanout_prefix="x{db}/")
    assert prefixed.event("worker-online") == "app:x3/celeryev/worker.online"
    assert prefixed.reply_bindings == "app:_kombu.binding.reply.celery.pidbox"
    assert prefixed.queue("q") == "app:q"
    assert prefixed.result("j") == "app:celery-task-meta-j"
    assert Channels(key_prefix="app").result("j") == "app_celery-task-meta-j"


def test_a_packed_message_is_read_back() -> None:
    said = {"method": "ping", "arguments": {}, "destination": ["a"], "ticket": "t"}
    reply_to = {"exchange": "reply.celery.pidbox", "routing_key": "k"}
    read = envelope.read_command(a_message({**said, "reply_to": reply_to}, clock=7))
    assert read == Command(
        method="ping", arguments={}, destination=["a"], ticket="t", reply_to=reply_to, clock=7
    )


def test_a_body_that_is_not_base64_is_read_too() -> None:
    assert envelope.read_command(b'{"body": "{\\"method\\": \\"ping\\"}"}') == Command(
        method="ping"
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x80\x04pickle",
        b"null",
        b"[]",
        b"{}",
        b'{"body": 7}',
        b'{"body": "{}"}',
        b'{"body": "!", "properties": {"body_encoding": "base64"}}',
        b'{"body": "' + base64.b64encode(b"[" * 50_000) + b'", "properties": {}}',
        b"[" * 200_000,
        b"x" * (envelope.MAX_MESSAGE_BYTES + 1),
        a_message({"method": 7}),
        a_message({"method": "ping", "destination": "everybody"}),
        a_message({"method": "revoke", "arguments": ["id"]}),
    ],
)
def test_anything_else_is_no_command(raw: bytes) -> None:
    assert envelope.read_command(raw) is None


@pytest.mark.parametrize("clock", [-1, 2**63, "7", None, 1.5])
def test_a_strange_clock_is_not_followed(clock: object) -> None:
    read = envelope.read_command(a_message({"method": "ping"}, clock=clock))
    assert read is not None
    assert read.clock == 0


@given(st.binary())
def test_no_bytes_are_an_error(raw: bytes) -> None:
    envelope.read_command(raw)


def test_json_holds_what_utf8_does_not() -> None:
    mended = json.loads(envelope.to_json({"a\ud800": ["b\udc00", {"c": "d"}]}))
    assert mended == {"a?": ["b?", {"c": "d"}]}


def test_a_clock_is_ahead_of_all_it_has_heard_of() -> None:
    clock = LamportClock()
    assert [clock.forward(), clock.forward()] == [1, 2]
    clock.adjust(40)
    assert clock.forward() == 42
    clock.adjust(3)
    assert clock.forward() == 44
