"""Flower, the celery command and arq workers as real processes around one Valkey.

What "compatible with Celery" means here, and where that is tested, with old and new tools:

 1. Flower sees workers come and go and all of every task: test_flower
 2. Events are those of a real Celery worker, and nothing of Celery is loaded: test_wire
 3. Nothing that breaks on Celery's side costs a job or a worker: test_faults
 4. `celery status` and `celery inspect` answer, and the rest is refused in words:
    test_celery_command, for Flower's pages test_limits
 5. Revoking aborts: test_celery_command, test_own_worker; in database and report: test_task_results
 6. States are Celery's by name, set and order: test_states_of_celery
 7. Columns are those of django-celery-results, whose own model reads them: test_task_results
 8. AsyncResult and Flower's result endpoint read results: test_results
 9. The admin is like that package's: test_task_results, with rights in tests/integration
10. What cannot work fails clearly: test_limits, test_celery_command, test_task_results

Besides: secrets (test_privacy), an arq worker without Django (test_own_worker), docs/celery.md as
it stands (test_celery_documentation).
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import processes
import pytest
import venvs
from processes import Broker, Flower, Running, eventually


@pytest.fixture(scope="session")
def flower_2_0() -> Path:
    return venvs.ensure(venvs.FLOWER_2_0)


@pytest.fixture(scope="session")
def flower_2_2() -> Path:
    return venvs.ensure(venvs.FLOWER_2_2)


@pytest.fixture(params=[venvs.FLOWER_2_0, venvs.FLOWER_2_2])
def tools(request: pytest.FixtureRequest) -> Path:
    """The programs of an old and of the newest Flower and Celery, in turn."""
    return venvs.ensure(request.param)


@pytest.fixture
def broker() -> Iterator[Broker]:
    with processes.a_broker() as broker:
        yield broker


@pytest.fixture
def started() -> Iterator[list[Running]]:
    """What a test has started; ended with it."""
    processes: list[Running] = []
    yield processes
    for process in processes:
        process.clear_away()


@pytest.fixture
def worker(broker: Broker, started: list[Running]) -> Callable[..., Running]:
    """Starts an arq worker and waits until it serves."""

    def start(settings: str = "arq_app.WorkerSettings", **options: str) -> Running:
        running = processes.arq_worker(broker, settings, **options)
        started.append(running)
        eventually(lambda: "Starting worker" in running.said or not running.is_up)
        assert running.is_up, running.said
        return running

    return start


@pytest.fixture
def flower(broker: Broker, started: list[Running]) -> Callable[..., Flower]:
    """Starts a Flower of the given tools, and waits until it listens to events."""

    def start(tools: Path, *, backend: str | None = None, url: str = "") -> Flower:
        port = processes.free_port()
        command: list[str | Path] = [tools / "celery", f"--broker={url or broker.url}"]
        if backend:
            command.append(f"--result-backend={backend}")
        running = Running.of(
            [*command, "flower", "--address=127.0.0.1", f"--port={port}"],
            FLOWER_UNAUTHENTICATED_API="true",
        )
        started.append(running)
        with broker.client() as client:
            eventually(lambda: client.pubsub_numpat() > 0 or not running.is_up)
        assert running.is_up, running.said
        return Flower(running=running, url=f"http://127.0.0.1:{port}")

    return start


@pytest.fixture
def celery(broker: Broker) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the stock celery command against the broker."""

    def run(tools: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tools / "celery", "-b", broker.url, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=processes.environment(NO_COLOR="1"),
        )

    return run
