"""Any process may die at any moment: every task has one row, ran once, and no run is stuck."""

import os
import shutil
import signal
import time

import pytest
from survival import Loadlab, a_loadlab, survive

pytestmark = pytest.mark.timeout(240)

TASKS = 1_500


@pytest.mark.parametrize("seed", [1, 2])
def test_daemons_killed_at_random_lose_and_repeat_nothing(seed: int) -> None:
    books = survive(seed=seed, tasks=TASKS, roles=("dispatcher", "collector"))
    assert (books.status, books.rows, books.distinct) == ("completed", TASKS, TASKS), books
    assert books.states == {"completed": TASKS}
    assert books.executions == {1: TASKS}
    assert books.keys_left == 0


def test_killed_workers_run_a_task_again_at_most_as_arq_does() -> None:
    books = survive(seed=3, tasks=TASKS, roles=("dispatcher", "collector", "worker"))
    assert (books.status, books.rows, books.distinct) == ("completed", TASKS, TASKS), books
    assert sum(books.executions.values()) == TASKS
    assert max(books.executions) <= 1 + books.killed["worker"]
    # at most the tasks that a killed worker had in hand run again
    assert (
        sum(books.executions[n] for n in books.executions if n > 1) <= 30 * books.killed["worker"]
    )
    assert books.keys_left == 0


@pytest.mark.parametrize("phase", ["dispatch", "collect"])
def test_postgres_restarted_is_waited_for(phase: str) -> None:
    with a_loadlab(("dispatcher", "collector", "worker")) as lab:
        test_id = lab.launch(tasks=600, batch=20, delay="100ms" if phase == "dispatch" else "0")
        lab.wait_for_rows(test_id, at_least=40)
        _restart_postgres(lab)
        seconds = lab.wait_for_end(test_id, within_s=120)
        books = lab.books(test_id, seconds=seconds)
    assert (books.status, books.rows) == ("completed", 600), books
    assert books.executions == {1: 600}
    assert books.keys_left == 0


@pytest.mark.parametrize("phase", ["dispatch", "collect"])
def test_redis_restarted_with_its_data_goes_on(phase: str) -> None:
    with a_loadlab(("dispatcher", "collector", "worker")) as lab:
        test_id = lab.launch(tasks=600, batch=20, delay="100ms" if phase == "dispatch" else "0")
        lab.wait_for_rows(test_id, at_least=40)
        _restart_redis(lab, with_data=True)
        seconds = lab.wait_for_end(test_id, within_s=120)
        books = lab.books(test_id, seconds=seconds)
    assert (books.status, books.rows, books.distinct) == ("completed", 600, 600), books
    assert books.states["completed"] + books.states.get("lost", 0) == 600


@pytest.mark.parametrize("phase", ["dispatch", "collect"])
def test_what_a_redis_without_its_data_forgot_is_lost_not_waited_for(phase: str) -> None:
    with a_loadlab(("dispatcher", "collector", "worker")) as lab:
        test_id = lab.launch(
            tasks=600, batch=20, delay="100ms" if phase == "dispatch" else "0", hold_ms="100"
        )
        lab.wait_for_rows(test_id, at_least=40)
        _restart_redis(lab, with_data=False)
        seconds = lab.wait_for_end(test_id, within_s=120)
        books = lab.books(test_id, seconds=seconds)
    assert (books.status, books.rows, books.distinct) == ("completed", 600, 600), books
    # arq calls a job expired that it picked up in the instant in which Redis forgot its body
    assert books.states["completed"] + books.states["lost"] + books.states.get("failed", 0) == 600
    assert books.states["lost"] > 0
    assert books.keys_left == 0


def _restart_redis(lab: Loadlab, *, with_data: bool) -> None:
    with lab.redis() as connection:
        pid = int(connection.info("server")["process_id"])
    os.kill(pid, signal.SIGKILL)
    time.sleep(1.0)
    if not with_data:
        for folder in lab.folder.glob("valkey*"):
            if folder.is_dir():
                shutil.rmtree(folder)
    lab.redis().close()


def _restart_postgres(lab: Loadlab) -> None:
    pid_file = lab.folder / "postgres" / "postmaster.pid"
    os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGQUIT)
    time.sleep(0.5)
    lab.postgres_url()
