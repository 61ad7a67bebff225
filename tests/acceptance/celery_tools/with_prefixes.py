"""Run by the Python of a Celery environment: a client whose names on Redis have kombu's prefixes.

Arguments: URL of broker and result backend, JSON of the transport options, an id. Prints JSON: the
first events heard, the answers to a ping, the result.
"""

import json
import sys

from celery import Celery

url, options, task_id = sys.argv[1:]
app = Celery(broker=url, backend=url)
app.conf.broker_transport_options = json.loads(options)
app.conf.result_backend_transport_options = json.loads(options)

heard: list[str] = []


def hear(event: dict[str, object]) -> None:
    heard.append(str(event["type"]))
    listener.should_stop = True


with app.connection_for_read() as connection:
    listener = app.events.Receiver(connection, handlers={"*": hear})
    listener.capture(timeout=20, wakeup=False)
sys.stdout.write(
    json.dumps(
        {
            "heard": heard,
            "pings": [list(answer.values()) for answer in app.control.ping(timeout=5, limit=1)],
            "result": app.AsyncResult(task_id).get(timeout=5),
        }
    )
)
