"""A loadlab of its own, whose processes are killed at random, seeded moments and started again."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

CHECKOUT = Path(__file__).resolve().parents[2]
TASK_MODULE = CHECKOUT / "tests" / "integration"
MANAGE = str(CHECKOUT / "manage.py")
COMMANDS = {
    "dispatcher": (MANAGE, "load_test", "dispatch"),
    "early-dispatcher": (
        *(str(Path(__file__).with_name("an_hour_ahead.py")), "load_test", "dispatch"),
    ),
    "collector": (MANAGE, "collect_results"),
    "worker": (MANAGE, "runworker_loadtest", "--queue", "load_test"),
}


@dataclass(slots=True, kw_only=True)
class Books:
    """What is left when a run has ended, counted where each thing is true."""

    status: str
    rows: int
    distinct: int
    states: dict[str, int]
    executions: Counter[int]
    keys_left: int
    killed: Counter[str]
    seconds: float


@dataclass(slots=True, kw_only=True)
class Loadlab:
    """Servers, daemons and workers that share nothing with anybody."""

    folder: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)

    def start(self, name: str) -> None:
        """Start a process of ours: `worker 2` is a worker."""
        log = (self.folder / f"{name.replace(' ', '-')}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *COMMANDS[name.split()[0]]],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """SIGKILL: nothing can be tidied up."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()
        self.killed[name.split()[0]] += 1

    def stop(self) -> None:
        """Ask all to end, and make them."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def ask(
        self, *arguments: str, timeout: float = 60, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """A command of loadlab, whatever comes of it."""
        return subprocess.run(
            [sys.executable, MANAGE, *arguments],
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def stop_servers(self) -> None:
        """Stop PostgreSQL and Redis; asking for the URL of one starts it again."""
        subprocess.run(
            [sys.executable, "-m", "loadlab.embedded", "stop"],
            env=self.environment,
            cwd=CHECKOUT,
            timeout=60,
            check=False,
            capture_output=True,
        )

    def command(self, *arguments: str, timeout: float = 60) -> str:
        """What a command of loadlab prints."""
        done = self.ask(*arguments, timeout=timeout)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def launch(self, *, tasks: int, batch: int = 50, delay: str = "20ms", **parameters: str) -> str:
        """The id of a run left to the daemons."""
        return self.command(
            *("load_test", "run", "--type", "count_executions", "--no-wait"),
            *("--tasks", str(tasks), "--batch", str(batch), "--delay", delay),
            *(
                word
                for name, value in parameters.items()
                for word in ("--param", f"{name}={value}")
            ),
        )

    def log_of(self, name: str) -> list[str]:
        """What a process of ours has said."""
        log = self.folder / f"{name.replace(' ', '-')}.log"
        return log.read_text(errors="replace").splitlines() if log.exists() else []

    def sql(self, query: str, *arguments: object) -> list[tuple[object, ...]]:
        """Rows straight from PostgreSQL."""
        import psycopg

        with psycopg.connect(self.postgres_url()) as connection:
            return connection.execute(query, arguments).fetchall()  # type: ignore[arg-type]

    def postgres_url(self) -> str:
        """The URL of this loadlab's own database."""
        return self._embedded("postgres_url")

    def redis(self) -> redis.Redis:
        """A connection to this loadlab's own Redis."""
        return redis.Redis.from_url(self._embedded("valkey_url"))

    def _embedded(self, function: str) -> str:
        code = f"from loadlab import embedded; print(embedded.{function}())"
        return subprocess.run(
            [sys.executable, "-c", code],
            env=self.environment | {"DATABASE_URL": "", "REDIS_URL": ""},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.strip()

    def status_of(self, test_id: str) -> str:
        """The run's status."""
        return str(
            self.sql("SELECT status FROM runs_loadtestrun WHERE test_id = %s", test_id)[0][0]
        )

    def wait_for_end(self, test_id: str, *, within_s: float) -> float:
        """Seconds until the run had ended."""
        began = time.monotonic()
        while self.status_of(test_id) in {"pending", "dispatching", "running"}:
            assert time.monotonic() - began < within_s, self.last_words()
            time.sleep(0.2)
        return time.monotonic() - began

    def wait_until(self, holds: Callable[[], bool], *, within_s: float = 60) -> None:
        """Until it holds; what the processes said where it never does."""
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, self.last_words()
            time.sleep(0.05)

    def wait_for_rows(self, test_id: str, *, at_least: int, within_s: float = 60) -> None:
        """Until so many tasks are stored."""
        self.wait_until(lambda: self._rows(test_id) >= at_least, within_s=within_s)

    def _rows(self, test_id: str) -> int:
        query = "SELECT count(*) FROM runs_taskmetric WHERE task_id LIKE %s"
        return int(str(self.sql(query, f"{test_id}-%")[0][0]))

    def books(self, test_id: str, *, seconds: float) -> Books:
        """Everything counted."""
        like = f"{test_id}-%"
        counted = self.sql(
            "SELECT state, count(*), count(DISTINCT sequence) FROM runs_taskmetric"
            " WHERE task_id LIKE %s GROUP BY state",
            like,
        )
        with self.redis() as connection:
            ran = connection.hgetall("executions")
            keys = [key for key in connection.scan_iter(count=1000) if test_id.encode() in key]
            queued = connection.zcard("arq:queue:load_test")
        return Books(
            status=self.status_of(test_id),
            rows=sum(int(str(row[1])) for row in counted),
            distinct=sum(int(str(row[2])) for row in counted),
            states={str(row[0]): int(str(row[1])) for row in counted},
            executions=Counter(int(count) for count in ran.values()),
            keys_left=len(keys) + queued,
            killed=Counter(self.killed),
            seconds=seconds,
        )

    def last_words(self) -> str:
        """The end of every log, for whoever reads a failure."""
        return "\n".join(
            f"{log.name}: {log.read_text(errors='replace')[-1500:]}"
            for log in sorted(self.folder.glob("*.log"))
        )


@contextmanager
def a_loadlab(names: Sequence[str], *, job_timeout_s: float = 3.0) -> Iterator[Loadlab]:
    """Servers and processes for the time of a block; nothing is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="loadlab-survival-", dir="/tmp"))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LOADLAB_")},
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "LOADLAB_VAR": str(folder),
        "LOADLAB_TASK_MODULES": "counting_tasks",
        "PYTHONPATH": str(TASK_MODULE),
        "LOADLAB_QUEUE_LOAD_TEST_POLL_DELAY": "0.05",
        "LOADLAB_QUEUE_LOAD_TEST_JOB_TIMEOUT": f"{job_timeout_s:g}",
    }
    lab = Loadlab(folder=folder, environment=environment)
    try:
        lab.command("migrate", "-v", "0")
        for name in names:
            lab.start(name)
        yield lab
    finally:
        lab.stop()
        lab.stop_servers()
        shutil.rmtree(folder, ignore_errors=True)


def survive(
    *, seed: int, tasks: int, roles: Sequence[str], kills: int = 6, within_s: float = 150
) -> Books:
    """One run during which processes of these roles are killed and started again."""
    chance = random.Random(seed)
    names = ("dispatcher 1", "dispatcher 2", "collector 1", "collector 2", "worker 1", "worker 2")
    with a_loadlab(names) as lab:
        test_id = lab.launch(tasks=tasks)
        victims = [name for name in names if name.split()[0] in roles]
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 0.9))
            victim = chance.choice(victims)
            lab.kill(victim)
            time.sleep(chance.uniform(0.0, 0.4))
            lab.start(victim)
        seconds = lab.wait_for_end(test_id, within_s=within_s)
        return lab.books(test_id, seconds=seconds)
