"""What one run shows by itself, before it is compared or put into words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runs.analysis.bottleneck import Bottleneck, bottleneck
from runs.analysis.constants import Constants, measure_constants, service_times
from runs.analysis.doubts import doubts
from runs.analysis.fleet import Fleet
from runs.analysis.samples import Samples
from runs.analysis.service import ServiceTimes
from runs.analysis.summary import Summary, summarise
from runs.analysis.workload import Accounting, Workload
from runs.evidence import (
    accounting_of,
    environment_of,
    fleet_of,
    measured_of,
    samples_of,
    workload_of,
)
from runs.models import LoadTestRun
from runs.models.measured import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All that was found out about a run, before it is put into words."""

    run: LoadTestRun
    workload: Workload
    fleet: Fleet
    accounting: Accounting
    tasks: Measured
    samples: Samples
    summary: Summary
    constants: Constants
    service: ServiceTimes | None
    bottleneck: Bottleneck
    environment: dict[str, Any]
    doubts: Sequence[str]


def examine(run: LoadTestRun) -> Examination:
    """Read what is stored of the run and summarise it; no other run is looked at."""
    workload, fleet, accounting = (
        workload_of(run.configuration),
        fleet_of(run),
        accounting_of(run),
    )
    tasks = measured_of(run)
    samples = samples_of(run, tasks)
    constants = measure_constants(samples, fleet=fleet)
    service = service_times(samples) if samples.n else None
    summary = summarise(samples, workload=workload, fleet=fleet, accounting=accounting)
    found = bottleneck(
        fleet,
        service=service,
        constants=constants,
        offered_rate_per_s=workload.offered_rate_per_s,
    )
    if summary.saturated and summary.steady is not None:
        found = found.beside(reached_per_s=summary.steady.throughput_per_s)
    return Examination(
        run=run,
        workload=workload,
        fleet=fleet,
        accounting=accounting,
        tasks=tasks,
        samples=samples,
        summary=summary,
        constants=constants,
        service=service,
        bottleneck=found,
        environment=environment_of(run, fleet),
        doubts=doubts(summary, workload=workload, fleet=fleet),
    )
