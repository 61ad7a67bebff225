"""Runs, fleets and constants made by hand for the tests of the pure core."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from runs.analysis.constants import Constant, Constants
from runs.analysis.fleet import Fleet, HostClass, Worker, WorkerSettings
from runs.analysis.samples import Samples, TaskInstants
from runs.analysis.summary import Summary, summarise
from runs.analysis.workload import Accounting, Workload
from runs.arrivals import ArrivalModel

HOST = HostClass(cpu_model="a model", cores=4, memory_bytes=8 * 2**30)


def worker(
    name: str = "w0", *, host: str = "a", measured: dict[str, Any] | None = None, **settings: Any
) -> Worker:
    settings = {"max_jobs": 10, "poll_delay_s": 0.5} | settings
    return Worker(
        worker_id=name,
        host=host,
        settings=WorkerSettings(**settings),
        host_class=HOST,
        **(measured or {}),
    )


def fleet(
    count: int = 1,
    *,
    measured: dict[str, Any] | None = None,
    of: dict[str, Any] | None = None,
    **settings: Any,
) -> Fleet:
    workers = tuple(worker(f"w{i}", measured=measured, **settings) for i in range(count))
    return Fleet(workers=workers, **(of or {}))


def constants(**milliseconds: float) -> Constants:
    """constants(start_s=1.18): milliseconds, measured."""
    return Constants(
        **{
            name: Constant(value=value / 1000, source="measured")
            for name, value in milliseconds.items()
        }
    )


def workload(tasks: int = 100, **changed: Any) -> Workload:
    return Workload(task_type="sleep", num_tasks=tasks, queue="load_test", **changed)


def paced(
    rate_per_s: float, *, duration_s: float, arrival: ArrivalModel = ArrivalModel.CONSTANT
) -> Workload:
    return workload(
        round(rate_per_s * duration_s),
        rate_per_s=rate_per_s,
        duration_s=duration_s,
        arrival=arrival,
    )


def accounting(completed: int, **others: int) -> Accounting:
    others = {"failed": 0, "cancelled": 0, "lost": 0, "outstanding": 0} | others
    sent = completed + sum(others[name] for name in ("failed", "cancelled", "lost", "outstanding"))
    return Accounting(**({"planned": sent, "sent": sent, "completed": completed} | others))


def samples(
    started_s: Sequence[float],
    *,
    execution_s: float | Sequence[float] = 0.2,
    enqueued_s: float | Sequence[float] = 0.0,
    burst: bool = True,
    **columns: Any,
) -> Samples:
    started = np.asarray(started_s, dtype=np.float64)
    sent = np.broadcast_to(np.asarray(enqueued_s, dtype=np.float64), started.shape)
    return Samples.of(
        TaskInstants(
            **{
                "sequence": np.arange(1, started.size + 1),
                "intended_s": sent,
                "enqueued_s": sent,
                "started_s": started,
                "finished_s": started + np.asarray(execution_s),
                "worker_names": ("w0",),
            }
            | columns
        ),
        burst=burst,
    )


def waves(
    count: int,
    *,
    slots: int = 10,
    period_s: float = 0.5,
    first_s: float = 0.1,
    start_s: float = 0.001,
) -> np.ndarray:
    """Starts of a saturated worker: every period as many as there are slots."""
    ticks = first_s + period_s * np.arange(count)
    return (ticks[:, None] + start_s * np.arange(slots)[None, :]).ravel()


def summary_of(
    made: Samples, *, of: Fleet | None = None, load: Workload | None = None, **others: int
) -> Summary:
    failed = int(made.failed.sum())
    return summarise(
        made,
        workload=load or workload(made.n),
        fleet=fleet() if of is None else of,
        accounting=accounting(made.n - failed, failed=failed, **others),
    )
