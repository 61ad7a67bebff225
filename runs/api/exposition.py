"""The gauges as Prometheus reads them; every label has a fixed, small set of values."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from runs.gauges import Gauges

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_DEPTHS = ("queued", "due", "deferred", "running")


def exposed(gauges: Gauges, *, queues: Iterable[Mapping[str, Any]]) -> bytes:
    """The text of an answer to a scrape."""
    registry = CollectorRegistry()
    registry.register(_Figures(gauges, queues=list(queues)))
    return generate_latest(registry)


class _Figures(Collector):
    """Figures read once, for one scrape."""

    def __init__(self, gauges: Gauges, *, queues: list[Mapping[str, Any]]) -> None:
        self.gauges = gauges
        self.queues = queues

    def collect(self) -> Iterator[Metric]:
        """Each family."""
        yield from self._of_runs()
        yield from self._of_queues()

    def _of_runs(self) -> Iterator[Metric]:
        gauges = self.gauges
        yield _gauge("loadlab_runs", "Stored runs by status", "status", gauges.runs)
        for name, words in (
            ("sent", "Tasks sent by the stored runs"),
            ("completed", "Tasks collected that completed"),
            ("failed", "Tasks collected that failed"),
            ("cancelled", "Tasks that were cancelled"),
            ("lost", "Tasks that never gave a result"),
        ):
            yield CounterMetricFamily(f"loadlab_tasks_{name}", words, value=gauges.tasks[name])
        collected = gauges.tasks["completed"] + gauges.tasks["failed"]
        yield CounterMetricFamily(
            "loadlab_tasks_collected", "Tasks whose result is stored", value=collected
        )
        yield GaugeMetricFamily(
            "loadlab_oldest_waiting_seconds",
            "How long the oldest pending run has waited",
            value=gauges.oldest_waiting_s,
        )
        yield _gauge("loadlab_daemons", "Daemons heard of lately", "role", gauges.daemons)
        yield _gauge(
            "loadlab_dispatch_lag_seconds",
            "How late the next task of the run under way is",
            "queue",
            gauges.dispatch_lag_s,
        )
        yield _gauge(
            "loadlab_collector_lag_seconds",
            "Seconds since a collector last attended the run under way",
            "queue",
            gauges.collector_lag_s,
        )

    def _of_queues(self) -> Iterator[Metric]:
        reachable = {row["queue"]: float(bool(row["reachable"])) for row in self.queues}
        yield _gauge("loadlab_queue_reachable", "Whether Redis answers", "queue", reachable)
        depth = GaugeMetricFamily(
            "loadlab_queue_depth", "Jobs on the queue, by what they do", labels=["queue", "jobs"]
        )
        workers = GaugeMetricFamily(
            "loadlab_workers", "Workers with a fresh heartbeat", labels=["queue"]
        )
        for row in self.queues:
            if not row["reachable"]:
                continue
            workers.add_metric([row["queue"]], len(row["workers"]))
            for jobs in _DEPTHS:
                if row[jobs] is not None:
                    depth.add_metric([row["queue"], jobs], row[jobs])
        yield depth
        yield workers


def _gauge(name: str, words: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value_of_label, value in values.items():
        family.add_metric([value_of_label], value)
    return family
