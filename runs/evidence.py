"""What is stored of a run, as the values that the analysis takes."""

import hashlib
import json
import math
from collections.abc import Mapping
from statistics import fmean, median
from typing import Any

from runs.analysis.fleet import Fleet, HostClass, Worker, WorkerSettings
from runs.analysis.samples import Samples, Skew, TaskInstants
from runs.analysis.workload import Accounting, Workload
from runs.arrivals import ArrivalModel
from runs.models import LoadTestConfiguration, LoadTestRun
from runs.models.measured import Measured, measured, metric_names_of
from workers.tasks.registry import task_types

CAME_LATE_S = 5.0  # a worker first heard of so long after the start was not there from the start
WENT_EARLY_S = 5.0
CLOCK_SLACK_S = 60.0  # dispatcher and collector may be hosts whose clocks differ
POOL_WAIT = "pool_wait_ms"
SETTING_NAMES = (
    "max_jobs",
    "poll_delay_s",
    "queue_read_limit",
    "job_timeout_s",
    "keep_result_s",
    "max_tries",
    "pool_processes",
)


def workload_of(configuration: LoadTestConfiguration) -> Workload:
    """The configuration as the analysis knows it."""
    return Workload(
        task_type=configuration.task_type,
        num_tasks=configuration.num_tasks,
        queue=configuration.target_queue,
        parameters=configuration.parameters,
        batch_size=configuration.batch_size,
        delay_s=configuration.delay_ms / 1000,
        rate_per_s=configuration.rate_per_s,
        duration_s=configuration.duration_s,
        arrival=ArrivalModel(configuration.arrival),
        seed=configuration.seed,
    )


def accounting_of(run: LoadTestRun) -> Accounting:
    """Where the tasks of the run are."""
    return Accounting(
        planned=run.planned_count,
        sent=run.sent_count,
        completed=run.completed_count,
        failed=run.failed_count,
        cancelled=run.cancelled_count,
        lost=run.lost_count,
        outstanding=run.outstanding_count,
        retries=run.retry_count,
    )


def measured_of(run: LoadTestRun) -> Measured:
    """Every task that started and ended, with the metrics that its type declares or reports."""
    known = task_types().get(run.configuration.task_type)
    names = [metric.name for metric in known.metrics] if known else []
    reported = metric_names_of(run.pk)
    names += [name for name in reported if name not in names]
    return measured(
        run.pk,
        origin_us=0 if run.started_at is None else int(run.started_at.timestamp() * 1e6),
        worker_names=_worker_names(run),
        metric_names=names,
    )


def samples_of(run: LoadTestRun, tasks: Measured) -> Samples:
    """The run's tasks as samples, each worker's clock set against the sender's."""
    names = _worker_names(run)
    pool_wait = tasks.metrics.get(POOL_WAIT)
    return Samples.of(
        TaskInstants(
            sequence=tasks.sequence,
            intended_s=tasks.intended_s,
            enqueued_s=tasks.enqueued_s,
            started_s=tasks.started_s,
            finished_s=tasks.finished_s,
            failed=tasks.failed,
            tries=tasks.tries,
            # why: a name that no heartbeat gave has index −1, which is the last name, "unknown"
            worker=tasks.worker % (len(names) + 1),
            worker_names=(*names, "unknown"),
            pool_wait_s=None if pool_wait is None else pool_wait / 1000,
        ),
        burst=workload_of(run.configuration).burst,
        skews=skews_of(run),
        longest_s=_lasted_s(run),
    )


def _lasted_s(run: LoadTestRun) -> float:
    """How long the run took, by the clocks of whoever conducted it, and some more."""
    if run.started_at is None or run.finished_at is None:
        return math.inf
    return max(0.0, (run.finished_at - run.started_at).total_seconds()) + CLOCK_SLACK_S


def skews_of(run: LoadTestRun) -> dict[str, Skew]:
    """Each worker's clock less the sender's: both were read against Redis's."""
    sender_s = run.observed.get("sender_clock_offset_s", 0.0)
    sender_error_s = run.observed.get("sender_clock_error_s", 0.0)
    return {
        worker["worker_id"]: Skew(
            offset_s=worker["beat"]["clock_offset_s"] - sender_s,
            error_s=worker["beat"]["clock_error_s"] + sender_error_s,
        )
        for worker in run.fleet
    }


def fleet_of(run: LoadTestRun) -> Fleet:
    """The workers that served the run, with what their heartbeats measured."""
    finished = max(1, run.completed_count + run.failed_count)
    redis_cpu_s = _redis_cpu_s(run.observed)
    return Fleet(
        workers=tuple(worker_of(described) for described in run.fleet),
        changed=_changed(run),
        foreign_jobs=max(
            run.observed.get("foreign_jobs_before", 0), run.observed.get("foreign_jobs_during", 0)
        ),
        redis_cpu_s=None if redis_cpu_s is None else redis_cpu_s / finished,
        shared_cpu_s=_shared_cpu_s(run.observed, tasks=finished),
        observer_cores=_observer_cores(run.observed),
        staggered=bool(run.observed.get("own_workers")),
    )


def worker_of(described: Mapping[str, Any]) -> Worker:
    """One worker process from what it said of itself and how its heartbeats changed."""
    settings, host = described["settings"], described["host_class"]
    beat = described["beat"]
    first = described.get("first_beat", beat)
    jobs = beat["jobs_done"] + beat["jobs_failed"] - first["jobs_done"] - first["jobs_failed"]
    return Worker(
        worker_id=described["worker_id"],
        host=described["host"],
        settings=WorkerSettings(
            **{name: settings[name] for name in SETTING_NAMES},
            retries_os_errors=settings["retries_os_errors"],
            keep_result_forever=settings["keep_result_forever"],
            allow_abort_jobs=settings["allow_abort_jobs"],
        ),
        host_class=HostClass(
            cpu_model=host["cpu_model"], cores=host["cores"], memory_bytes=host["memory_bytes"]
        ),
        round_trip_s=median(described.get("round_trips_s") or [beat["round_trip_s"]]),
        start_cpu_s=(beat["cpu_s"] - first["cpu_s"]) / jobs if jobs > 0 else None,
        pool_cpu_s=(beat["pool_cpu_s"] - first["pool_cpu_s"]) / jobs if jobs > 0 else None,
        loop_lag_s=described.get("worst_loop_lag_s", beat["loop_lag_s"]),
        stolen_share=_stolen_share(first, beat),
        clock_offset_s=beat["clock_offset_s"],
        clock_error_s=beat["clock_error_s"],
    )


def _stolen_share(first: Mapping[str, Any], last: Mapping[str, Any]) -> float | None:
    lasted_s: float = last["at"] - first["at"]
    if "stolen_s" not in first or lasted_s <= 0:
        return None
    stolen_s: float = last["stolen_s"] - first["stolen_s"]
    return max(0.0, stolen_s / lasted_s)


def environment_of(run: LoadTestRun, fleet: Fleet) -> dict[str, Any]:
    """What served the run: what must be equal for a history, and what is listed beside."""
    described = run.fleet
    settings = [{name: worker["settings"][name] for name in SETTING_NAMES} for worker in described]
    hosts = {
        json.dumps(
            {
                "cpu_model": worker["host_class"]["cpu_model"],
                "cores": worker["host_class"]["cores"],
                "memory_gib": round(worker["host_class"]["memory_bytes"] / 2**30),
            },
            sort_keys=True,
        )
        for worker in described
    }
    versions = _united([worker["versions"] for worker in described])
    revisions = sorted({worker["revision"] for worker in described if worker["revision"]})
    return {
        "slots": fleet.slots,
        "processes": fleet.processes,
        "arq_settings": settings[0] if fleet.uniform and settings else settings,
        "host_class": json.loads(hosts.pop()) if len(hosts) == 1 else sorted(hosts),
        "versions": versions,
        "revision": ", ".join(revisions),
        "clock_skew": _clock_skew(run),
    }


def environment_key(environment: Mapping[str, Any]) -> str:
    """Equal where slots, arq settings and host class are equal: what a history compares."""
    barring = {
        name: environment.get(name) for name in ("slots", "processes", "arq_settings", "host_class")
    }
    return hashlib.sha256(json.dumps(barring, sort_keys=True).encode()).hexdigest()


def _clock_skew(run: LoadTestRun) -> dict[str, float] | None:
    skews = skews_of(run).values()
    if not skews:
        return None
    worst = max(skews, key=lambda skew: abs(skew.offset_s))
    return {
        "worst_ms": round(worst.offset_s * 1000, 3),
        "uncertainty_ms": round(max(skew.error_s for skew in skews) * 1000, 3),
        "mean_ms": round(fmean(skew.offset_s for skew in skews) * 1000, 3),
    }


def _worker_names(run: LoadTestRun) -> tuple[str, ...]:
    return tuple(worker["worker_id"] for worker in run.fleet)


def _changed(run: LoadTestRun) -> bool:
    """Whether a worker came or went while the run was under way, by Redis's clock."""
    if run.started_at is None or run.finished_at is None or not run.fleet:
        return False
    sender_s = run.observed.get("sender_clock_offset_s", 0.0)
    start, end = (at.timestamp() - sender_s for at in (run.started_at, run.finished_at))
    return any(
        worker["first_beat"]["at"] - worker["first_beat"]["clock_offset_s"] > start + CAME_LATE_S
        or worker["beat"]["at"] - worker["beat"]["clock_offset_s"] < end - WENT_EARLY_S
        for worker in run.fleet
    )


def _shared_cpu_s(observed: Mapping[str, Any], *, tasks: int) -> float | None:
    """What Redis took of the workers' only host, per task."""
    redis_s = _redis_cpu_s(observed)
    return redis_s / tasks if observed.get("shares_host") and redis_s is not None else None


def _observer_cores(observed: Mapping[str, Any]) -> float | None:
    """How many cores of the workers' only host loadlab itself kept busy.

    why not per task: most of it is looking after the run, which costs the same whatever the rate.
    """
    ours_s, lasted_s = observed.get("observer_cpu_s"), observed.get("observed_s")
    if not observed.get("shares_host") or ours_s is None or not lasted_s:
        return None
    return float(ours_s / lasted_s)


def _redis_cpu_s(observed: Mapping[str, Any]) -> float | None:
    start, end = observed.get("redis_cpu_s_at_start"), observed.get("redis_cpu_s_at_end")
    if start is None or end is None or end < start:
        return None
    return float(end - start)


def _united(versions: list[dict[str, str]]) -> dict[str, str]:
    """One value per name; several, joined, where workers differ."""
    names = sorted({name for each in versions for name in each})
    return {
        name: ", ".join(sorted({each[name] for each in versions if name in each})) for name in names
    }
