"""Use cases: run once more what was run or saved; save a workload under a name."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction

from runs.errors import LoadLabError
from runs.models import LoadTestConfiguration, LoadTestRun
from runs.spec import Spec, validate, workload_of
from runs.start import start_runs

MOST_AT_ONCE = 100


class TooManyAtOnce(LoadLabError):
    """More was chosen than is carried out in one go."""

    exit_code = 2


def spec_of_configuration(configuration: LoadTestConfiguration) -> Spec:
    """What somebody would ask for to get this workload."""
    burst = configuration.rate_per_s is None
    return Spec(
        task_type=configuration.task_type,
        parameters=configuration.parameters,
        num_tasks=configuration.num_tasks if burst else None,
        batch_size=configuration.batch_size if burst else None,
        delay_ms=configuration.delay_ms if burst else None,
        rate_per_s=configuration.rate_per_s,
        duration_s=configuration.duration_s,
        arrival=configuration.arrival,
        seed=configuration.seed,
        target_queue=configuration.target_queue,
    )


def spec_of_run(run: LoadTestRun) -> Spec:
    """What somebody would ask for to get this run again."""
    # why auto for a file: its document was of another machine's disk
    chosen = "auto" if run.baseline_document is not None else run.baseline_choice
    return replace(
        spec_of_configuration(run.configuration),
        label=run.label,
        timeout_s=run.timeout_s,
        baseline=chosen,
        thresholds=tuple(run.thresholds),
    )


def run_again(test_ids: Sequence[str], *, requested_by: Any = None) -> list[LoadTestRun]:
    """Start each of these runs once more, in the order of the ids; all of them or none."""
    refuse_more_than(MOST_AT_ONCE, given=len(test_ids))
    specs = [spec_of_run(LoadTestRun.objects.named(test_id)) for test_id in sorted(test_ids)]
    return _start_all(specs, requested_by=requested_by)


def run_configurations(ids: Sequence[int], *, requested_by: Any = None) -> list[LoadTestRun]:
    """Start one run of each of these workloads; all of them or none."""
    refuse_more_than(MOST_AT_ONCE, given=len(ids))
    found = LoadTestConfiguration.objects.filter(pk__in=ids).order_by("pk")
    specs = [spec_of_configuration(configuration) for configuration in found]
    return _start_all(specs, requested_by=requested_by)


def save_configuration(*, spec: Spec, name: str = "") -> LoadTestConfiguration:
    """Keep a workload without running it; a name that is given replaces an older one."""
    content = workload_of(validate(spec))
    configuration: LoadTestConfiguration = LoadTestConfiguration.objects.holding(**content)
    if name and configuration.name != name:
        configuration.name = name
        configuration.save(update_fields=["name"])
    return configuration


def refuse_more_than(most: int, *, given: int) -> None:
    """TooManyAtOnce where more was chosen than is carried out in one go."""
    if given > most:
        raise TooManyAtOnce(f"{given} were chosen and at most {most} are done in one go.")


def _start_all(specs: Sequence[Spec], *, requested_by: Any) -> list[LoadTestRun]:
    with transaction.atomic():
        return [run for spec in specs for run in start_runs(spec=spec, requested_by=requested_by)]
