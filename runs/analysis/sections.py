"""How do the findings of one run stand in the report document? Names and units as published there.

The document speaks milliseconds where tasks are meant and seconds where the run is; a figure that
could not be computed is null.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runs.analysis.bottleneck import Bottleneck, Cliff
from runs.analysis.changes import Change
from runs.analysis.constants import Constant, Constants
from runs.analysis.figures import Distribution, TimeFigures
from runs.analysis.percentiles import nearest_ranks
from runs.analysis.summary import Summary
from runs.analysis.timeline import MOST_POINTS

MOST_SUMMED = 1e290  # a million such numbers have a sum
_TIMES = ("execution_time", "queue_wait", "sojourn_time")


def metrics_section(summary: Summary) -> dict[str, Any]:
    """`metrics` but for the counts, which are the run's own."""
    return {
        "total_duration_seconds": rounded(summary.duration_s),
        "overall_throughput": rounded(summary.overall_throughput_per_s),
        "steady_state_throughput": rounded(summary.steady_throughput_per_s),
        "offered_percent": percent(summary.offered_share),
        "utilisation_percent": percent(summary.utilisation),
    }


def task_metrics_section(summary: Summary) -> dict[str, Any]:
    """`analysis.task_metrics`: averages, percentiles and the intervals that this run carries."""
    times = (summary.execution, summary.queue_wait, summary.sojourn)
    found: dict[str, Any] = {"n": summary.n}
    for name, figures in zip(_TIMES, times, strict=True):
        found |= {f"{label}_{name}_ms": value for label, value in _statistics(figures).items()}
    found["p99_dispatch_lag_ms"] = milliseconds(summary.dispatch_lag.p99_s)
    found["max_dispatch_lag_ms"] = milliseconds(summary.dispatch_lag.max_s)
    found["intervals"] = {
        name: [rounded(bound) for bound in interval] for name, interval in summary.intervals.items()
    }
    found["intervals_are"] = "95 %, this run only" if summary.intervals else None
    return found


def distribution_section(summary: Summary) -> dict[str, Any]:
    """`analysis.distribution`: bins in milliseconds."""
    return {
        f"{name}_ms": _bins(distribution) for name, distribution in summary.distributions.items()
    }


def type_metrics_section(metrics: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """`analysis.type_metrics`: what the tasks reported about themselves, numbers only."""
    found = {}
    for name, values in metrics.items():
        reported = values[np.isfinite(values)]
        if reported.size == 0:
            continue
        p50, p95 = nearest_ranks(reported, (0.5, 0.95))
        found[name] = {
            "mean": rounded(_mean(reported)),
            "p50": rounded(p50),
            "p95": rounded(p95),
            "min": rounded(float(reported.min())),
            "max": rounded(float(reported.max())),
            "n": int(reported.size),
        }
    return found


def timeline_section(
    summary: Summary, *, seen_at_s: Sequence[float], seen: Mapping[str, Sequence[float | None]]
) -> dict[str, Any] | None:
    """`analysis.timeline`: counts from the tasks, and the means of what was seen in each bin.

    `seen_at_s`: when the samples in `seen` were taken, in seconds since the first send.
    """
    line = summary.timeline
    if line is None:
        return None
    edges = line.interval_s * np.arange(len(line.finished) + 1, dtype=np.float64)
    return {
        "interval_s": rounded(line.interval_s),
        "sent": list(line.sent),
        "finished": list(line.finished),
        "failed": list(line.failed),
        "backlog": [rounded(value) for value in line.backlog],
        "in_flight": [rounded(value) for value in line.in_flight],
        **{name: _binned(seen_at_s, values, edges=edges) for name, values in seen.items()},
    }


def poll_cycle_section(summary: Summary) -> dict[str, Any] | None:
    """`analysis.poll_cycle`: slots in use from one poll to the next."""
    cycle = summary.poll_cycle
    if cycle is None:
        return None
    return {
        "period_s": rounded(cycle.period_s),
        "slots_in_use": [rounded(value) for value in cycle.slots_in_use],
        "busy_percent": rounded(cycle.busy_percent),
    }


def milliseconds(seconds: float | None) -> float | None:
    """Seconds as the document's milliseconds, to the microsecond."""
    return None if seconds is None else round(seconds * 1000, 3)


def percent(share: float | None) -> float | None:
    """A share as percent."""
    return None if share is None else round(100 * share, 4)


def rounded(value: float | None) -> float | None:
    """Six significant digits: more than any figure here is worth; null for what is no number."""
    return float(f"{value:.6g}") if value is not None and np.isfinite(value) else None


def _mean(values: NDArray[np.float64]) -> float:
    """The arithmetic mean, also of numbers so absurd that their sum is none."""
    largest = float(np.abs(values).max())
    if largest < MOST_SUMMED:
        return float(values.mean())
    return float((values / largest).mean()) * largest


def _statistics(figures: TimeFigures) -> dict[str, float | None]:
    return {
        "avg": milliseconds(figures.avg_s),
        "p50": milliseconds(figures.p50_s),
        "p95": milliseconds(figures.p95_s),
        "p99": milliseconds(figures.p99_s),
    }


def _bins(distribution: Distribution) -> dict[str, Any]:
    return {
        "edges": [milliseconds(edge) for edge in distribution.edges_s],
        "counts": list(distribution.counts),
    }


def _binned(
    at_s: Sequence[float], values: Sequence[float | None], *, edges: NDArray[np.floating]
) -> list[float | None]:
    """The mean of the samples in each bin; null where none was taken in it or just beside it.

    why beside it: samples are taken once a second and a little late, so some bins miss theirs.
    """
    known = [(at, value) for at, value in zip(at_s, values, strict=True) if value is not None]
    bins: list[float | None] = [None] * min(len(edges) - 1, MOST_POINTS)
    if not known:
        return bins
    times, numbers = np.array(known, dtype=np.float64).T
    places = np.searchsorted(edges, times, side="right") - 1
    for place in range(len(bins)):
        inside = places == place
        if not inside.any():
            away = np.maximum(edges[place] - times, times - edges[place + 1])
            inside = (away == away.min()) & (away <= edges[1] - edges[0])
        if inside.any():
            bins[place] = rounded(float(numbers[inside].mean()))
    return bins


def bottleneck_section(found: Bottleneck) -> dict[str, Any] | None:
    """`analysis.bottleneck`: every ceiling ascending, the binding one, the change that lifts it."""
    if found.binding is None:
        return None
    return {
        "binding": found.binding.name.value,
        "ceilings": [
            {
                "name": each.name.value,
                "throughput_per_s": rounded(each.throughput_per_s),
                "interval": None if each.interval is None else [*map(rounded, each.interval)],
                "formula": each.formula,
                "inputs": {
                    one.name: {
                        "value": rounded(one.value),
                        "unit": one.unit,
                        "source": one.source,
                    }
                    for one in each.inputs
                },
            }
            for each in found.ceilings
        ],
        "change": None if found.change is None else change_section(found.change),
        "cliff": None if found.cliff is None else _cliff(found.cliff),
        "chance": None if found.chance is None else _cliff(found.chance),
        "missing": list(found.missing),
    }


def change_section(change: Change) -> dict[str, Any]:
    """A change of one setting with what it promises and costs."""
    return {
        "setting": change.setting,
        "from": rounded(change.old),
        "to": rounded(change.new),
        "predicted_throughput_per_s": rounded(change.predicted_throughput_per_s),
        "gain_percent": percent(change.gain),
        "limited_by": change.limited_by.value,
        "cost": change.cost,
    }


def constants_section(constants: Constants) -> dict[str, float]:
    """What this machine's parts of the laws cost, seconds per task: for questions without load."""
    named = ((each.name, getattr(constants, each.name)) for each in fields(constants))
    return {name: each.value for name, each in named if isinstance(each, Constant)}


def _cliff(cliff: Cliff) -> dict[str, Any]:
    return {
        "slower_ms": milliseconds(cliff.slower_s),
        "throughput_per_s": rounded(cliff.throughput_per_s),
        "factor": rounded(cliff.factor),
    }
