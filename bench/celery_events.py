"""What do Celery's events cost a worker? Drains no-ops with events on and off, in turn.

    python bench/celery_events.py [--tasks 10000] [--rounds 5] [--many 50000]

The same worker and measure as bench/worker_drain.py; "on" publishes three events a task. Printed:
the median of each, the ratio of each round's pair, which a machine that slows down leaves as it is,
and the CPU time of the worker process a task. Then one long run with somebody listening: do all
jobs complete, how many events are lost? Where the worker itself gave some up it says so.
"""

import argparse
import base64
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import redis
import worker_drain

SWITCH = "LOADLAB_CELERY_EVENTS"
WANTED = 0.85


def main() -> None:
    """Alternate on and off, then drain many with a listener."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--many", type=int, default=50_000)
    asked = parser.parse_args()
    # why here and not in tempfile's own place: the path of a unix socket holds 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="loadlab-bench-", dir="/tmp"))
    os.environ |= {"LOADLAB_VAR": str(folder), "REDIS_URL": "", **worker_drain.SETTINGS}
    from loadlab import embedded

    try:
        _compare(tasks=asked.tasks, rounds=asked.rounds)
        if asked.many:
            _drain_many(asked.many, url=embedded.valkey_url())
    finally:
        embedded.stop()
        shutil.rmtree(folder)


def _compare(*, tasks: int, rounds: int) -> None:
    rates: dict[str, list[float]] = {"0": [], "1": []}
    cpu_s: dict[str, list[float]] = {"0": [], "1": []}
    for number in range(rounds):
        # why A B B A: a machine that slows down slows both
        for switch in ("0", "1") if number % 2 == 0 else ("1", "0"):
            before = _cpu_s_of_children()
            rates[switch].append(_rate(switch, tasks=tasks))
            cpu_s[switch].append(_cpu_s_of_children() - before)
    off, on = (statistics.median(rates[switch]) for switch in ("0", "1"))
    ratios = [b / a for a, b in zip(rates["0"], rates["1"], strict=True)]
    print(f"events off   {off:7.0f} tasks/s   ({rounds} rounds of {tasks})")
    print(f"events on    {on:7.0f} tasks/s")
    print(
        f"ratio        {statistics.median(ratios):7.3f}           "
        f"(rounds {min(ratios):.2f} to {max(ratios):.2f}; wanted: at least {WANTED})"
    )
    off_us, on_us = (statistics.median(cpu_s[switch]) / tasks * 1e6 for switch in ("0", "1"))
    print(f"CPU          {off_us:7.0f} → {on_us:.0f} µs a task, starting up included")


def _cpu_s_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rate(switch: str, *, tasks: int) -> float:
    os.environ[SWITCH] = switch
    worker = worker_drain.WORKERS["loadlab worker"]
    rate = worker_drain._drain(worker, tasks=tasks)
    print(f"{SWITCH}={switch} {rate:.0f} tasks/s", file=sys.stderr)
    return rate


def _drain_many(tasks: int, *, url: str) -> None:
    heard: Counter[str] = Counter()
    stop = threading.Event()
    listener = threading.Thread(target=_listen, args=(url, heard, stop))
    listener.start()
    rate = _rate("1", tasks=tasks)  # fails where a result is missing or the worker ends in error
    stop.set()
    listener.join()
    print(f"{tasks} tasks  {rate:7.0f} tasks/s, all completed; events heard:")
    for kind in ("task-received", "task-started", "task-succeeded"):
        lost = tasks - heard[kind]
        print(f"  {kind:16} {heard[kind]:7}  ({lost} lost, {lost / tasks:.2%})")


def _listen(url: str, heard: Counter[str], stop: threading.Event) -> None:
    with redis.Redis.from_url(url) as client, client.pubsub() as channel:
        channel.psubscribe("/0.celeryev/*")
        while not stop.is_set():
            message = channel.get_message(timeout=0.2)
            if message and message["type"] == "pmessage":
                body = json.loads(base64.b64decode(json.loads(message["data"])["body"]))
                heard.update(
                    event["type"] for event in (body if isinstance(body, list) else [body])
                )


if __name__ == "__main__":
    main()
