"""Baselines and change points in past runs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.analysis.change_points import LEAST_SEGMENT, shifts
from runs.analysis.effects import Spread
from runs.analysis.history import (
    Baseline,
    BaselineKind,
    PastRun,
    change_points,
    history_baseline,
)
from runs.analysis.judged_figures import P50_EXECUTION, THROUGHPUT, RunFigures
from runs.analysis.verdicts import Verdict

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def past(throughputs: Sequence[float | None], *, failed: Sequence[int] = ()) -> list[PastRun]:
    return [
        PastRun(
            figures=RunFigures(
                run_id=f"lt_{i}",
                regime="saturated",
                values={"overall_throughput": value, "p50_execution_time_ms": 171.0},
                completed=1000 - (failed[i] if failed else 0),
                failed=failed[i] if failed else 0,
            ),
            at=NOON + timedelta(days=i),
        )
        for i, value in enumerate(throughputs)
    ]


def noise(n: int, *, cv: float = 0.01, seed: int = 1) -> list[float]:
    return [float(x) for x in 60 * np.exp(cv * np.random.default_rng(seed).standard_normal(n))]


# Shifts of a mean


def test_a_step_is_found_where_it_is() -> None:
    series = [0.0, 0.01, -0.01, 0.0, 0.01, 0.2, 0.21, 0.19, 0.2]
    [shift] = shifts(series)
    assert shift.index == 5
    assert shift.detected == 7  # three runs of the new level are the fewest
    assert (shift.before, shift.after) == pytest.approx((0.002, 0.2))


def test_a_passing_change_is_two_shifts() -> None:
    """▁▁▁▁▁▁▁▁▁▁▇▇▇▇▇▇▇▇▇▇▁▁▁▁▁▁▁▁▁▁"""
    rng = np.random.default_rng(7)
    series = 0.01 * rng.standard_normal(30)
    series[10:20] += 0.1
    assert [shift.index for shift in shifts(series)] == [10, 20]


def test_stairs_are_as_many_shifts() -> None:
    rng = np.random.default_rng(8)
    series = 0.01 * rng.standard_normal(40) + np.repeat([0.0, 0.1, 0.3, 0.2], 10)
    assert [shift.index for shift in shifts(series)] == [10, 20, 30]


def test_one_bad_run_is_no_new_level() -> None:
    series = noise(20)
    series[12] *= 0.7
    assert shifts([float(np.log(value)) for value in series]) == []


@pytest.mark.parametrize("n", range(2 * LEAST_SEGMENT))
def test_too_few_values_have_no_shift(n: int) -> None:
    assert shifts([float(i >= n // 2) for i in range(n)]) == []


def test_equal_values_and_shifts_too_small_to_speak_of() -> None:
    assert shifts([1.0] * 20) == []
    assert shifts([1.0] * 10 + [1.005] * 10) == []
    [step] = shifts([1.0] * 10 + [1.05] * 10)
    assert step.index == 10


def test_rounding_is_no_shift() -> None:
    """5 ms or 6 ms of a clock of whole milliseconds: 18 % apart, and within one step."""
    series = [float(np.log(value)) for value in [5.0] * 4 + [6.0] * 4]
    assert shifts(series, least_variance=(1 / 5.5) ** 2 / 12) == []


@pytest.mark.parametrize("autocorrelation", [0.0, 0.3])
@pytest.mark.parametrize("n", [6, 12, 30])
def test_unchanging_series_are_left_alone(n: int, autocorrelation: float) -> None:
    rng, replications, alarms = np.random.default_rng(n), 400, 0
    for _ in range(replications):
        series = rng.standard_normal(n)
        for i in range(1, n):
            fresh = np.sqrt(1 - autocorrelation**2)
            series[i] = autocorrelation * series[i - 1] + fresh * series[i]
        alarms += bool(shifts(0.03 * series))
    assert alarms / replications <= 0.05


@given(st.lists(st.floats(-50, 50), max_size=25))
@settings(max_examples=60, deadline=None)
def test_any_series_is_split_into_parts_long_enough(values: list[float]) -> None:
    found = shifts(values)
    edges = [0, *(shift.index for shift in found), len(values)]
    if found:
        assert all(b - a >= LEAST_SEGMENT for a, b in pairwise(edges))
    assert all(shift.index < shift.detected < len(values) for shift in found)


# Baselines


def test_the_baseline_is_the_geometric_mean_of_the_last_twenty() -> None:
    baseline = history_baseline(past([30.0] + [59.0, 61.0] * 12))
    assert baseline is not None
    assert (baseline.kind, baseline.spread) == (BaselineKind.HISTORY, Spread.SHARED)
    assert len(baseline.runs) == 20
    assert baseline.run_ids[0] == "lt_5"
    assert baseline.value(THROUGHPUT) == pytest.approx((59 * 61) ** 0.5)
    assert baseline.since is None


def test_it_begins_after_the_last_change() -> None:
    history = past([*noise(8), *(value * 0.8 for value in noise(5, seed=2))])
    baseline = history_baseline(history)
    assert baseline is not None
    assert baseline.run_ids == ("lt_8", "lt_9", "lt_10", "lt_11", "lt_12")
    point = baseline.since
    assert point is not None
    assert (point.run_id, point.changed_at) == ("lt_8", NOON + timedelta(days=8))
    assert (point.detected_run_id, point.detected_at) == ("lt_10", NOON + timedelta(days=10))
    assert point.verdict is Verdict.REGRESSED
    assert point.after / point.before == pytest.approx(0.8, rel=0.02)
    assert point.because.startswith("throughput went from 60")
    assert point.because.endswith("with lt_8, noticed with lt_10")


@pytest.mark.parametrize("n", [0, 1])
def test_one_run_is_no_history(n: int) -> None:
    assert history_baseline(past(noise(n))) is None


def test_two_runs_are_one() -> None:
    assert history_baseline(past(noise(2))) is not None


def test_runs_without_the_figure_are_passed_over() -> None:
    values: list[float | None] = [*noise(8), None, None]
    values += [value * 1.2 for value in noise(4, seed=2)]
    [point] = change_points(past(values))
    assert (point.figure, point.index, point.run_id) == (THROUGHPUT, 10, "lt_10")
    assert point.verdict is Verdict.IMPROVED
    baseline = history_baseline(past(values))
    assert baseline is not None
    assert baseline.run_ids == ("lt_10", "lt_11", "lt_12", "lt_13")


def test_failures_have_change_points_too() -> None:
    [point] = change_points(past(noise(14), failed=[0, 1] * 4 + [60, 55, 62, 58, 61, 57]))
    assert point.figure.name == "failure_rate_percent"
    assert (point.index, point.verdict) == (8, Verdict.REGRESSED)
    assert (point.before, point.after) == pytest.approx((0.05, 5.883), abs=0.001)
    assert "0.05 % to 5.88 %" in point.because


def test_a_history_without_any_figure_changes_nowhere() -> None:
    history = [PastRun(figures=RunFigures(run_id=f"lt_{i}"), at=NOON) for i in range(8)]
    assert change_points(history) == []
    assert change_points([]) == []
    baseline = history_baseline(history)
    assert baseline is not None
    assert baseline.value(THROUGHPUT) is None


def test_values_of_zero_are_no_part_of_a_geometric_mean() -> None:
    runs = tuple(
        RunFigures(run_id="lt_1", values={"p50_execution_time_ms": value})
        for value in (0.0, 4.0, 9.0)
    )
    baseline = Baseline(kind=BaselineKind.PINNED, runs=runs)
    assert baseline.value(P50_EXECUTION) == pytest.approx(6.0)
    assert baseline.spread is Spread.OWN
