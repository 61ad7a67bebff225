"""What is stored: a workload, its runs, their tasks; the QuerySets are the store."""

from runs.models.configuration import LoadTestConfiguration
from runs.models.daemon import Daemon
from runs.models.fleet_sample import FleetSample
from runs.models.idempotency import IdempotencyKey
from runs.models.request_count import RequestCount
from runs.models.run import LoadTestRun
from runs.models.task import TaskMetric
from runs.models.task_result import TaskResult

__all__ = [
    "Daemon",
    "FleetSample",
    "IdempotencyKey",
    "LoadTestConfiguration",
    "LoadTestRun",
    "RequestCount",
    "TaskMetric",
    "TaskResult",
]
