"""All benchmarks in turn: one that fails or never ends does nothing to the others."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

RUN_ALL = Path(__file__).resolve().parents[2] / "bench" / "run_all.py"
SCRIPTS = {
    "good": 'print("17 per second")',
    "bad": "raise SystemExit(3)",
    "endless": "import subprocess as s; p = s.Popen(['sleep', '600']); "
    "open('bench/pid', 'w').write(str(p.pid)); p.wait()",
    "_shared": "raise SystemExit('this is no benchmark')",
}

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def run_all(tmp_path: Path) -> Path:
    bench = tmp_path / "bench"
    bench.mkdir()
    for name, code in SCRIPTS.items():
        body = f'"""What about {name}?"""\nif __name__ == "__main__":\n    {code}\n'
        (bench / f"{name}.py").write_text(body)
    return Path(shutil.copy(RUN_ALL, bench))


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_that_fails_or_never_ends_does_not_keep_the_others_from_running(run_all: Path) -> None:
    done = run(run_all, "--limit", "3")
    assert done.returncode == 1
    assert "=== good: What about good?\n17 per second\n" in done.stdout
    summary = done.stdout.splitlines()[-3:]
    assert [line.strip(" =").partition(" in ")[0].partition(" after")[0] for line in summary] == [
        "bad: failed with code 3",
        "endless: not done",
        "good: done",
    ]
    pid = int((run_all.parent / "pid").read_text())
    # a zombie is nothing that runs: where process 1 does not reap, it stays
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_one_is_run_by_its_name_and_an_unknown_one_refused(run_all: Path) -> None:
    assert run(run_all, "good").returncode == 0
    refused = run(run_all, "nope")
    assert refused.returncode == 2
    assert refused.stderr == "There is no benchmark 'nope'; there are bad, endless, good.\n"
