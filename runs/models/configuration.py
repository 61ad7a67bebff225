"""A workload: what is sent, how many, when and where; equal workloads are one row."""

import hashlib
import json
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from runs.analysis.comparability import WORKLOAD
from runs.arrivals import ArrivalModel, Arrivals


class LoadTestConfigurationQuerySet(models.QuerySet["LoadTestConfiguration"]):
    """Workloads, found by what they say."""

    def holding(self, **content: Any) -> "LoadTestConfiguration":
        """The one row with this content, made if it is new."""
        digest = content_hash(content)
        configuration, _ = self.get_or_create(content_hash=digest, defaults=content)
        return configuration


class LoadTestConfiguration(models.Model):
    """A workload, unique by content; people may name it and pin one of its runs as the baseline."""

    name = models.CharField(max_length=200, blank=True)
    content_hash = models.CharField(max_length=64, unique=True, editable=False)
    task_type = models.CharField(max_length=100)
    parameters = models.JSONField(default=dict, blank=True)
    num_tasks = models.PositiveIntegerField()
    batch_size = models.PositiveIntegerField(default=10)
    delay_ms = models.FloatField(default=0.0)
    rate_per_s = models.FloatField(null=True, blank=True)
    duration_s = models.FloatField(null=True, blank=True)
    arrival = models.CharField(
        max_length=8,
        choices=[(model.value, model.value) for model in ArrivalModel],
        default=ArrivalModel.BATCHES.value,
    )
    seed = models.BigIntegerField(default=0)
    target = models.CharField(max_length=100, default="default")
    target_queue = models.CharField(max_length=100, default="load_test")
    pinned_run = models.ForeignKey(
        "runs.LoadTestRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = LoadTestConfigurationQuerySet.as_manager()

    class Meta:
        verbose_name = "configuration"
        constraints = (
            models.CheckConstraint(
                condition=Q(num_tasks__gte=1) & Q(batch_size__gte=1) & Q(delay_ms__gte=0),
                name="workload_is_positive",
            ),
            models.CheckConstraint(
                condition=Q(arrival="batches", rate_per_s__isnull=True, duration_s__isnull=True)
                | (~Q(arrival="batches") & Q(rate_per_s__gt=0) & Q(duration_s__gt=0)),
                name="rate_and_arrival_agree",
            ),
        )

    def __str__(self) -> str:
        return self.name or f"{self.in_words} on {self.target_queue}"

    @property
    def in_words(self) -> str:
        """What is sent, for people: `1000 × io_simulation`, `noop at 40/s for 30 s`."""
        if self.rate_per_s is None:
            return f"{self.num_tasks} × {self.task_type}"
        return f"{self.task_type} at {self.rate_per_s:g}/s for {self.duration_s:g} s"

    @property
    def content(self) -> dict[str, Any]:
        """All that makes this workload this workload."""
        return {name: getattr(self, name) for name in WORKLOAD}

    @property
    def arrivals(self) -> Arrivals:
        """When each task is due; the same for the same content."""
        if self.rate_per_s is None or self.duration_s is None:
            return Arrivals.batches(
                tasks=self.num_tasks, batch_size=self.batch_size, delay_s=self.delay_ms / 1000
            )
        if self.arrival == ArrivalModel.POISSON:
            return Arrivals.poisson(
                rate_per_s=self.rate_per_s, duration_s=self.duration_s, seed=self.seed
            )
        return Arrivals.constant(rate_per_s=self.rate_per_s, duration_s=self.duration_s)

    def pin(self, run: Any) -> Self:
        """Make `run` the baseline that later runs of this workload are judged against."""
        self.pinned_run = run
        self.save(update_fields=["pinned_run"])
        return self


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 of the content as canonical JSON: equal workloads, equal hash."""
    canonical = json.dumps(
        {name: content[name] for name in WORKLOAD}, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode()).hexdigest()
