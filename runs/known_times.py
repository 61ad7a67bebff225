"""How long will tasks take, as far as their parameters and earlier runs tell?"""

from collections.abc import Mapping
from typing import Any

from django.db.models import BooleanField, Case, QuerySet, Value, When

from runs.analysis.service import ServiceTimes
from runs.models import LoadTestRun
from runs.models.configuration import content_hash

_BINS = "report__analysis__distribution__execution_time_ms"
_MEAN = "figures__analysis__task_metrics__avg_execution_time_ms"
BY_PARAMETERS = "the task's own parameters"


def times_by_content(content: Mapping[str, Any]) -> ServiceTimes | None:
    """Of the tasks of a workload: what they are told to take, or took when last they ran.

    Of this very workload, else of the same tasks in any other; None where none has ever ended.
    """
    told = _told(content)
    if told is not None:
        return told
    alike = LoadTestRun.objects.filter(
        configuration__task_type=content["task_type"],
        configuration__parameters=content["parameters"],
    )
    this = Case(
        When(configuration__content_hash=content_hash(dict(content)), then=Value(value=True)),
        default=Value(value=False),
        output_field=BooleanField(),
    )
    return _last(alike.order_by(this.desc(), "-pk"))


def times_of_queue(queue: str) -> ServiceTimes | None:
    """Of the tasks that ran last on a queue, whatever they were."""
    return _last(LoadTestRun.objects.filter(target_queue=queue).order_by("-pk"))


def _told(content: Mapping[str, Any]) -> ServiceTimes | None:
    """`noop` and `sleep` take what they are told to."""
    if content["task_type"] == "noop":
        return ServiceTimes.fixed(0.0, source=BY_PARAMETERS)
    if content["task_type"] != "sleep":
        return None
    asked = content["parameters"]
    mean_s = float(asked["duration_ms"]) / 1000
    if asked["distribution"] == "exponential":
        return ServiceTimes.exponential(mean_s, source=BY_PARAMETERS)
    if asked["distribution"] == "lognormal":
        sigma = float(asked["sigma"])
        return ServiceTimes.lognormal(mean_s, sigma=sigma, source=BY_PARAMETERS)
    return ServiceTimes.fixed(mean_s, source=BY_PARAMETERS)


def _last(runs: QuerySet[LoadTestRun]) -> ServiceTimes | None:
    """The times of the first of these runs that has any, by the bins of its report."""
    measured = runs.filter(completed_count__gt=0, **{f"{_MEAN}__isnull": False})
    found = measured.values_list("test_id", _MEAN, _BINS).first()
    if found is None:
        return None
    test_id, mean_ms, bins = found
    if not bins:
        return ServiceTimes.fixed(mean_ms / 1000, source=f"the mean of {test_id}")
    return ServiceTimes.of_bins(
        [edge / 1000 for edge in bins["edges"]],
        counts=bins["counts"],
        mean_s=mean_ms / 1000,
        source=f"the tasks of {test_id}",
    )
