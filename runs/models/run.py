"""A load test run: its life, who holds it, its counts and its report."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest, Now

from runs.arrivals import Arrivals
from runs.errors import LeaseLost, NotAllowedNow
from runs.models.announcing import announce
from runs.models.daemon import DaemonRole
from runs.models.run_queryset import LoadTestRunQuerySet
from runs.states import ACTIVE, TERMINAL, RunStatus, may_become

LEASE = timedelta(seconds=10)
COUNTS = ("completed_count", "failed_count", "cancelled_count", "lost_count")
LIVE = (
    *("status", "started_at", "sent_at", "finished_at", "cancel_requested_at", "sent_count"),
    *COUNTS,
    *("retry_count", "notes"),
)

_ACCOUNTED = F("completed_count") + F("failed_count") + F("cancelled_count") + F("lost_count")


class LoadTestRun(models.Model):
    """One run of one workload. Status changes by `move_to`, leases by the database's clock."""

    test_id = models.CharField(max_length=40, unique=True, editable=False)
    configuration = models.ForeignKey(
        "runs.LoadTestConfiguration", on_delete=models.PROTECT, related_name="runs"
    )
    group_id = models.CharField(max_length=40, blank=True, db_index=True)
    label = models.CharField(max_length=200, blank=True)
    status = models.CharField(
        max_length=11,
        choices=[(status.value, status.value) for status in RunStatus],
        default=RunStatus.PENDING.value,
    )
    target = models.CharField(max_length=100, default="default")
    target_queue = models.CharField(max_length=100)
    timeout_s = models.FloatField(default=600.0)
    baseline_choice = models.CharField(max_length=300, default="auto")
    baseline_document = models.JSONField(null=True, blank=True)
    thresholds = models.JSONField(default=list, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    planned_count = models.PositiveIntegerField()
    sent_count = models.PositiveIntegerField(default=0)
    completed_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    cancelled_count = models.PositiveIntegerField(default=0)
    lost_count = models.PositiveIntegerField(default=0)
    retry_count = models.PositiveIntegerField(default=0)

    dispatcher = models.CharField(max_length=200, blank=True)
    dispatcher_until = models.DateTimeField(null=True, blank=True)
    collector = models.CharField(max_length=200, blank=True)
    collector_until = models.DateTimeField(null=True, blank=True)

    fleet = models.JSONField(default=list, blank=True)
    observed = models.JSONField(default=dict, blank=True)
    environment = models.JSONField(default=dict, blank=True)
    environment_key = models.CharField(max_length=64, blank=True)
    notes = models.JSONField(default=list, blank=True)
    report = models.JSONField(null=True, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    headline = models.TextField(blank=True)
    verdict = models.CharField(max_length=12, blank=True)
    regime = models.CharField(max_length=10, blank=True)
    is_doubtful = models.BooleanField(default=False)

    objects: ClassVar[Any] = LoadTestRunQuerySet.as_manager()

    class Meta:
        verbose_name = "load test"
        ordering = ("-pk",)
        permissions = (
            ("launch_loadtestrun", "Can launch a load test"),
            ("cancel_loadtestrun", "Can cancel a load test"),
            ("pin_loadtestrun", "Can pin a load test as baseline"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in RunStatus]),
                name="run_status_is_known",
            ),
            models.UniqueConstraint(
                fields=["target", "target_queue"],
                condition=Q(status__in=sorted(ACTIVE)),
                name="one_run_at_a_time_on_a_queue",
            ),
            models.CheckConstraint(
                condition=Q(sent_count__lte=F("planned_count")), name="sent_is_at_most_planned"
            ),
            models.CheckConstraint(
                condition=Q(sent_count__gte=_ACCOUNTED), name="accounted_is_at_most_sent"
            ),
        )
        indexes = (
            models.Index(fields=["status", "-id"], name="run_by_status"),
            models.Index(fields=["target_queue", "-id"], name="run_by_queue"),
            models.Index(fields=["verdict", "-id"], name="run_by_verdict"),
            models.Index(
                fields=["label", "-id"],
                name="run_by_label",
                opclasses=["varchar_pattern_ops", "int8_ops"],
            ),
            models.Index(fields=["created_at"], name="run_by_time"),
            models.Index(fields=["configuration", "environment_key", "-id"], name="run_comparable"),
            models.Index(fields=["configuration", "-id"], name="run_by_configuration"),
            GinIndex(fields=["fleet"], name="run_by_worker", opclasses=["jsonb_path_ops"]),
        )

    def __str__(self) -> str:
        return self.test_id

    @property
    def arrivals(self) -> Arrivals:
        """When each task of this run is due, from its start."""
        return self.configuration.arrivals

    @property
    def accounted_count(self) -> int:
        """Tasks whose end is known."""
        return sum(getattr(self, name) for name in COUNTS)

    @property
    def outstanding_count(self) -> int:
        """Tasks sent whose end is not known yet."""
        return max(0, self.sent_count - self.accounted_count)

    @property
    def is_finished(self) -> bool:
        """Whether nothing about this run will change any more."""
        return self.status in TERMINAL

    @property
    def is_drained(self) -> bool:
        """Whether every task that was to be sent is accounted for."""
        everything_sent = self.sent_at is not None
        return everything_sent and self.outstanding_count == 0

    def reload(self) -> None:
        """Read again what changes while the run is under way; its configuration stays loaded."""
        self.refresh_from_db(fields=LIVE)

    def take(self, role: DaemonRole, *, owner: str) -> None:
        """Hold this run in `role` for a lease from now; the caller has its row locked or renews."""
        setattr(self, role.value, owner)
        LoadTestRun.objects.filter(pk=self.pk).update(
            **{role.value: owner, f"{role.value}_until": Now() + LEASE}
        )

    def renew(self, role: DaemonRole, *, owner: str) -> None:
        """Hold it for another lease; LeaseLost where another process has taken it."""
        held = LoadTestRun.objects.filter(pk=self.pk, **{role.value: owner}).update(
            **{f"{role.value}_until": Now() + LEASE}
        )
        if not held:
            raise LeaseLost(f"{self.test_id} is another {role.value}'s now.")

    def release(self, role: DaemonRole, *, owner: str) -> None:
        """Let it go, if it is still ours."""
        LoadTestRun.objects.filter(pk=self.pk, **{role.value: owner}).update(
            **{f"{role.value}_until": None, role.value: ""}
        )

    def move_to(self, status: RunStatus, **changes: Any) -> Self:
        """Change status, saving only that and `changes`; NotAllowedNow where the state forbids it.

        The row itself is asked, so that of two who move a run at once one is refused.
        """
        allowed_from = [s.value for s in RunStatus if may_become(s, status)]
        moved = LoadTestRun.objects.filter(pk=self.pk, status__in=allowed_from).update(
            status=status.value, **changes
        )
        if not moved:
            self.refresh_from_db(fields=["status"])
            raise NotAllowedNow(
                f"{self.test_id} is {self.status}; it cannot become {status.value}."
            )
        announce()
        self.status = status.value
        for name, value in changes.items():
            setattr(self, name, value)
        return self

    def mark_started(self, *, at: datetime) -> None:
        """Fix the instant that every intended arrival is counted from; the first call decides.

        The deadline beside it is by the database's clock: the drain timeout counts from the last
        intended arrival, and hosts disagree about what time it is.
        """
        LoadTestRun.objects.filter(pk=self.pk, started_at=None).update(
            started_at=at, deadline_at=Now() + self._time_allowed
        )
        self.refresh_from_db(fields=["started_at", "deadline_at"])

    @property
    def _time_allowed(self) -> timedelta:
        return timedelta(seconds=self.arrivals.last_offset_s + self.timeout_s)

    def elapsed_s(self) -> float:
        """Seconds since the run started, by the database's clock."""
        now = LoadTestRun.objects.filter(pk=self.pk).values_list(Now(), flat=True).get()
        assert self.deadline_at is not None  # noqa: S101 - a started run has one; this tells mypy
        return float((now - self.deadline_at + self._time_allowed).total_seconds())

    def is_out_of_time(self) -> bool:
        """Whether its deadline has passed, by the database's clock."""
        late = LoadTestRun.objects.filter(pk=self.pk, deadline_at__lt=Now())
        return bool(late.exists())

    def mark_sent(self, sent: int) -> None:
        """Note that at least `sent` tasks went out."""
        LoadTestRun.objects.filter(pk=self.pk).update(sent_count=Greatest(F("sent_count"), sent))
        self.sent_count = max(self.sent_count, sent)

    def request_cancel(self) -> bool:
        """Ask whoever collects to stop this run; False where somebody asked before."""
        asked = LoadTestRun.objects.filter(
            pk=self.pk, cancel_requested_at=None, status__in=[*ACTIVE, RunStatus.PENDING]
        ).update(cancel_requested_at=Now())
        return bool(asked)

    def note(self, sentence: str) -> None:
        """Add a sentence to the notes, once."""
        with transaction.atomic():
            row = LoadTestRun.objects.select_for_update().get(pk=self.pk)
            if sentence not in row.notes:
                row.notes = [*row.notes, sentence]
                row.save(update_fields=["notes"])
            self.notes = row.notes

    def observe(self, **facts: Any) -> None:
        """Remember facts of the environment seen while the run was under way."""
        with transaction.atomic():
            row = LoadTestRun.objects.select_for_update().get(pk=self.pk)
            row.observed = {**row.observed, **facts}
            row.save(update_fields=["observed"])
            self.observed = row.observed

    def remember_fleet(self, described: Iterable[Mapping[str, Any]]) -> None:
        """Keep each worker process seen during the run, first and latest sight of it."""
        with transaction.atomic():
            row = LoadTestRun.objects.select_for_update().get(pk=self.pk)
            known = {worker["worker_id"]: worker for worker in row.fleet}
            for worker in described:
                first = known.get(worker["worker_id"], {}).get("first_beat", worker["beat"])
                known[worker["worker_id"]] = {**worker, "first_beat": first}
            row.fleet = list(known.values())
            row.save(update_fields=["fleet"])
            self.fleet = row.fleet


def new_test_id(now: datetime | None = None) -> str:
    """A name that sorts by time and cannot be guessed: `lt_20261123T094501_7f3a9c`."""
    instant = now or datetime.now(tz=UTC)
    return f"lt_{instant:%Y%m%dT%H%M%S}_{secrets.token_hex(3)}"
