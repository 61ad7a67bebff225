"""Each service's own command and health check as plain processes against real servers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest
import redis
from composing import LASTING, SECRETS, SERVICES, composed
from left_behind import free_port
from terminal import until

from loadlab import embedded
from loadlab.embedded import postgres, valkey

PATIENCE_S = 60
BIN = Path(sys.executable).parent
QUICK = ("--type", "sleep", "--param", "duration_ms=5", "--tasks", "30")

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """What a container has of its own: environment, folders, and here a port for the web."""

    folder: Path
    port: int

    def environment(self, name: str, **changes: str) -> dict[str, str]:
        """What compose gives the service, with the addresses of the servers of these tests."""
        services = composed(**SECRETS)
        return {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            **{key: str(value) for key, value in services[name]["environment"].items()},
            "DATABASE_URL": embedded.postgres_url(),
            "REDIS_URL": embedded.valkey_url(),
            "LOADLAB_VAR": str(self.folder),
            "STATIC_ROOT": str(self.folder / "staticfiles"),
            **changes,
        }

    def words(self, command: list[str]) -> list[str]:
        return [word.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for word in command]

    def run(self, name: str, *command: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """`docker compose exec -T NAME COMMAND`."""
        return subprocess.run(
            self.words(list(command)),
            cwd=self.folder,
            env=self.environment(name, **changes),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def is_healthy(self, name: str, **changes: str) -> bool:
        _, *check = SERVICES[name]["healthcheck"]["test"]
        if name == "web":
            check += ["--port", str(self.port)]
        return self.run(name, *check, **changes).returncode == 0

    @contextmanager
    def at_work(self, *names: str, **changes: str) -> Iterator[list["subprocess.Popen[str]"]]:
        """These services, started together and each of them healthy."""
        # why: all containers are one host here, and a killed process is heard of for a while
        until(lambda: not any(self.is_healthy(name, **changes) for name in set(names)))
        with ExitStack() as stack:
            started = [
                stack.enter_context(
                    subprocess.Popen(
                        self.words(SERVICES[name]["command"]),
                        cwd=self.folder,
                        env=self.environment(name, **changes),
                        stderr=subprocess.PIPE,
                        text=True,
                    )
                )
                for name in names
            ]
            try:
                for name, process in zip(names, started, strict=True):
                    until(partial(self._is_healthy_or_ended, name, process, **changes))
                    assert process.poll() is None, process.communicate()
                yield started
            finally:
                for process in started:
                    if process.poll() is None:
                        process.kill()

    def _is_healthy_or_ended(
        self, name: str, process: "subprocess.Popen[str]", **changes: str
    ) -> bool:
        return process.poll() is not None or self.is_healthy(name, **changes)

    def stop(self, processes: list["subprocess.Popen[str]"]) -> None:
        """As `docker compose stop` does it: SIGTERM, and an end in order."""
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            _, said = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, (process.args, said)
            assert "Traceback" not in said


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    """Folders of the services, with the static files of the image; tables made by `migrate`."""
    folder = Path(tempfile.mkdtemp(prefix="loadlab-test-", dir="/tmp"))
    made = Containers(folder=folder, port=free_port())
    for command in (SERVICES["migrate"]["command"], ["loadlab", "collectstatic", "--no-input"]):
        done = made.run("migrate", *command)
        assert done.returncode == 0, done.stderr
    yield made
    shutil.rmtree(folder)


def test_all_services_become_healthy_finish_a_run_and_end_in_order(containers: Containers) -> None:
    with containers.at_work(*LASTING) as services:
        for path in ("/healthz", "/readyz", "/admin/login/", "/static/admin/css/base.css"):
            assert status_of(path, port=containers.port) == 200, path
        launched = containers.run("web", "loadlab", "run", "--no-wait", *QUICK)
        assert (launched.returncode, launched.stderr) == (0, "")

        def report() -> dict[str, object]:
            shown = containers.run("web", "loadlab", "results", launched.stdout.strip(), "--json")
            found: dict[str, object] = json.loads(shown.stdout)
            return found

        until(lambda: report()["status"] == "completed")
        containers.stop(services)
    for name in LASTING:
        assert not containers.is_healthy(name), name


def test_three_workers_of_one_queue_share_it(containers: Containers) -> None:
    with containers.at_work(*("worker-load-test",) * 3) as workers:
        check = ("loadlab", "runworker_loadtest", "--queue", "load_test", "--check")
        until(lambda: containers.run("web", *check).stdout == "3 workers on load_test\n")
        containers.stop(workers)


def test_behind_a_proxy_that_speaks_tls_nothing_redirects_for_ever(containers: Containers) -> None:
    hosts = composed(**SECRETS, ALLOWED_HOSTS="loads.example")["web"]["environment"]
    secure = {
        "SECURE_SSL_REDIRECT": "1",
        "LOADLAB_BEHIND_TLS": "1",
        "ALLOWED_HOSTS": hosts["ALLOWED_HOSTS"],
    }
    with containers.at_work("web", **secure) as services:
        for headers, expected in (
            ({"Host": "loads.example", "X-Forwarded-Proto": "https"}, 200),
            ({"Host": "loads.example"}, 301),
            ({"Host": "elsewhere.example", "X-Forwarded-Proto": "https"}, 400),
        ):
            found = status_of("/admin/login/", port=containers.port, headers=headers)
            assert found == expected, headers
        containers.stop(services)


def test_the_health_check_of_postgresql_finds_the_database_and_no_other(
    containers: Containers,
) -> None:
    _, program, *arguments = SERVICES["postgres"]["healthcheck"]["test"]
    host = next(word for word in arguments if word.startswith("--host="))

    def code(folder: Path) -> int:
        asked = [f"--host={folder}" if word == host else word for word in arguments]
        return subprocess.run([postgres._program(program), *asked], check=False).returncode

    assert code(embedded.ensure_postgres()) == 0
    assert code(containers.folder) == 2


def test_the_redis_service_starts_as_asked_and_its_health_check_is_a_command_of_it() -> None:
    program, *arguments = SERVICES["redis"]["command"]
    assert program == valkey._program().name
    folder = Path(tempfile.mkdtemp(prefix="loadlab-test-", dir="/tmp"))
    here = ("--dir", str(folder), "--port", "0", "--unixsocket", str(folder / "socket"))
    with subprocess.Popen(
        [valkey._program(), *arguments, *here], stdout=subprocess.DEVNULL
    ) as process:
        until((folder / "socket").exists)
        with redis.Redis(unix_socket_path=str(folder / "socket")) as client:
            cli, *words = SERVICES["redis"]["healthcheck"]["test"][1:]
            assert cli == "valkey-cli"
            assert client.execute_command(*(w for w in words if not w.startswith("-"))) is True
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
        process.terminate()
    assert process.returncode == 0
    shutil.rmtree(folder)


def status_of(path: str, *, port: int, headers: dict[str, str] | None = None) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()
