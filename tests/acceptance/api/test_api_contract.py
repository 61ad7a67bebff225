"""A live server against its own contract: whatever is sent, no fault and nothing undocumented."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from service import ALL, BIN, Service

HERE = Path(__file__).parent

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    # why so many waiting: every launch that is tried leaves one
    with Service(LOADLAB_MAX_WAITING="100000") as running:
        yield running.prepare().web()


def schemathesis(service: Service, *options: str) -> subprocess.CompletedProcess[str]:
    """Every check, every phase, a bounded number of examples, the same ones each time."""
    return subprocess.run(
        [
            *(str(BIN / "st"), "--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"{service.url}/api/schema/", "--checks", "all"),
            *("--seed", "1", "--no-color"),
            *options,
        ],
        cwd=service.var,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "launch_checks", "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_with_a_login(service: Service) -> None:
    token = service.token_of("ana", *ALL)
    done = schemathesis(service, "-H", f"Authorization: Token {token}", "--max-examples", "8")
    assert done.returncode == 0, done.stdout[-6000:] + service.log("web")[-3000:]
    assert "api_failed" not in service.log("web")


def test_without_a_login(service: Service) -> None:
    done = schemathesis(service, "--phases", "examples,coverage")
    assert done.returncode == 0, done.stdout[-6000:] + service.log("web")[-3000:]


def test_with_a_login_that_may_nothing(service: Service) -> None:
    token = service.token_of("bob")
    done = schemathesis(
        service, "-H", f"Authorization: Token {token}", "--phases", "fuzzing", "--max-examples", "4"
    )
    assert done.returncode == 0, done.stdout[-6000:] + service.log("web")[-3000:]
