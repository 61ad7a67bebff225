"""What became of each task: its instants, its outcome, what it measured."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db import connection, models, transaction
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Greatest

from runs.models.run import LoadTestRun
from runs.states import TaskState

MAX_MESSAGE = 2_000
MAX_TRACEBACK = 8_000

_EXECUTION_TIME = F("finished_at") - F("started_at")


class _RowBefore(Func):
    """`(a, b) < (c, d)` as one comparison, which an index on (a, b) answers by one range."""

    template = "(%(expressions)s)"
    arity = 4
    output_field = models.BooleanField()

    def as_sql(self, compiler: Any, *_: Any, **__: Any) -> Any:
        """Two rows with a sign between them."""
        compiled = [compiler.compile(part) for part in self.source_expressions]
        a, b, c, d = (text for text, _ in compiled)
        return f"({a}, {b}) < ({c}, {d})", [p for _, found in compiled for p in found]


class TaskMetricQuerySet(models.QuerySet["TaskMetric"]):
    """Tasks, in the words of the domain."""

    def slowest(self) -> "TaskMetricQuerySet":
        """Longest execution first; those that never ran are not among them.

        why both descending: the index is read in its own order, so the last page costs what the
        first does, also where all took equally long.
        """
        ran = self.alias(execution_time=_EXECUTION_TIME).filter(execution_time__isnull=False)
        return ran.order_by(_EXECUTION_TIME.desc(), "-sequence")

    def slowest_after(self, *, execution_time: timedelta, sequence: int) -> "TaskMetricQuerySet":
        """Those that `slowest` lists behind the task with this execution time and sequence."""
        return self.slowest().filter(
            _RowBefore(
                _EXECUTION_TIME,
                F("sequence"),
                Value(execution_time, output_field=models.DurationField()),
                Value(sequence, output_field=models.IntegerField()),
            )
        )

    def account_for_rest(self, *, run_id: int, up_to: int, state: TaskState) -> int:
        """Give every sequence ≤ `up_to` that has no row one with `state`; returns how many.

        One INSERT … SELECT, so that a million lost tasks cost one statement; the run's counts
        change in the same transaction.
        """
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_REST, {"run": run_id, "up_to": up_to, "state": state.value})
            added = int(cursor.rowcount)
            column = f"{state.value}_count"
            LoadTestRun.objects.filter(pk=run_id).update(
                **{column: F(column) + added}, sent_count=Greatest(F("sent_count"), up_to)
            )
        return added


class TaskMetric(models.Model):
    """One task of one run. Instants are of several hosts' clocks: only one host's are ordered."""

    task_id = models.CharField(max_length=64, primary_key=True, db_collation="C")
    run = models.ForeignKey(
        "runs.LoadTestRun", on_delete=models.CASCADE, related_name="tasks", db_index=False
    )
    sequence = models.PositiveIntegerField()
    state = models.CharField(
        max_length=9, choices=[(state.value, state.value) for state in TaskState]
    )
    intended_at = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    retries = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    metrics = models.JSONField(null=True)
    error_type = models.CharField(max_length=200, blank=True)
    error_message = models.CharField(max_length=MAX_MESSAGE, blank=True)
    traceback = models.TextField(blank=True)

    objects: ClassVar[Any] = TaskMetricQuerySet.as_manager()

    class Meta:
        verbose_name = "task"
        constraints = (
            models.UniqueConstraint(fields=["run", "sequence"], name="one_row_per_task"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in TaskState]),
                name="task_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__gte=F("started_at")), name="finishes_after_start"
            ),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="sequence_counts_from_one"),
        )
        indexes = (
            models.Index(
                F("run"), _EXECUTION_TIME.desc(), F("sequence").desc(), name="task_slowest"
            ),
            models.Index(
                fields=["run", "state", "sequence"],
                condition=~Q(state=TaskState.COMPLETED.value),
                name="task_not_completed",
            ),
            models.Index(fields=["-finished_at"], name="task_by_finish"),
            models.Index(
                fields=["state", "-task_id"],
                condition=~Q(state=TaskState.COMPLETED.value),
                name="task_by_state",
            ),
        )

    def __str__(self) -> str:
        return self.task_id

    @property
    def execution_time_s(self) -> float | None:
        """Finished − started, both by the worker's clock."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


_REST = """
INSERT INTO runs_taskmetric
    (task_id, run_id, sequence, state, retries, worker, error_type, error_message, traceback)
SELECT r.test_id || '-' || lpad(s::text, 7, '0'), r.id, s, %(state)s, 0, '', '', '', ''
FROM runs_loadtestrun r, generate_series(1, %(up_to)s) s
WHERE r.id = %(run)s
  AND NOT EXISTS (SELECT 1 FROM runs_taskmetric t WHERE t.run_id = r.id AND t.sequence = s)
ON CONFLICT DO NOTHING
"""
