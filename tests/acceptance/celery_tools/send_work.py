"""Run by the Python of a Celery environment: sends work as Celery's clients do, and waits for it.

Argument: URL of broker and result backend. Prints a JSON object of what came of each.
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
came = {}
for name, send in ways.items():
    try:
        came[name] = repr(send().get(timeout=0.2))
    except Exception as error:  # noqa: BLE001 - what it raises is what is told
        came[name] = type(error).__name__
sys.stdout.write(json.dumps(came))
