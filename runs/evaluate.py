"""Use case: samples → analysis → the report document, stored with the run's last status."""

from django.utils import timezone

from runs.models import LoadTestRun
from runs.states import RunStatus


def evaluate(run: LoadTestRun, *, status: RunStatus) -> None:
    run.move_to(status, report={}, finished_at=run.finished_at or timezone.now())
