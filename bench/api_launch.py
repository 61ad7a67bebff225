"""How long do 50 clients at once wait for their launches, and is each accepted run there once?

Web processes as `make up` runs them, over HTTP, every other launch sent twice with one key. Prints
the answer times by percentile (nearest rank, by `n`), launches a second and queries a launch.
"""

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from math import ceil
from pathlib import Path

import httpx
from _real_runs import own_servers

CLIENTS = 50
LAUNCHES_EACH = 20
WEB_PROCESSES, THREADS = 2, 8  # as in the Procfile
GUNICORN = Path(sys.executable).parent / "gunicorn"


def main() -> None:
    os.environ |= {"LOADLAB_API_RATE": "0", "LOADLAB_MAX_WAITING": "1000000"}
    with own_servers():
        token = _a_token()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        web = subprocess.Popen(
            [
                *(str(GUNICORN), "loadlab.wsgi", "--bind", f"127.0.0.1:{port}"),
                *(
                    "--workers",
                    str(WEB_PROCESSES),
                    "--threads",
                    str(THREADS),
                    "--no-control-socket",
                ),
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            _bench(f"http://127.0.0.1:{port}", token=token)
        finally:
            web.terminate()
            web.wait()


def _bench(url: str, *, token: str) -> None:
    _until_alive(url)
    _client(url, token=token, number=0, launches=5)  # the first requests import and connect
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        work = [
            pool.submit(_client, url, token=token, number=number, launches=LAUNCHES_EACH)
            for number in range(1, CLIENTS + 1)
        ]
        answered = list(chain.from_iterable(each.result() for each in work))
    elapsed = time.perf_counter() - began
    times = sorted(seconds for seconds, _ in answered)
    accepted = {test_id for _, test_id in answered}
    web = f"{WEB_PROCESSES} web processes of {THREADS} threads"
    print(f"{CLIENTS} clients at once, {web}, n {len(times)} launches")
    for percent in (50, 95, 99):
        print(f"  p{percent}  {1000 * times[ceil(percent / 100 * len(times)) - 1]:7.1f} ms")
    print(f"  {len(times) / elapsed:.0f} launches/s")
    print(f"  accepted {len(accepted)} runs, stored once each: {_stored(accepted)}")
    print(f"  {_queries()} queries a launch, {_queries(repeat=50)} one of 50 repeats")


def _client(url: str, *, token: str, number: int, launches: int) -> list[tuple[float, str]]:
    """Seconds and test id of each launch; every second one repeats the key before it."""
    answers = []
    headers = {"Authorization": f"Token {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        for launch in range(launches):
            began = time.perf_counter()
            response = client.post(
                "/api/v1/tasks/load-test",
                json={"task_type": "noop", "num_tasks": 1},
                headers={"Idempotency-Key": f"{number}-{launch // 2}"},
            )
            answers.append((time.perf_counter() - began, response.json()["test_id"]))
    return answers


def _until_alive(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/healthz").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The web processes do not answer.")


def _a_token() -> str:
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token

    user = User.objects.create_superuser("bench")
    return str(Token.objects.create(user=user).key)


def _stored(accepted: set[str]) -> bool:
    """Whether the database holds exactly these runs and those of the warm-up."""
    from runs.models import IdempotencyKey, LoadTestRun

    stored = set(LoadTestRun.objects.values_list("test_id", flat=True))
    return (
        accepted <= stored
        and len(stored) == IdempotencyKey.objects.count()
        and len(accepted) == CLIENTS * LAUNCHES_EACH // 2
    )


def _queries(*, repeat: int = 1) -> int:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from runs.spec import Spec
    from runs.start import start_runs

    with CaptureQueriesContext(connection) as captured:
        start_runs(
            spec=Spec(task_type="noop", num_tasks=1, repeat=repeat),
            requested_by=User.objects.get(username="bench"),
        )
    return len(captured)


if __name__ == "__main__":
    main()
