"""A child of the process pool: reads a request, runs the function it names, answers; again.

Requests and answers are msgpack after a length of four bytes, on standard input and output.
"""

import importlib
import os
import sys
from typing import Any, BinaryIO

import msgspec

from workers import failures
from workers.codec import encode_unknown

LENGTH_BYTES = 4


def main() -> None:
    """Serve until standard input ends: the worker is gone or needs no child any more."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # why: whatever a task prints must not land between two answers
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        while (request := _read(requests)) is not None:
            answer = _encoder.encode(_answer(request))
            answers.write(len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
            answers.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(1)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        function: Any = importlib.import_module(request["module"])
        for part in request["name"].split("."):
            function = getattr(function, part)
        return {"value": function(**request["parameters"])}
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the task
        return {"error": failures.pack(error).data}


def _read(requests: BinaryIO) -> dict[str, Any] | None:
    length = requests.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    request: dict[str, Any] = msgspec.msgpack.decode(requests.read(int.from_bytes(length, "big")))
    return request


_encoder = msgspec.msgpack.Encoder(enc_hook=encode_unknown)

if __name__ == "__main__":
    main()
