"""A real Celery application, whose worker shows what Celery says of the same happenings."""

import os
import time

from celery import Celery

app = Celery("celery_app", broker=os.environ["BROKER_URL"], backend=os.environ["BROKER_URL"])


@app.task(name="add")
def add(x: int, y: int) -> int:
    return x + y


@app.task(name="fail")
def fail() -> None:
    raise ValueError("boom")


@app.task(name="again", bind=True, max_retries=2)
def again(self: object) -> str:
    if self.request.retries == 0:
        raise self.retry(countdown=0)
    return "second time"


@app.task(name="sleep")
def sleep(s: float = 60.0) -> None:
    time.sleep(s)


if __name__ == "__main__":
    add.delay(x=1, y=2)
    fail.delay()
    again.delay()
    sleep.apply_async(task_id="celery-long")
