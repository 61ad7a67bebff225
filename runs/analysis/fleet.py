"""Which workers served the queue, with which arq settings, on which machines?

A worker's constants (round trip, CPU of a task, lag of its event loop) come from its own
heartbeats during the run; None where it sent none, for nothing here is assumed.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The arq settings that decide how fast a worker serves its queue."""

    max_jobs: int
    poll_delay_s: float
    queue_read_limit: int | None = None  # None: arq's own, see `read_limit`
    job_timeout_s: float | None = 300.0
    keep_result_s: float = 3600.0
    max_tries: int = 5
    pool_processes: int = 0
    retries_os_errors: bool | None = None  # None: the worker did not say
    keep_result_forever: bool = False
    allow_abort_jobs: bool = False

    @property
    def read_limit(self) -> int:
        """Ids read per poll: queue_read_limit, or else max(5 · max_jobs, 100) (arq 0.28)."""
        return self.queue_read_limit or max(self.max_jobs * 5, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostClass:
    """What kind of machine: runs compare only on equal ones."""

    cpu_model: str
    cores: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker process: its settings, its machine and what its heartbeats measured.

    `start_cpu_s`: CPU seconds of the main process per task during the run (Δcpu_s / Δjobs_done of
    its beats). `pool_cpu_s`: the same of its pool's children. `round_trip_s`: median of its PINGs.
    `loop_lag_s`: the worst lateness of its event loop. Offset and error: its clock less Redis's.
    `stolen_share`: of its host's CPU, what the hypervisor gave to others during the run.
    """

    worker_id: str
    host: str
    settings: WorkerSettings
    host_class: HostClass
    round_trip_s: float | None = None
    start_cpu_s: float | None = None
    pool_cpu_s: float | None = None
    loop_lag_s: float | None = None
    stolen_share: float | None = None
    clock_offset_s: float = 0.0
    clock_error_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The workers of one queue during one run, and what shared the queue and the machine with them.

    `changed`: a worker came, went or changed its settings during the run. `foreign_jobs`: jobs on
    the queue that are not of this run. `redis_cpu_s`: CPU seconds of Redis per task.
    `shared_cpu_s`: CPU seconds per task that Redis spent on the workers' only host.
    `observer_cores`: how many of that host's cores loadlab itself kept busy. Both None where the
    workers have hosts of their own, or nobody measured it.
    `staggered`: loadlab started the workers poll_delay / n apart, so their polls are spread.
    """

    workers: tuple[Worker, ...] = ()
    changed: bool = False
    foreign_jobs: int = 0
    redis_cpu_s: float | None = None
    shared_cpu_s: float | None = None
    observer_cores: float | None = None
    staggered: bool = False

    @property
    def slots(self) -> int:
        """Tasks that can run at once: the sum of max_jobs."""
        return sum(worker.settings.max_jobs for worker in self.workers)

    @property
    def processes(self) -> int:
        """Worker processes."""
        return len(self.workers)

    @property
    def settings(self) -> tuple[WorkerSettings, ...]:
        """The settings of each worker."""
        return tuple(worker.settings for worker in self.workers)

    @property
    def uniform(self) -> bool:
        """Whether all workers have the same settings; an empty fleet has none to differ in."""
        return len(set(self.settings)) <= 1

    @property
    def poll_delay_s(self) -> float | None:
        """The longest poll_delay: a whole multiple of it smooths the comb of every worker alike."""
        return max((each.poll_delay_s for each in self.settings), default=None)

    @property
    def read_limit(self) -> int | None:
        """The longest page a worker reads: no more ids than this can be in progress at once."""
        return max((each.read_limit for each in self.settings), default=None)

    @property
    def cores(self) -> int:
        """Cores of all hosts, each host once."""
        return sum({worker.host: worker.host_class.cores for worker in self.workers}.values())

    @property
    def stolen_share(self) -> float | None:
        """Of the host that lost most of its CPU to others."""
        known = [each.stolen_share for each in self.workers if each.stolen_share is not None]
        return max(known, default=None)

    @property
    def round_trip_s(self) -> float | None:
        """Mean of the workers' round trips to Redis."""
        return _mean(worker.round_trip_s for worker in self.workers)

    @property
    def start_cpu_s(self) -> float | None:
        """Mean main-process CPU seconds per task."""
        return _mean(worker.start_cpu_s for worker in self.workers)

    @property
    def pool_cpu_s(self) -> float | None:
        """Mean pool CPU seconds per task."""
        return _mean(worker.pool_cpu_s for worker in self.workers)

    @property
    def loop_lag_s(self) -> float | None:
        """The worst event-loop lag of any worker."""
        known = [worker.loop_lag_s for worker in self.workers if worker.loop_lag_s is not None]
        return max(known, default=None)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
