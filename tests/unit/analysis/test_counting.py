"""Counts, areas and rates of events, free of arq's comb."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import waves

from runs.analysis.counting import Counting, peak_difference


def test_counts_include_or_leave_out_the_moment_itself() -> None:
    events = Counting.of(np.array([3.0, 1.0, 2.0]))
    assert events.n == 3
    assert events.at([0.5, 2.0, 9.0]).tolist() == [0, 2, 3]
    assert events.before([1.0, 2.0]).tolist() == [0, 1]


def test_the_area_is_the_time_since_each_event() -> None:
    events = Counting.of(np.array([1.0, 2.0]))
    assert events.area([2.0, 4.0]).tolist() == [1.0, 5.0]
    assert events.mean_between(0.0, 4.0) == 1.25


@given(
    st.integers(3, 40),
    st.floats(0, 1),
    st.integers(1, 30),
)
def test_the_rate_of_equal_waves_is_exact_wherever_the_span_begins(
    count: int, begin: float, size: int
) -> None:
    events = Counting.of(waves(count + 10, slots=size, start_s=0.0, period_s=0.5))
    rate = events.rate_between(begin, begin + count * 0.5 * 0.97 + 1, period_s=0.5)
    assert rate == pytest.approx(size / 0.5, rel=1e-6)


def test_without_a_period_the_window_is_half_the_span() -> None:
    events = Counting.of(np.arange(0, 100, 0.01))
    assert events.rate_between(10, 90, period_s=0.0) == pytest.approx(100, rel=1e-4)
    assert events.rate_between(10, 11, period_s=5.0) == pytest.approx(100, rel=1e-2)


def test_the_most_inside_at_once() -> None:
    starts, ends = np.array([0.0, 1.0, 2.0, 10.0]), np.array([5.0, 6.0, 7.0, 11.0])
    assert peak_difference(Counting.of(starts), Counting.of(ends)) == 3
    assert peak_difference(Counting.of(np.empty(0)), Counting.of(np.empty(0))) == 0
