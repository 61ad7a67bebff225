"""How long from a launch to its first task? Through daemons that wait, to a worker that is idle.

    python bench/launch_latency.py [--launches 30]

A launch is what the web does: the run's row and a NOTIFY, in one transaction. The time counts from
before that transaction to the start of the run's one no-op, as the worker stamps it; poll_delay is
0.05 s, so a task on the queue waits 25 ms on average. Printed with it, from the same rows: how long
until the run was claimed and prepared (its start), and from there until the task was queued.
"""

import argparse
import os
import random
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "acceptance"))

from survival import Loadlab, a_loadlab

INSTANTS = """
SELECT extract(epoch FROM r.started_at)::float8, extract(epoch FROM t.enqueued_at)::float8,
       extract(epoch FROM t.started_at)::float8
FROM runs_loadtestrun r JOIN runs_taskmetric t ON t.run_id = r.id WHERE r.test_id = %s
"""


def main() -> None:
    """Launch, wait until it has ended, launch again."""
    options = _options()
    with a_loadlab(("dispatcher", "collector", "worker")) as lab:
        _set_up(lab)
        for _ in range(3):  # everything is imported and connected
            _launch(lab)
        busy = os.getloadavg()[0]
        launches = np.array([_launch(lab) for _ in range(options.launches)]) * 1000
    print(f"{len(launches)} launches of one no-op (load average {busy}), ms: p50, p95, max")
    for name, column in zip(
        ("prepared", "queued", "started (aim: p95 at most 300)"), launches.T, strict=True
    ):
        p50, p95 = np.percentile(column, [50, 95])
        print(f"  {name:32} {p50:6.0f} {p95:6.0f} {column.max():6.0f}")


def _set_up(lab: Loadlab) -> None:
    os.environ |= {**lab.environment, "DJANGO_SETTINGS_MODULE": "loadlab.settings"}
    os.environ["LOADLAB_TASK_MODULES"] = ""
    import django

    django.setup()


def _launch(lab: Loadlab) -> list[float]:
    """Seconds from the launch to: the run prepared, its task queued, its task started."""
    from runs.spec import Spec
    from runs.start import start_runs

    time.sleep(random.uniform(0.2, 0.4))  # in no step with polls and heartbeats
    began = time.time()
    [run] = start_runs(spec=Spec(task_type="noop", num_tasks=1))
    lab.wait_for_end(run.test_id, within_s=60)
    [instants] = lab.sql(INSTANTS, run.test_id)
    return [float(str(instant)) - began for instant in instants]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--launches", type=int, default=30)
    return parser.parse_args()


if __name__ == "__main__":
    main()
