"""Old runs are forgotten whole; pinned baselines and runs under way are kept."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from factories import a_run, tasks_of

from runs import prune as pruning
from runs.models import LoadTestRun, TaskMetric
from runs.models.ingest import ingest
from runs.states import RunStatus

pytestmark = pytest.mark.django_db


def an_old_run(*, days: float = 40, tasks: int = 3, **changes: object) -> LoadTestRun:
    run = a_run(status=changes.pop("status", RunStatus.COMPLETED), **changes)
    ingest(run.pk, tasks_of(run, range(1, tasks + 1)))
    LoadTestRun.objects.filter(pk=run.pk).update(
        created_at=timezone.now() - timedelta(days=days), sent_count=tasks
    )
    return run


def test_old_runs_leave_with_their_tasks_and_young_ones_stay() -> None:
    an_old_run()
    young = an_old_run(days=10)
    pruned = pruning.prune(older_than_days=30)
    assert (pruned.runs, pruned.tasks, pruned.pinned) == (1, 3, 0)
    assert list(LoadTestRun.objects.all()) == [young]
    assert set(TaskMetric.objects.values_list("run", flat=True)) == {young.pk}


def test_a_pinned_baseline_is_kept_however_old_it_is() -> None:
    pinned = an_old_run()
    pinned.configuration.pin(pinned)
    an_old_run()
    assert pruning.prune(older_than_days=30).pinned == 1
    assert list(LoadTestRun.objects.all()) == [pinned]


@pytest.mark.parametrize("status", [RunStatus.PENDING, RunStatus.DISPATCHING, RunStatus.RUNNING])
def test_a_run_that_has_not_ended_is_kept(status: RunStatus) -> None:
    an_old_run(status=status)
    assert pruning.prune(older_than_days=0).runs == 0


def test_many_runs_are_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "TASKS_PER_BATCH", 5)
    for _ in range(4):
        an_old_run()
    assert pruning.prune(older_than_days=30).runs == 4
    assert not TaskMetric.objects.exists()


def test_the_command_says_what_it_deleted() -> None:
    an_old_run()
    out = StringIO()
    call_command("prune_runs", "--older-than", "30", stdout=out)
    assert out.getvalue() == "1 run and 3 tasks deleted.\n"


@pytest.mark.parametrize("days", ["-1", "40000", "soon"])
def test_days_that_make_no_sense_are_refused(days: str) -> None:
    with pytest.raises(CommandError, match="--older-than") as told:
        call_command("prune_runs", f"--older-than={days}")
    assert told.value.returncode == 2
