"""One arq worker in this process: `python -m workers.process load_test`.

Started by `workers.running` and `workers.supervising` as a child, it reads its standard input: when
that ends, whoever started it is gone, however it ended, and the worker stops in order.
"""

import argparse
import asyncio
import logging.config
import os
import signal
import sys
import threading
import time
from importlib import import_module
from typing import Any

from arq.worker import run_worker
from redis.exceptions import RedisError

from workers.client import QueueClient
from workers.errors import RedisUnreachable, WorkersError
from workers.settings import QUEUES, environment, queue_settings, redis_address

WAIT_S = 1.0

logger = logging.getLogger("loadlab.workers")


def run_in_this_process(queue: str, *, burst: bool = False, verbose: bool = False) -> None:
    """Serve a queue until SIGTERM or SIGINT, or with `burst` until it is empty."""
    queue_settings(queue)  # refuses an unknown queue before anything is imported by its name
    logging.config.dictConfig(log_settings(verbose=verbose))
    worker_settings = import_module(f"workers.queues.{queue}").WorkerSettings
    with asyncio.Runner() as runner:
        runner.run(_until_redis_answers(patient=not burst))
    # why a runner although arq runs the loop itself: it ends what is left and closes the loop
    with asyncio.Runner() as runner:
        runner.get_loop()
        try:
            run_worker(worker_settings, burst=burst)
        except RedisError as error:
            raise RedisUnreachable(
                f"The worker could not go on with Redis at {redis_address()} ({error}): "
                "see to it, then start the worker again."
            ) from error


def log_settings(*, verbose: bool) -> dict[str, Any]:
    """Logging to standard error: a line per change of state; `verbose` adds arq's own."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "loadlab.workers": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
            "arq": {"handlers": ["stderr"], "level": "INFO" if verbose else "WARNING"},
            # why so quiet: arq.worker logs every job and every failure, which the results tell
            "arq.worker": {"level": "INFO" if verbose else "CRITICAL"},
        },
    }


async def _until_redis_answers(*, patient: bool) -> None:
    """Wait for a Redis that is not there yet; without patience, or for an embedded one, refuse."""
    said = False
    while True:
        try:
            async with QueueClient.connect():
                return
        except RedisUnreachable as error:
            if not patient or not environment("REDIS_URL"):
                raise
            if not said:
                logger.warning("%s Waiting for it.", error)
                said = True
        await asyncio.sleep(WAIT_S)


def _stop_when_stdin_ends() -> None:
    def watch() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers.process")
    parser.add_argument("queue", choices=QUEUES)
    parser.add_argument("--burst", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--until-stdin-ends", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.until_stdin_ends:
        _stop_when_stdin_ends()
    try:
        run_in_this_process(asked.queue, burst=asked.burst, verbose=asked.verbose)
    except WorkersError as error:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
