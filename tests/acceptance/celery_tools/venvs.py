"""Virtual environments of the real tools: Celery wants a redis-py that arq refuses, so one each.

`python tests/acceptance/celery_tools/venvs.py` makes them all; one that is there is left alone.
"""

import fcntl
import hashlib
import subprocess
import sys
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
HOME = CHECKOUT / "var" / "venvs"
FLOWER_2_0 = "flower-2.0"
FLOWER_2_2 = "flower-2.2"
ARQ_WORKER = "arq-worker"  # no Django, and loadlab from the checkout
NAMES = (FLOWER_2_0, FLOWER_2_2, ARQ_WORKER)


def ensure(name: str) -> Path:
    """The folder of programs of an environment that holds what requirements/NAME.txt names."""
    folder, requirements = HOME / name, CHECKOUT / "requirements" / f"{name}.txt"
    stamp = folder / "made_from"
    # why the path: scripts hold it, so a checkout that was moved needs new ones
    wanted = f"{sys.version} {folder} {hashlib.sha256(requirements.read_bytes()).hexdigest()}"
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            venv.create(folder, clear=True, with_pip=True)
            install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
            subprocess.run(
                [*install, "--disable-pip-version-check", "-r", requirements], check=True
            )
            stamp.write_text(wanted)
    return folder / "bin"


if __name__ == "__main__":
    for each in NAMES:
        ensure(each)
