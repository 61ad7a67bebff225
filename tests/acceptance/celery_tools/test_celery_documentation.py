"""What docs/celery.md tells people to type shows a load test in Flower, as it stands."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import processes
import pytest
import redis
from processes import CHECKOUT, Running, eventually

PAGE = CHECKOUT / "docs" / "celery.md"
PORT_OF_REDIS, PORT_OF_FLOWER = "6390", "5555"  # as the page has them


@pytest.fixture
def checkout(flower_2_2: Path) -> Iterator[Path]:
    """What the commands find in their folder; the environment of Flower is already made."""
    # why not tmp_path: the path of a unix socket holds 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="loadlab-docs-", dir="/tmp"))
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "flower").symlink_to(flower_2_2.parent)
    try:
        yield folder
    finally:
        stop = [sys.executable, "-m", "loadlab.embedded", "stop"]
        subprocess.run(stop, env=variables(folder), check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder)


def variables(folder: Path) -> dict[str, str]:
    ours = {"LOADLAB_VAR": str(folder / "var"), "DATABASE_URL": "", "REDIS_URL": ""}
    return processes.environment(**ours)


def typed(command: str, *, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env={**os.environ, **variables(folder)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_show_a_load_test_in_flower(
    checkout: Path, started: list[Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_port, flower_port = processes.free_port(), processes.free_port()
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    export, start, venv, flower, run = "".join(blocks).splitlines()
    # stands for `make demo`
    typed(".venv/bin/loadlab migrate --verbosity 0", folder=checkout)

    for variable, value in re.findall(r"(\w+)=(\w+)", export):
        monkeypatch.setenv(variable, value.replace(PORT_OF_REDIS, str(redis_port)))
    assert str(redis_port) in os.environ.values()
    typed(start, folder=checkout)
    assert venv.startswith("python3 -m venv flower")
    seen = Running.of(
        ["bash", "-c", "exec " + flower.replace(PORT_OF_REDIS, str(redis_port)).rstrip("& ")],
        cwd=checkout,
        FLOWER_PORT=str(flower_port),
    )
    started.append(seen)
    with redis.Redis(port=redis_port) as client:
        eventually(lambda: client.pubsub_numpat() > 0 or not seen.is_up)
    assert seen.is_up, seen.said
    assert "Connected to redis" in seen.said

    typed(run, folder=checkout)
    url, person = f"http://127.0.0.1:{flower_port}", ("ana", "choose-one")
    assert httpx.get(f"{url}/tasks").status_code == 401
    assert f"<http://127.0.0.1:{PORT_OF_FLOWER}>" in PAGE.read_text()

    def told() -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = httpx.get(f"{url}/api/tasks", auth=person).json()
        return found

    eventually(lambda: [task["state"] for task in told().values()] == ["SUCCESS"] * 500)
    assert len({task["worker"] for task in told().values()}) == 2
    assert {task["name"] for task in told().values()} == {"io_simulation_task"}
