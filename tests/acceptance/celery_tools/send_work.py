"""Run by the Python of a Celery environment: sends work as Celery's clients do, and waits for it.

Argument: URL of broker and result backend. Prints JSON: what was sent, what came of waiting for it,
what is ready in the end.
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery, chain, chord, group

url = sys.argv[1]
app = Celery(broker=url, backend=url)
add = app.signature("add", kwargs={"x": 1, "y": 2})
soon = datetime.now(tz=UTC) + timedelta(seconds=0.1)
ways: dict[str, Callable[[], Any]] = {
    "send_task": lambda: app.send_task("add", kwargs={"x": 1, "y": 2}),
    "eta": lambda: add.apply_async(eta=soon),
    "countdown": lambda: add.apply_async(countdown=0.1),
    "chain": lambda: chain(add, add).apply_async(),
    "group": lambda: group(add, add).apply_async(),
    "chord": lambda: chord([add, add])(add),
}
WAITED_FOR = ("send_task", "chord")  # each takes a second to say that nothing came

sent = {name: send() for name, send in ways.items()}
came = {}
for name in WAITED_FOR:
    try:
        came[name] = repr(sent[name].get(timeout=0.2))
    except Exception as error:  # noqa: BLE001 - what it raises is what is told
        came[name] = type(error).__name__
ready = [name for name, result in sent.items() if result.ready()]
sys.stdout.write(json.dumps({"sent": list(sent), "came": came, "ready": ready}))
