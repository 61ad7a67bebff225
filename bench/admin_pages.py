"""How long does the server take for each page of the admin, among two million tasks?

    python bench/admin_pages.py [--tasks 2000000] [--runs 5000] [--times 7]

PostgreSQL is filled by SQL; then each address is asked for by a logged-in client in this process:
once to warm up, then `--times` times. Printed: the best, which is what a machine with nothing else
to do takes, the median and the worst, queries, size of the page. What takes more than 100 ms in the
median, or 300 kB for a run page, is marked; beside a Redis that accepts and says nothing, 1 s.
"""

import argparse
import html
import os
import re
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from _many_rows import Filled, fill
from _real_runs import own_servers

LARGE = 1_000_000
MOST_MS, MOST_KB = 100.0, 300.0
MOST_AWAY_MS = 1000.0
RUNS, TASKS, RESULTS = "runs/loadtestrun/", "runs/taskmetric/", "runs/taskresult/"
NEED_REDIS = {"dashboard": "", "launch": f"{RUNS}add/", "queues": "load-tests/queues/"}
DEEP = 3  # pages behind the first one


def main() -> int:
    """Fill, ask, print; exit code 1 where something takes too long."""
    asked = _options()
    with own_servers():
        filled = fill(tasks=asked.tasks, runs=asked.runs, large=min(LARGE, asked.tasks // 2))
        print(f"{_counted()}; filled and judged in {filled.seconds:.0f} s")
        client = _client()
        print(f"{'page':44} {'best':>9} {'median':>9} {'worst':>9} {'queries':>8} {'size':>9}")
        late = [name for name, where in _addresses(filled) if not _line(client, name, where, asked)]
        deep = _deep(client, filled)
        late += [name for name, where in deep if not _line(client, name, where, asked)]
        with _silent_redis():
            for name, where in NEED_REDIS.items():
                said = f"{name}, Redis silent"
                if not _line(client, said, where, asked, most_ms=MOST_AWAY_MS):
                    late.append(said)
    print(f"\ntoo long: {', '.join(late) or 'none'}  (n {asked.times} each)")
    return int(bool(late))


def _addresses(filled: Filled) -> Iterator[tuple[str, str]]:
    """Every list, filter, order and search, and the pages of runs and tasks."""
    yield from (
        *(("dashboard", ""), ("launch", f"{RUNS}add/"), ("baselines", "load-tests/baselines/")),
        ("queues", "load-tests/queues/"),
        ("compare two runs", f"load-tests/compare/?runs={filled.middle},{filled.small}"),
        (f"run page, {LARGE} tasks", f"{RUNS}{filled.large}/change/"),
        ("run page, 100 tasks", f"{RUNS}{filled.small}/change/"),
        ("task page", f"{TASKS}{filled.large}-0000007/change/"),
        ("Celery task page", f"{RESULTS}{filled.large}-0000007/change/"),
    )
    yield from _lists(filled)


def _lists(filled: Filled) -> Iterator[tuple[str, str]]:
    large, day = filled.large, filled.large[:11]
    asked: dict[str, list[dict[str, str]]] = {
        RUNS: [
            {},
            *(
                {"q": term}
                for term in (large, day, "nightly 7", "nightly", filled.group, "no such")
            ),
            *({"group": each} for each in (filled.group,)),
            *({"configuration": each} for each in ("1", "7")),
        ],
        TASKS: [
            {},
            *({"q": term} for term in (f"{large}-0000007", large, day, "lt_", "no such")),
            {"run": large},
            {"run": large, "order": "slowest"},
            {"run": large, "state": "failed", "error": "ValueError"},
            {"run": large, "state": "failed", "error": "NoSuchError"},
            {"run": filled.small},
            *({"run": large, "state": each} for each in ("failed", "cancelled", "lost")),
        ],
        RESULTS: [
            {},
            *({"q": each} for each in (f"{large}-0000007", large, day, "lt_", "sleep", "no such")),
            {"worker": filled.worker},
            {"worker": "none:1"},
            {"p": "10"},
        ],
    }
    for path, choices in asked.items():
        for asked_for in [*choices, *_fixed(path)]:
            words = " ".join(f"{name}={_named(value, filled)}" for name, value in asked_for.items())
            kind = {RUNS: "runs", TASKS: "tasks", RESULTS: "Celery tasks"}[path]
            yield f"{kind} {words}".strip()[:44], f"{path}?{urlencode(asked_for)}"


def _named(value: str, filled: Filled) -> str:
    """A value of an address, without names that mean nothing to a reader."""
    return value.replace(filled.large, "LARGE").replace(filled.small, "SMALL")


def _fixed(path: str) -> Iterator[dict[str, str]]:
    """Each choice of each filter that a list offers."""
    from django.contrib import admin
    from django.test import RequestFactory

    from runs.models import LoadTestRun, TaskResult

    models = {RUNS: LoadTestRun, RESULTS: TaskResult}
    if path not in models:
        return
    model_admin: Any = admin.site._registry[models[path]]
    request = RequestFactory().get("/")
    for kind in model_admin.list_filter:
        if kind.parameter_name != "worker":
            for value, _ in kind(request, {}, models[path], model_admin).lookup_choices:
                yield {kind.parameter_name: value}


def _deep(client: Any, filled: Filled) -> Iterator[tuple[str, str]]:
    """A page far behind, by the list's own links, and in the middle of the largest run."""
    lists = {
        "runs": (RUNS, {}),
        "tasks": (TASKS, {}),
        "tasks of the large run": (TASKS, {"run": filled.large}),
        "slowest of the large run": (TASKS, {"run": filled.large, "order": "slowest"}),
    }
    for name, (path, asked) in lists.items():
        where = f"{path}?{urlencode(asked)}"
        for _ in range(DEEP):
            response = client.get(f"/admin/{where}")
            following = re.search(r'href="([^"]*after=[^"]*)"', response.content.decode())
            if following is not None:
                where = path + html.unescape(following[1])
        yield f"{name}, page {DEEP + 1}", where
    middle = {"run": filled.large, "after": str(LARGE // 2)}
    yield "tasks of the large run, the middle", f"{TASKS}?{urlencode(middle)}"


@contextmanager
def _silent_redis() -> Iterator[None]:
    """Connections are accepted by the system, and never answered: the worst way to be away."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        os.environ["REDIS_URL"] = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        yield
    os.environ["REDIS_URL"] = ""


def _line(
    client: Any, name: str, where: str, asked: argparse.Namespace, *, most_ms: float = MOST_MS
) -> bool:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        response = client.get(f"/admin/{where}")
        queries = len(seen.captured_queries)
    if response.status_code != 200:
        raise SystemExit(f"/admin/{where} answered {response.status_code}.")
    times = []
    for _ in range(asked.times):
        began = time.perf_counter()
        size = len(client.get(f"/admin/{where}").content) / 1000
        times.append(1000 * (time.perf_counter() - began))
    median = statistics.median(times)
    large = name.startswith("run page") and size > MOST_KB
    sign = "  !" if median > most_ms or large else ""
    print(
        f"{name:44} {min(times):6.1f} ms {median:6.1f} ms {max(times):6.1f} ms {queries:8}"
        f" {size:6.0f} kB{sign}",
        flush=True,
    )
    return not sign


def _client() -> Any:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("bench"))
    return client


def _counted() -> str:
    from runs.models import LoadTestRun, TaskMetric

    return f"{TaskMetric.objects.count()} tasks in {LoadTestRun.objects.count()} runs"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
