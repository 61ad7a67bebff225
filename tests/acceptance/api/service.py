"""A whole service of real processes on servers and data of its own, asked over HTTP."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from loadlab import embedded

CHECKOUT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
TASKS = "/api/v1/tasks"
ALL = ("view", "launch", "cancel", "pin")
ENDED = {"completed", "failed", "cancelled", "timed_out"}


class Service:
    """Web, and by name dispatcher, collector and worker; all end with it."""

    def __init__(self, **environment: str) -> None:
        # why /tmp: the path of a unix socket holds 107 bytes
        self.var = Path(tempfile.mkdtemp(prefix="loadlab-api-", dir="/tmp"))
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("LOADLAB_")},
            "LOADLAB_VAR": str(self.var),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "LOADLAB_API_RATE": "0",
            "LOADLAB_API_ANONYMOUS_RATE": "0",
            "LOADLAB_QUEUE_LOAD_TEST_POLL_DELAY": "0.05",
            **environment,
        }
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            for name in self.processes:
                sys.stdout.write(f"--- {name}\n{self.log(name)[-4000:]}\n")
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with servers_of(self.var):
            embedded.stop()
        shutil.rmtree(self.var)

    def manage(self, *command: str, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=CHECKOUT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def prepare(self) -> Self:
        """Tables."""
        self.manage("migrate", "--verbosity", "0")
        return self

    def token_of(self, name: str, *permissions: str) -> str:
        """The token of a new user with these permissions."""
        script = (
            "from django.contrib.auth.models import Permission, User\n"
            f"user = User.objects.create_user({name!r})\n"
            "user.user_permissions.set(Permission.objects.filter(\n"
            "    content_type__app_label='runs',\n"
            f"    codename__in={[f'{each}_loadtestrun' for each in permissions]!r}))\n"
        )
        self.manage("shell", "--no-imports", stdin=script)
        return self.manage("drf_create_token", name).split()[2]

    def start(self, name: str, *command: str, environment: Mapping[str, str] | None = None) -> None:
        with (self.var / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env={**self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def web(self, *, workers: int = 2) -> Self:
        self.start(
            "web",
            *(str(BIN / "gunicorn"), "loadlab.wsgi", "--bind", f"127.0.0.1:{self.port}"),
            *("--workers", str(workers), "--threads", "8", "--no-control-socket"),
        )
        eventually(lambda: self.answers("/healthz"))
        return self

    def daemons(self) -> Self:
        manage = (sys.executable, "manage.py")
        self.start("dispatcher", *manage, "load_test", "dispatch")
        self.start("collector", *manage, "collect_results")
        self.start("worker", *manage, "runworker_loadtest", "--queue", "load_test")
        return self

    def answers(self, path: str) -> bool:
        try:
            return httpx.get(self.url + path).status_code == 200
        except httpx.TransportError:
            assert self.processes["web"].poll() is None, self.log("web")
            return False

    def log(self, name: str) -> str:
        return (self.var / f"{name}.log").read_text(errors="replace")

    def caller(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Token {token}"} if token else {}
        return httpx.Client(base_url=self.url + TASKS, headers=headers, timeout=30)

    def log_in(self, client: httpx.Client, name: str, *permissions: str) -> None:
        """Let a client speak for a new user from now on."""
        client.headers["Authorization"] = f"Token {self.token_of(name, *permissions)}"


class servers_of:  # noqa: N801 - reads as a with statement
    """The embedded servers of another folder, for the calls inside."""

    def __init__(self, var: Path) -> None:
        self.var = var

    def __enter__(self) -> None:
        self.before = os.environ["LOADLAB_VAR"]
        os.environ["LOADLAB_VAR"] = str(self.var)

    def __exit__(self, *_: object) -> None:
        os.environ["LOADLAB_VAR"] = self.before


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def eventually(holds: Callable[[], Any], *, within_s: float = 60) -> Any:
    """What `holds` gives once it gives something."""
    deadline = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < deadline, "it has not come to pass"
        time.sleep(0.1)
    return found


def result_once_ended(api: httpx.Client, url: str, *, within_s: float = 60) -> dict[str, Any]:
    """The result, asked for as a client should: not before Retry-After."""
    deadline = time.monotonic() + within_s
    while True:
        response = api.get(url)
        assert response.status_code == 200, response.text
        wait = response.headers.get("Retry-After")
        if wait is None:
            document: dict[str, Any] = response.json()
            return document
        assert time.monotonic() < deadline, response.text
        time.sleep(min(1.0, float(wait)))
