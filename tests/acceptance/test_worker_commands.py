"""arq's own command line and `runworker_loadtest` serve a queue, with every option they have."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from workers.client import Batch, QueueClient
from workers.codec import TaskResult
from workers.fleet import WorkerReport
from workers.ids import task_id

CHECKOUT = Path(__file__).resolve().parents[2]
ARQ = (str(Path(sys.executable).with_name("arq")), "workers.queues.load_test.WorkerSettings")
RUNWORKER = (sys.executable, str(CHECKOUT / "manage.py"), "runworker_loadtest")
PATIENCE_S = 40.0

pytestmark = pytest.mark.usefixtures("redis_url")


@contextmanager
def running(*command: str, cwd: Path = CHECKOUT) -> Iterator[subprocess.Popen[str]]:
    """A command at work, in a session of its own; nothing of it is left afterwards."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    family = [psutil.Process(process.pid)]
    try:
        yield process
        family += _children(process.pid)
    finally:
        for member in family + _children(process.pid):
            if member.is_running():
                member.kill()
        process.communicate()


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Its exit code, stdout and stderr, once it has ended."""
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    return process.returncode, stdout, stderr


def until(holds: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.05)


def with_client(ask: Callable[[QueueClient], Awaitable[object]]) -> object:
    async def asked() -> object:
        async with QueueClient.connect() as client:
            return await ask(client)

    return asyncio.run(asked())


def fleet(queue: str = "load_test") -> list[WorkerReport]:
    found = with_client(lambda client: client.fleet(queue))
    assert isinstance(found, list)
    return found


def send(count: int, *, run: str = "lt_a", function: str = "noop") -> None:
    async def sent(client: QueueClient) -> None:
        await client.open_cursor(run, ttl_s=600)
        await client.send_batch(
            Batch(
                test_id=run,
                queue="load_test",
                first=1,
                count=count,
                function=function,
                kwargs={"seed": 0},
                enqueued_ms=int(time.time() * 1000),
                expires_ms=600_000,
                cursor_ttl_s=600,
            )
        )

    with_client(sent)


def results(count: int, *, run: str = "lt_a") -> list[TaskResult]:
    found = with_client(lambda client: client.results([task_id(run, n + 1) for n in range(count)]))
    assert isinstance(found, list)
    return [result for result in found if isinstance(result, TaskResult)]


COMMANDS = pytest.mark.parametrize("command", [ARQ, RUNWORKER], ids=["arq", "runworker_loadtest"])


@COMMANDS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_serves_until_it_is_told_to_stop(
    command: tuple[str, ...], number: signal.Signals
) -> None:
    with running(*command) as process:
        send(5)
        until(lambda: len(results(5)) == 5, what="five results")
        assert len(fleet()) == 1
        process.send_signal(number)
        code, stdout, _ = ended(process)
    assert (code, stdout) == (0, "")
    assert fleet() == []


@COMMANDS
def test_burst_ends_when_the_queue_is_empty(command: tuple[str, ...]) -> None:
    send(20)
    with running(*command, "--burst") as process:
        code, _, stderr = ended(process)
    assert code == 0, stderr
    assert len(results(20)) == 20


@COMMANDS
def test_check_tells_whether_a_worker_answers(command: tuple[str, ...]) -> None:
    def check() -> int:
        return subprocess.run(
            (*command, "--check"), cwd=CHECKOUT, capture_output=True, check=False
        ).returncode

    assert check() == 1
    with running(*RUNWORKER):
        until(lambda: bool(fleet()), what="a worker in the fleet")
        # arq looks at its own health key, which the worker writes when it has polled once
        until(lambda: check() == 0, what="a check that succeeds")


def test_arqs_own_watch_goes_on_serving(tmp_path: Path) -> None:
    with running(*ARQ, "--watch", str(tmp_path)) as process:
        send(3, run="lt_before")
        until(lambda: len(results(3, run="lt_before")) == 3, what="results before the change")
        (tmp_path / "changed.py").write_text("changed = True\n")
        send(3, run="lt_after")
        until(lambda: len(results(3, run="lt_after")) == 3, what="results after the change")
        process.send_signal(signal.SIGTERM)
        code, _, stderr = ended(process)
    assert code == 0, stderr


def test_arq_takes_a_log_dictionary(tmp_path: Path) -> None:
    (tmp_path / "logs.py").write_text(
        f"import json\nSETTINGS = json.loads({json.dumps(json.dumps(LOG_SETTINGS))})\n"
    )
    with running(*ARQ, "--burst", "--custom-log-dict", "logs.SETTINGS", cwd=tmp_path) as process:
        code, _, stderr = ended(process)
    assert code == 0, stderr
    assert "as we want it: Starting worker" in stderr


LOG_SETTINGS = {
    "version": 1,
    "formatters": {"ours": {"format": "as we want it: %(message)s"}},
    "handlers": {"ours": {"class": "logging.StreamHandler", "formatter": "ours"}},
    "loggers": {"arq": {"handlers": ["ours"], "level": "INFO"}},
}


def test_watch_runs_the_changed_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(version: int) -> None:
        (tmp_path / "versioned_tasks.py").write_text(
            "from loadlab import load_task\n"
            "@load_task('versioned')\n"
            "async def versioned(ctx) -> dict:\n"
            f"    return {{'version': {version}}}  # {'x' * version}\n"
        )

    def versions(run: str) -> list[object]:
        return [result.value and result.value["version"] for result in results(1, run=run)]

    write(1)
    monkeypatch.setenv("LOADLAB_TASK_MODULES", "versioned_tasks")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with running(*RUNWORKER, "--watch", str(tmp_path)) as process:
        send(1, run="lt_old", function="versioned")
        until(lambda: versions("lt_old") == [1], what="the result of the old code")
        (before,) = fleet()
        write(22)
        until(
            lambda: [w.description.pid for w in fleet()] not in ([], [before.description.pid]),
            what="another process at work",
        )
        send(1, run="lt_new", function="versioned")
        until(lambda: versions("lt_new") == [22], what="the result of the changed code")
        process.send_signal(signal.SIGTERM)
        code, _, stderr = ended(process)
    assert code == 0, stderr
    assert "versioned_tasks.py changed" in stderr
    assert fleet() == []


def test_watch_outlives_code_that_cannot_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "broken_tasks.py"
    module.write_text("")
    monkeypatch.setenv("LOADLAB_TASK_MODULES", "broken_tasks")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with running(*RUNWORKER, "--watch", str(tmp_path)) as process:
        until(lambda: len(fleet()) == 1, what="a worker")
        module.write_text("this is not python\n")
        assert process.stderr is not None
        assert any("'broken_tasks', which cannot be used" in line for line in process.stderr)
        assert fleet() == []
        module.write_text("# mended\n")
        until(lambda: len(fleet()) == 1, what="a worker again")
        process.send_signal(signal.SIGINT)
        code, _, stderr = ended(process)
    assert code == 0, stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_several_processes_stop_together(number: signal.Signals) -> None:
    with running(*RUNWORKER, "--processes", "3") as process:
        until(lambda: len(fleet()) == 3, what="three workers")
        pids = [report.description.pid for report in fleet()]
        send(30)
        until(lambda: len(results(30)) == 30, what="their results")
        process.send_signal(number)
        code, _, stderr = ended(process)
    assert code == 0, stderr
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert fleet() == []


def test_several_processes_work_off_a_queue_together() -> None:
    send(200)
    with running(*RUNWORKER, "--burst", "--processes", "2") as process:
        code, _, stderr = ended(process)
    assert code == 0, stderr
    assert len(results(200)) == 200


def test_a_worker_that_dies_ends_the_others_and_says_so() -> None:
    with running(*RUNWORKER, "--processes", "2") as process:
        until(lambda: len(fleet()) == 2, what="two workers")
        victim, survivor = (report.description.pid for report in fleet())
        os.kill(victim, signal.SIGKILL)
        code, _, stderr = ended(process)
    assert code == 1
    assert "ended by itself with code -9" in stderr
    assert not psutil.pid_exists(survivor)


def test_no_worker_outlives_a_killed_command() -> None:
    with running(*RUNWORKER, "--processes", "2") as process:
        until(lambda: len(fleet()) == 2, what="two workers")
        pids = [report.description.pid for report in fleet()]
        process.kill()
        until(lambda: not any(psutil.pid_exists(pid) for pid in pids), what="no worker left")


def test_pool_processes_end_with_a_killed_worker() -> None:
    with running(*ARQ) as process:
        until(lambda: len(fleet()) == 1, what="a worker")
        send(4, function="cpu_intensive_task")
        until(lambda: len(results(4)) == 4, what="results of the pool")
        children = _children(process.pid)
        assert children
        process.kill()
        until(lambda: not any(child.is_running() for child in children), what="no child left")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--queue", "production"), "load_test, system, media"),
        (("--processes", "0"), "from 1 to 256"),
        (("--processes", "many"), "whole number"),
        (("--watch", "/no/such/folder"), "no such folder"),
    ],
)
def test_wrong_usage_is_one_sentence(options: tuple[str, ...], word: str) -> None:
    with running(*RUNWORKER, *options) as process:
        code, stdout, stderr = ended(process)
    assert (code, stdout) == (2, "")
    assert word in stderr
    assert len(stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("REDIS_URL", "redis://:s3cret@127.0.0.1:1/0", 1),
        ("REDIS_URL", "http://:s3cret@example", 2),
        ("LOADLAB_TASK_MODULES", "no_such_tasks", 1),
        ("LOADLAB_QUEUE_LOAD_TEST_MAX_JOBS", "none", 2),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: int
) -> None:
    monkeypatch.setenv(variable, value)
    with running(*RUNWORKER, "--burst") as process:
        found, stdout, stderr = ended(process)
    assert (found, stdout) == (code, "")
    assert len(stderr.splitlines()) == 1
    assert "s3cret" not in stderr
