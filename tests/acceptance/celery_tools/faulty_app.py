"""The same application with Celery's part broken inside, in the way that FAULT names."""

import os
from typing import Any

import arq_app

from workers.celery import bridge, outbox, watch
from workers.celery.redaction import Redaction

WorkerSettings = arq_app.WorkerSettings
FAULT = os.environ["FAULT"]


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError(f"fault injected: {FAULT}")


async def broken_later(*_: Any, **__: Any) -> Any:
    raise RuntimeError(f"fault injected: {FAULT}")


if FAULT == "publish":
    outbox.Outbox.flush = broken_later
elif FAULT == "pack":
    outbox.Outbox._message = broken
elif FAULT == "full":
    outbox.CAPACITY, outbox.KEPT_BYTES, outbox.FLUSH_S = 2, 10, 1.0
elif FAULT == "begin":
    watch.Watch.begin = broken
elif FAULT == "finish":
    watch.Watch.finish = broken
elif FAULT == "end":
    watch.Watch.end = broken
elif FAULT == "repr":
    Redaction.shown = broken
elif FAULT == "start":
    bridge.Bridge._begin = broken
elif FAULT == "leave":
    watch.Watch.leave = broken
elif FAULT == "beat":
    watch.Watch.beat = broken
else:
    raise ValueError(FAULT)
