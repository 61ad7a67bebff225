"""Which runs there are, who may take one, what a run waits for."""

from typing import TYPE_CHECKING

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Now

from runs.errors import UnknownRun
from runs.models.daemon import DaemonRole
from runs.states import ACTIVE, TERMINAL, RunStatus

if TYPE_CHECKING:
    from runs.models.run import LoadTestRun


class LoadTestRunQuerySet(models.QuerySet["LoadTestRun"]):
    """Runs, in the words of the domain."""

    def named(self, test_id: str) -> "LoadTestRun":
        """The run of that id, with its configuration; UnknownRun where there is none."""
        try:
            return self.select_related("configuration").get(test_id=test_id)
        except self.model.DoesNotExist:
            raise UnknownRun(test_id) from None

    def active(self) -> "LoadTestRunQuerySet":
        """Those that have a queue to themselves now."""
        return self.filter(status__in=ACTIVE)

    def finished(self) -> "LoadTestRunQuerySet":
        """Those that will not change any more."""
        return self.filter(status__in=TERMINAL)

    def latest_of_each_configuration(self) -> "LoadTestRunQuerySet":
        """The last finished run of every workload, the latest first.

        why by the workloads: each costs one look at an index, where each run would cost one.
        """
        last = (
            self.filter(configuration=models.OuterRef("pk"))
            .exclude(figures={})
            .order_by("-pk")
            .values("pk")[:1]
        )
        workloads = self.model.configuration.field.related_model.objects  # type: ignore[attr-defined]
        each = workloads.order_by().annotate(last=models.Subquery(last)).values("last")
        return self.filter(pk__in=each).order_by("-pk")

    def ahead_of(self, run: "LoadTestRun") -> "LoadTestRun | None":
        """The run that `run` waits for: the one at work on its queue, else the first that waits."""
        same_queue = self.filter(target=run.target, target_queue=run.target_queue)
        return (
            same_queue.active().exclude(pk=run.pk).first()
            or same_queue.filter(status=RunStatus.PENDING, pk__lt=run.pk).order_by("pk").first()
        )

    def is_abandoned(self, run: "LoadTestRun") -> bool:
        """Whether no process holds this run in any role."""
        held = Q(dispatcher_until__gte=Now()) | Q(collector_until__gte=Now())
        return not self.filter(held, pk=run.pk).exists()

    def claim_to_dispatch(
        self, *, owner: str, only: int | None = None, without: frozenset[int] = frozenset()
    ) -> "LoadTestRun | None":
        """Take the oldest run that may be sent now and is nobody's; None where there is none.

        `only` asks for one run; `without` names those that the owner has in hand already.

        One run at a time on a queue is the database's own rule (`one_run_at_a_time_on_a_queue`):
        of two that take two runs of one queue at the same moment, one is refused and gets None.
        """
        try:
            with transaction.atomic():
                run = self._sendable(owner=owner, only=only).exclude(pk__in=without).first()
                if run is None:
                    return None
                run.take(DaemonRole.DISPATCHER, owner=owner)
                if run.status == RunStatus.PENDING:
                    run.move_to(RunStatus.DISPATCHING)
                return run
        except IntegrityError:
            return None

    def claim_to_collect(
        self, *, owner: str, only: int | None = None, without: frozenset[int] = frozenset()
    ) -> "LoadTestRun | None":
        """Take a run under way whose results nobody reads; None where there is none."""
        with transaction.atomic():
            run = (
                self._free(DaemonRole.COLLECTOR, owner=owner, only=only)
                .filter(status__in=ACTIVE)
                .exclude(pk__in=without)
                .first()
            )
            if run is not None:
                run.take(DaemonRole.COLLECTOR, owner=owner)
            return run

    def _sendable(self, *, owner: str, only: int | None) -> "LoadTestRunQuerySet":
        same_queue = self.model.objects.filter(
            target=models.OuterRef("target"), target_queue=models.OuterRef("target_queue")
        )
        waits = models.Exists(same_queue.filter(status__in=ACTIVE)) | models.Exists(
            same_queue.filter(status=RunStatus.PENDING, pk__lt=models.OuterRef("pk"))
        )
        return self._free(DaemonRole.DISPATCHER, owner=owner, only=only).filter(
            Q(status=RunStatus.DISPATCHING, cancel_requested_at=None)
            | (Q(status=RunStatus.PENDING) & ~Q(waits))
        )

    def _free(self, role: DaemonRole, *, owner: str, only: int | None) -> "LoadTestRunQuerySet":
        unheld = (
            Q(**{role.value: owner})
            | Q(**{f"{role.value}_until": None})
            | Q(**{f"{role.value}_until__lt": Now()})
        )
        free = self.filter(unheld).select_related("configuration").order_by("pk")
        if only is not None:
            free = free.filter(pk=only)
        return free.select_for_update(skip_locked=True, of=("self",))
