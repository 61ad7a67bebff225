"""Which processes of ours still run, whoever their parent is now?"""

import socket
from pathlib import Path

import psutil

SERVERS = {"postgres", "valkey-server"}


def processes_of(var: Path) -> list[str]:
    """What runs with this LOADLAB_VAR in its environment, the embedded servers left out.

    By environment and not by parent or group: an orphan has lost the one, and every process of ours
    that must not hear Ctrl-C has a group of its own.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() in SERVERS or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get("LOADLAB_VAR") == str(var):
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def free_port() -> int:
    """A port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
