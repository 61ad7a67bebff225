"""Run by the Python of a Celery environment: reads results by stock AsyncResult.

Arguments: URL of broker and result backend, ids. Prints a JSON object of what each says.
"""

import json
import sys

from celery import Celery

url, *ids = sys.argv[1:]
app = Celery(broker=url, backend=url)
read = {}
for task_id in ids:
    result = app.AsyncResult(task_id)
    try:
        got = repr(result.get(timeout=5))
    except Exception as error:  # noqa: BLE001 - what it raises is what is read
        got = f"raised {type(error).__name__}: {error}"
    read[task_id] = {
        "state": result.state,
        "result": repr(result.result),
        "traceback": result.traceback,
        "got": got,
        "date_done": result.date_done.isoformat(),
        "name": result.name,
        "kwargs": result.kwargs,
        "worker": result.worker,
        "retries": result.retries,
        "queue": result.queue,
    }
sys.stdout.write(json.dumps(read))
