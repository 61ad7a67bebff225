"""Counts and means per bin of a run's time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import samples, summary_of, waves

from runs.analysis.timeline import interval_for


@given(st.floats(0, 1e7), st.floats(0.001, 90))
def test_the_interval_is_whole_polls_at_least_a_second_and_gives_at_most_500_bins(
    duration: float, delay: float
) -> None:
    interval = interval_for(duration, poll_delay_s=delay)
    assert interval >= 1 - 1e-6
    assert interval / delay == pytest.approx(round(interval / delay), rel=1e-5)
    assert duration // interval + 1 <= 500


@pytest.mark.parametrize(
    ("duration", "delay", "interval"),
    [(16.8, 0.5, 1.0), (16.8, 0.3, 1.2), (1000, 0.5, 2.5), (3, None, 1.0), (0, 0.0, 1.0)],
)
def test_known_intervals(duration: float, delay: float | None, interval: float) -> None:
    assert interval_for(duration, poll_delay_s=delay) == pytest.approx(interval)


def test_every_task_is_in_one_bin_of_each_kind() -> None:
    made = samples(waves(20), failed=np.arange(200) % 50 == 0)
    line = summary_of(made).timeline
    assert line is not None
    assert sum(line.sent) == sum(line.finished) == 200
    assert sum(line.failed) == 4
    assert line.sent[0] == 200
    assert line.finished[3] == 20
    assert line.in_flight[3] == pytest.approx(20 * 0.2, rel=0.01)
    assert line.backlog[0] > line.backlog[5] > line.backlog[-1]


def test_what_the_clocks_put_before_the_first_send_is_in_the_first_bin() -> None:
    line = summary_of(samples([-0.9, -0.8, 3.0], execution_s=0.1)).timeline
    assert line is not None
    assert line.finished[0] == 2
    assert sum(line.finished) == 3
