"""Averages, percentiles and bins of a duration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.analysis.figures import Distribution, TimeFigures


def test_percentiles_are_nearest_rank_and_none_where_the_sample_is_too_small() -> None:
    figures = TimeFigures.of(np.arange(1, 100) / 1000)
    assert figures.n == 99
    assert figures.p50_s == 0.050
    assert figures.p95_s == 0.095
    assert figures.p99_s is None  # 99 tasks: less than one is expected beyond it
    assert (figures.min_s, figures.max_s) == (0.001, 0.099)
    assert figures.avg_s == pytest.approx(0.05)


def test_one_task_has_an_average_and_no_percentile() -> None:
    figures = TimeFigures.of(np.array([0.2]))
    assert figures.avg_s == 0.2
    assert figures.p50_s is figures.p95_s is None


def test_no_task_has_no_figure() -> None:
    assert TimeFigures.of(np.empty(0)) == TimeFigures(n=0)
    assert Distribution.of(np.empty(0)) is None


def test_bins_have_round_widths_and_a_straggler_stands_in_the_last() -> None:
    values = np.append(np.linspace(0.1, 0.3, 999), 60.0)
    bins = Distribution.of(values)
    assert bins is not None
    assert sum(bins.counts) == 1000
    assert len(bins.counts) <= 42
    assert bins.edges_s[1] - bins.edges_s[0] == pytest.approx(0.005)
    assert bins.edges_s[-1] == 60.0
    assert bins.counts[-1] >= 1


def test_equal_values_are_one_bin() -> None:
    bins = Distribution.of(np.full(50, 0.2))
    assert bins is not None
    assert bins.counts == (50,)
    assert bins.edges_s[0] <= 0.2 <= bins.edges_s[-1]


@given(st.lists(st.floats(-10, 1e6, allow_nan=False), min_size=1, max_size=200))
def test_every_value_is_in_a_bin(values: list[float]) -> None:
    bins = Distribution.of(np.array(values))
    assert bins is not None
    assert sum(bins.counts) == len(values)
    assert len(bins.edges_s) == len(bins.counts) + 1
