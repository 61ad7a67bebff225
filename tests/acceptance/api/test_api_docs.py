"""What docs/api.md and the README show of the API works as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from service import ALL, BIN, CHECKOUT, Service

PAGE = CHECKOUT / "docs" / "api.md"
NOT_EXECUTED = "# not executed"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service() as running:
        yield running.prepare().web().daemons()


@pytest.fixture(scope="module")
def settings(service: Service) -> dict[str, str]:
    token = service.token_of("ana", *ALL)
    return {**os.environ, "LOADLAB": service.url, "TOKEN": token}


def blocks(page: Path, language: str) -> list[str]:
    found = [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]
    return [text for text in found if NOT_EXECUTED not in text]


def answers(printed: str) -> list[dict[str, object]]:
    """The JSON documents that were printed, one behind the other."""
    decoder, found, rest = json.JSONDecoder(), [], printed.strip()
    while rest.startswith("{"):
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found


def test_every_curl_line_is_answered(settings: dict[str, str]) -> None:
    assert shutil.which("curl")
    shown = blocks(PAGE, "bash")
    assert len(shown) >= 7
    for script in shown:
        done = subprocess.run(
            [
                "bash",
                "-euo",
                "pipefail",
                "-c",
                script.replace("curl -sS", "curl -sS --fail-with-body"),
            ],
            env=settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        for document in answers(done.stdout):
            assert "error" not in document


def test_a_key_that_is_sent_twice_starts_one_run(settings: dict[str, str]) -> None:
    script = next(text for text in blocks(PAGE, "bash") if "Idempotency-Key" in text)
    done = subprocess.run(
        ["bash", "-c", script], env=settings, capture_output=True, text=True, check=True
    )
    first, again = answers(done.stdout)
    assert first["test_id"] == again["test_id"]


def test_the_python_examples_run_one_after_the_other(settings: dict[str, str]) -> None:
    script = "\n".join(blocks(PAGE, "python"))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "tasks/s" in done.stdout


def test_the_curl_lines_of_the_readme_work(service: Service, settings: dict[str, str]) -> None:
    lines = [
        text.replace("http://localhost:8000", service.url)
        for text in blocks(CHECKOUT / "README.md", "bash")
        if "curl" in text
    ]
    assert lines
    for script in lines:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env={**settings, **service.environment, "PATH": f"{BIN}:{os.environ['PATH']}"},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{script}\n{done.stderr}"
        assert all("error" not in document for document in answers(done.stdout))
