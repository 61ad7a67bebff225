"""The make targets say what they do, and in one sentence what they lack."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """What `make` needs of a clone in which nothing is installed."""
    (tmp_path / "requirements").mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements/constraints.txt"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def make(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=bare, capture_output=True, text=True, check=False
    )


def test_help_is_the_default_and_names_every_target(fresh: Path) -> None:
    said = make(folder=fresh)
    phony = re.search(r"^\.PHONY: moved (.*)$", (fresh / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    named = re.findall(r"^  ([a-z-]+) ", said.stdout, re.MULTILINE)
    assert sorted(named) == sorted(phony[1].split())
    assert make("help", folder=fresh).stdout == said.stdout


def test_a_python_that_is_too_old_is_named_in_one_sentence(fresh: Path) -> None:
    old = fresh / "python2"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = make("demo", f"PYTHON={old}", folder=fresh)
    assert refused.returncode != 0
    assert refused.stderr.splitlines()[0] == (
        f"loadlab needs Python 3.11 or later and {old} is not: install it, or name one as in "
        "make demo PYTHON=/path/to/python3."
    )
    assert not (fresh / ".venv").exists()


def test_down_needs_nothing_installed(fresh: Path) -> None:
    assert make("down", folder=fresh).stdout == "Nothing is installed here, so nothing runs.\n"


def test_continuous_integration_runs_what_contributors_run() -> None:
    run = CHECKOUT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert [line for line in run.read_text().splitlines() if line.startswith("make")] == [
        "make check",
        "make test",
    ]
