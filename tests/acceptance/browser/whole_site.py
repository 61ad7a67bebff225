"""loadlab as people use it: web, dispatcher, collector and workers, each a process of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
PATIENCE_S = 60.0
WORKERS = ("load_test", "system")  # nobody serves media, so that pages have something to warn of


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where it is, and which run shows what."""

    url: str
    runs: dict[str, str]

    def page(self, path: str = "") -> str:
        """An address in the admin."""
        return f"{self.url}/admin/{path}"

    def run(self, name: str, page: str = "change") -> str:
        """The page of a run of the demo data."""
        return self.page(f"runs/loadtestrun/{self.runs[name]}/{page}/")

    def task(self, name: str, sequence: int) -> str:
        """The page of one of its tasks."""
        return self.page(f"runs/taskmetric/{self.runs[name]}-{sequence:07d}/change/")


@contextmanager
def whole_site(folder: Path, *, workers: Sequence[str] = WORKERS) -> Iterator[Site]:
    """Every process with its servers and data in the folder that LOADLAB_VAR names."""
    port = _free_port()
    manage = (sys.executable, "manage.py")
    _run(*manage, "migrate", "--verbosity", "0")
    runs = json.loads(_run(sys.executable, str(HERE / "demo_data.py")))
    web = ("-m", "gunicorn", "loadlab.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4")
    commands = [
        (sys.executable, *web, "--no-control-socket"),
        (*manage, "load_test", "dispatch"),
        (*manage, "collect_results"),
        *((*manage, "runworker_loadtest", "--queue", queue) for queue in workers),
    ]
    with ExitStack() as stack:
        for place, command in enumerate(commands):
            stack.enter_context(_process(command, log=folder / f"process-{place}.log"))
        site = Site(url=f"http://127.0.0.1:{port}", runs=runs)
        _wait_for(f"{site.url}/readyz")
        yield site


@contextmanager
def _process(command: Sequence[str], *, log: Path) -> Iterator[None]:
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=written, stderr=written
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _run(*command: str) -> str:
    done = subprocess.run(
        command, cwd=CHECKOUT, check=True, env=os.environ.copy(), stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > end:
                raise TimeoutError(f"{url} has not answered: {error}") from error
            time.sleep(0.2)
