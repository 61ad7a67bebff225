"""Runs every benchmark of this folder in turn and prints its figures: `make bench`.

    python bench/run_all.py [NAME …] [--limit 900]

A benchmark is a script here that runs by itself; names with a leading underscore are shared code.
Each has a time limit and a process group of its own: what is late is interrupted, then killed.
Exit code 1 where one failed or was late.
"""

import argparse
import ast
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LIMIT_S = 900.0
TIDY_UP_S = 30.0  # why so long: an interrupted benchmark stops its servers


def main() -> int:
    """Run those that are named, or all; the exit code."""
    asked = _options()
    found = benchmarks()
    unknown = sorted(set(asked.names) - set(found))
    if unknown:
        sys.stderr.write(f"There is no benchmark {unknown[0]!r}; there are {', '.join(found)}.\n")
        return 2
    folder = tempfile.mkdtemp(prefix="loadlab-bench-", dir="/tmp")
    environment = {**os.environ, "LOADLAB_VAR": folder, "DATABASE_URL": "", "REDIS_URL": ""}
    outcomes: dict[str, str] = {}
    try:
        for name in asked.names or found:
            print(f"\n=== {name}: {_question(found[name])}", flush=True)
            outcomes[name] = run(found[name], environment=environment, limit_s=asked.limit)
    finally:
        stop = (sys.executable, "-m", "loadlab.embedded", "stop")
        subprocess.run(stop, env=environment, stdout=subprocess.DEVNULL, check=False)
        shutil.rmtree(folder, ignore_errors=True)
        print("\n=== " + "\n    ".join(f"{name}: {said}" for name, said in outcomes.items()))
    return int(any(not said.startswith("done") for said in outcomes.values()))


def benchmarks() -> dict[str, Path]:
    """The scripts of this folder that run by themselves, by name."""
    return {
        path.stem: path
        for path in sorted(FOLDER.glob("[a-z]*.py"))
        if path.stem != Path(__file__).stem and "__main__" in path.read_text()
    }


def run(script: Path, *, environment: dict[str, str], limit_s: float) -> str:
    """Run one and say how it went; nothing of it is left afterwards."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, script], cwd=FOLDER.parent, env=environment, start_new_session=True
    )
    try:
        code = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return f"not done after {limit_s:.0f} s, interrupted"
    finally:
        _end(process)
    took = f"{time.monotonic() - began:.0f} s"
    return f"done in {took}" if code == 0 else f"failed with code {code} after {took}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt it, so that it can stop what it started; then kill what is left of its group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C on a terminal: its children hear it too
        try:
            process.wait(TIDY_UP_S)
        except subprocess.TimeoutExpired:
            sys.stderr.write("It did not end when interrupted: it is killed.\n")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _question(script: Path) -> str:
    return (ast.get_docstring(ast.parse(script.read_text())) or "").partition("\n")[0]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (all)")
    parser.add_argument("--limit", type=float, default=LIMIT_S, metavar="S", help="for each, in s")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
