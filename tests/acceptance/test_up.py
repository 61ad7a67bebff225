"""`make up`: everything on one machine, a run from elsewhere, and nothing left after Ctrl-C."""

import json
import os
import pty
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
import redis
from left_behind import free_port, processes_of
from terminal import loadlab, until

UP = (sys.executable, "-m", "loadlab.foreground")
NAMES = {"web", "dispatcher", "collector", "worker-load-test", "worker-system", "worker-media"}
PATIENCE_S = 60

pytestmark = pytest.mark.timeout(240)


@contextmanager
def own_servers() -> Iterator[Path]:
    """A folder with servers and data that nobody else uses."""
    folder = Path(tempfile.mkdtemp(prefix="loadlab-test-", dir="/tmp"))
    yield folder
    stop = (sys.executable, "-m", "loadlab.embedded", "stop")
    subprocess.run(stop, env={**os.environ, "LOADLAB_VAR": str(folder)}, check=True)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """Servers and data that only these tests use."""
    with own_servers() as folder:
        yield folder


@pytest.fixture
def untouched() -> Iterator[Path]:
    """Servers and data that only this test uses."""
    with own_servers() as folder:
        yield folder


@dataclass(slots=True, kw_only=True)
class Up:
    """`make up` under way, and what it has said so far."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return "".join(self.lines)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.said
        daemons = self.said.count("_started owner=")
        return daemons == 2 and self.said.count("worker_started") == 3 and self.answers("/readyz")

    def answers(self, path: str) -> bool:
        try:
            with build_opener().open(self.url + path, timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self, signum: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(signum)
        return self.process.wait(PATIENCE_S)


@contextmanager
def up(var: Path, *, port: int | None = None) -> Iterator[Up]:
    port = port or free_port()
    with subprocess.Popen(
        UP,
        env={**os.environ, "LOADLAB_VAR": str(var), "PORT": str(port)},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        started = Up(process=process, port=port)
        assert process.stdout is not None
        reader = threading.Thread(target=lambda: started.lines.extend(process.stdout))
        reader.start()
        try:
            yield started
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
            reader.join(PATIENCE_S)


def launched(*arguments: str, var: Path) -> str:
    """The id of a run that is left to the daemons."""
    done = loadlab("run", "--no-wait", *arguments, LOADLAB_VAR=str(var))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def report_of(test_id: str, *, var: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(
        loadlab("results", test_id, "--json", LOADLAB_VAR=str(var)).stdout
    )
    return report


def title_after_login(url: str, password: str) -> str:
    """What the admin's first page is called for who logs in as demo."""
    cookies = CookieJar()
    browser = build_opener(HTTPCookieProcessor(cookies))
    browser.open(f"{url}/admin/login/", timeout=20).close()
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    form = {
        "username": "demo",
        "password": password,
        "csrfmiddlewaretoken": token,
        "next": "/admin/",
    }
    with browser.open(f"{url}/admin/login/", data=urlencode(form).encode(), timeout=20) as page:
        title = re.search("<title>(.*?)</title>", page.read().decode(), re.DOTALL)
    return title[1].strip() if title else ""


def test_a_run_from_a_second_terminal_finishes_and_ctrl_c_leaves_nothing(
    untouched: Path,
) -> None:
    with up(untouched) as first:
        until(first.is_ready)
        test_id = launched(
            *("--type", "sleep", "--param", "duration_ms=5", "--tasks", "40"), var=untouched
        )
        until(lambda: report_of(test_id, var=untouched)["status"] == "completed")
        assert report_of(test_id, var=untouched)["metrics"]["tasks_completed"] == 40
        assert f"{first.url}/admin/" in first.said
        told = re.search(r"Log in as demo, password (\S+) \(shown this once\)", first.said)
        assert told is not None
        assert "Log in" not in title_after_login(first.url, told[1])
        assert first.answers("/static/admin/css/base.css")
        assert first.end() == 0
    assert processes_of(untouched) == []
    assert "Traceback" not in first.said
    assert set(re.findall(r"\| (\S+) stopped \(rc=0\)", first.said)) == NAMES
    with up(untouched) as again:
        until(again.is_ready)
        assert "shown this once" not in again.said
        assert "`loadlab changepassword demo`" in again.said
        assert again.end(signal.SIGTERM) == 0
    assert processes_of(untouched) == []


def test_a_worker_with_tasks_in_hand_is_given_the_time_to_put_them_back(var: Path) -> None:
    with up(var) as first:
        until(first.is_ready)
        test_id = launched(
            *("--type", "sleep", "--param", "duration_ms=60000", "--tasks", "40"), var=var
        )
        with redis.Redis(unix_socket_path=str(var / "run" / "valkey.sock")) as valkey:
            until(lambda: len(valkey.keys(f"arq:in-progress:{test_id}*")) == 30)
            assert first.end() == 0
            assert valkey.keys(f"arq:in-progress:{test_id}*") == []
            assert valkey.zcard("arq:queue:load_test") == 40
        assert "SIGKILL" not in first.said
    assert processes_of(var) == []
    assert loadlab("cancel", test_id, LOADLAB_VAR=str(var)).returncode == 0


@pytest.mark.parametrize("seed", range(4))
def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing(var: Path, seed: int) -> None:
    with up(var) as starting:
        if seed % 2:  # the moment when processes have begun and honcho has not heard of all
            until(lambda: "web started" in starting.said)
        time.sleep(random.Random(seed).uniform(0.0, 0.3 if seed % 2 else 3.0))
        assert starting.end() in {0, 130, -signal.SIGINT}
    assert processes_of(var) == []


def test_where_one_process_dies_the_others_are_stopped_and_it_is_said(var: Path) -> None:
    with up(var) as first:
        until(first.is_ready)
        collector = re.search(r"collector_started owner=[^:]+:(\d+):", first.said)
        assert collector is not None
        os.kill(int(collector[1]), signal.SIGKILL)
        assert first.process.wait(PATIENCE_S) == 1
    assert "collector stopped (rc=-9)" in first.said
    assert "A process ended by itself" in first.said
    assert processes_of(var) == []


def test_a_closed_terminal_ends_it_like_ctrl_c(var: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        port = str(free_port())
        os.execve(UP[0], UP, {**os.environ, "LOADLAB_VAR": str(var), "PORT": port})
    seen = b""
    while b"dispatcher_started" not in seen:
        seen += os.read(terminal, 65_536)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert processes_of(var) == []


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(tmp_path / "var", port=port) as refused:
            assert refused.process.wait(PATIENCE_S) == 1
    assert refused.said == (
        f"Port {port} of 127.0.0.1 cannot be used (Address already in use): stop what listens "
        "there (another `make up`?), or choose another port, as in `make up PORT=8001`.\n"
    )
    assert not (tmp_path / "var" / "postgres").exists()


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    for wrong in ("http", "0", "65536", "-1"):
        refused = subprocess.run(
            UP,
            env={**os.environ, "LOADLAB_VAR": str(tmp_path), "PORT": wrong},
            capture_output=True,
            text=True,
            check=False,
        )
        assert refused.returncode == 2
        assert refused.stderr == f"PORT is {wrong!r}: it must be a number from 1 to 65535.\n"


def test_settings_that_cannot_be_are_refused_before_anything_starts(tmp_path: Path) -> None:
    refused = subprocess.run(
        UP,
        env={
            **os.environ,
            "LOADLAB_VAR": str(tmp_path),
            "PORT": str(free_port()),
            "LOADLAB_QUEUE_MEDIA_MAX_JOBS": "many",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "LOADLAB_QUEUE_MEDIA_MAX_JOBS is 'many'" in refused.stderr
    assert not (tmp_path / "postgres").exists()
