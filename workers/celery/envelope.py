"""How does kombu pack a message on Redis, and where does it go?

Fanout exchanges are Pub/Sub channels, `/{db}.celeryev/<type with - as .>` for events and
`/{db}.celery.pidbox` for commands; replies are pushed on a list. One JSON envelope serves all.
"""

import base64
import binascii
import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec

EVENTS = "celeryev"
PIDBOX = "celery.pidbox"
REPLIES = "reply.celery.pidbox"
RESULTS = "celery-task-meta-"
MAX_MESSAGE_BYTES = 262_144  # a longer one is no command

_TRANSIENT = 1  # delivery_mode: nothing here needs to outlive Redis
_SEPARATOR = "\x06\x16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Names on this Redis. `key_prefix`, `fanout_prefix` are kombu's transport options."""

    database: int = 0
    key_prefix: str = ""
    fanout_prefix: str = "/{db}."

    def _fanout(self, exchange: str) -> str:
        return (
            f"{self.key_prefix}{self.fanout_prefix.replace('{db}', str(self.database))}{exchange}"
        )

    def event(self, kind: str) -> str:
        """The channel of an event type; `task-multi` carries lists of task events."""
        return f"{self._fanout(EVENTS)}/{kind.replace('-', '.')}"

    @property
    def commands(self) -> str:
        """The channel on which clients ask all workers."""
        return self._fanout(PIDBOX)

    @property
    def reply_bindings(self) -> str:
        """The set that says which list belongs to which client."""
        return f"{self.key_prefix}_kombu.binding.{REPLIES}"

    def queue(self, name: str) -> str:
        """The list behind a kombu queue."""
        return f"{self.key_prefix}{name}"

    def result(self, task_id: str) -> str:
        """The key under which Celery's Redis backend looks for a task's result."""
        prefix = self.key_prefix
        # why: Celery, unlike kombu, sets a prefix off from what follows
        separator = "_" if prefix and prefix[-1] not in ":_-." else ""
        return f"{prefix}{separator}{RESULTS}{task_id}"


class Command(msgspec.Struct, frozen=True):
    """What a client asks of workers, as read from the pidbox channel."""

    method: str
    arguments: dict[str, Any] | None = None
    destination: list[str] | None = None
    pattern: str | None = None
    matcher: str | None = None
    ticket: str | None = None
    reply_to: dict[str, str] | None = None
    clock: int = 0


class _Envelope(msgspec.Struct):
    body: str
    headers: dict[str, Any] = msgspec.field(default_factory=dict)
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    content_type: str = msgspec.field(name="content-type", default="application/json")


@dataclass(slots=True)
class LamportClock:
    """A counter that orders events of many processes: ahead of every value it has heard of."""

    value: int = field(default=0)

    def forward(self) -> int:
        """The next instant of this process."""
        self.value += 1
        return self.value

    def adjust(self, heard: int) -> None:
        """Move past an instant that another process has named."""
        self.value = max(self.value, heard) + 1


def pack(body: bytes, *, exchange: str, routing_key: str, headers: dict[str, Any]) -> bytes:
    """A message as kombu's Redis transport writes it; `body` is JSON."""
    return msgspec.json.encode(
        {
            "body": base64.b64encode(body).decode("ascii"),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {
                "delivery_mode": _TRANSIENT,
                "delivery_info": {"exchange": exchange, "routing_key": routing_key},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid.uuid4()),
            },
        }
    )


def reply_queue(routing_key: str) -> str:
    """The queue on which the client of that routing key waits for replies."""
    return f"{routing_key}.{REPLIES}"


def binding(routing_key: str) -> str:
    """What stands in the set of bindings while that client waits: key, pattern, queue."""
    return _SEPARATOR.join([routing_key, "", reply_queue(routing_key)])


def to_json(body: Any) -> bytes:
    """The body as JSON; text that UTF-8 cannot hold is mended, not refused."""
    try:
        return _encoder.encode(body)
    except UnicodeEncodeError:
        return _encoder.encode(_mended(body))


def read_command(raw: bytes) -> Command | None:
    """The command in a message; None for whatever else stands on that channel."""
    if len(raw) > MAX_MESSAGE_BYTES:
        return None
    try:
        envelope = _envelope_decoder.decode(raw)
        body = envelope.body.encode()
        if envelope.properties.get("body_encoding") == "base64":
            body = base64.b64decode(body, validate=True)
        command = _command_decoder.decode(body)
    except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError):
        return None
    clock = envelope.headers.get("clock")
    if isinstance(clock, int) and 0 <= clock < 2**62:
        command = msgspec.structs.replace(command, clock=clock)
    return command


def _mended(body: Any) -> Any:
    if isinstance(body, str):
        return body.encode("utf-8", "replace").decode()
    if isinstance(body, list):
        return [_mended(item) for item in body]
    if isinstance(body, dict):
        return {_mended(key): _mended(item) for key, item in body.items()}
    return body


_encoder = msgspec.json.Encoder(enc_hook=str)
_envelope_decoder = msgspec.json.Decoder(_Envelope)
_command_decoder = msgspec.json.Decoder(Command)
