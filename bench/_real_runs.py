"""What the benches of real runs share: servers of their own, workers, runs without a watcher."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from workers.heartbeat import stolen_s


class Stolen:
    """The share of this machine's CPU that its hypervisor gave to others since the last question.

    What is measured meanwhile is not what this machine can do.
    """

    def __init__(self) -> None:
        self._before = (time.monotonic(), stolen_s())

    def share(self) -> float:
        """From 0 to 1; 0 where the system does not tell."""
        before, self._before = self._before, (time.monotonic(), stolen_s())
        lasted, stolen = (now - then for now, then in zip(self._before, before, strict=True))
        return stolen / lasted


@contextmanager
def own_servers() -> Iterator[None]:
    """PostgreSQL and Valkey for the time of a block, in a folder that is removed afterwards."""
    folder = tempfile.mkdtemp(prefix="loadlab-bench-", dir="/tmp")
    os.environ |= {"LOADLAB_VAR": folder, "DATABASE_URL": "", "REDIS_URL": ""}
    os.environ["DJANGO_SETTINGS_MODULE"] = "loadlab.settings"
    import django
    from django.core.management import call_command

    django.setup()
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        from loadlab import embedded

        embedded.stop()
        shutil.rmtree(folder)


class Silent:
    """A watcher to whom nothing needs to be said."""

    def run_started(self, run: Any) -> None:
        """Nothing."""

    def progress(self, progress: Any) -> None:
        """Nothing."""

    def notice(self, text: str) -> None:
        """What would be a line on stderr is one here."""
        print(f"  ! {text}", flush=True)

    def run_finished(self, run: Any) -> None:
        """Nothing."""


async def run_of(
    *, workers: int, settings: Mapping[str, str] | None = None, **spec: Any
) -> list[dict[str, Any]]:
    """The reports of one run, or of a group of repeats, with workers of their own."""
    from runs.conduct import conduct_here
    from runs.daemons import new_owner
    from runs.outages import in_database
    from runs.spec import Spec
    from runs.start import start_runs

    owner = new_owner()
    runs = await in_database(start_runs, spec=Spec(**spec), held_by=owner)
    await conduct_here(
        runs, workers=workers, watcher=Silent(), owner=owner, worker_environment=settings
    )
    return [run.report for run in runs]
