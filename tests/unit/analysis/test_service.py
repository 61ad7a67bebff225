"""Slot-holding times and how long polls make tasks keep a slot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.analysis.figures import Distribution
from runs.analysis.service import ServiceTimes


def test_a_sample_is_counted_in_whole_milliseconds() -> None:
    service = ServiceTimes.of(np.array([0.2, 0.2001, 0.4, -0.1]))
    assert service.values_s.tolist() == pytest.approx([0.0, 0.2, 0.4])
    assert service.shares.tolist() == [0.25, 0.5, 0.25]
    assert service.mean_s == pytest.approx(0.2)


def test_many_distinct_values_are_stood_for_by_quantiles() -> None:
    values = np.random.default_rng(0).exponential(5.0, 50_000)
    service = ServiceTimes.of(values)
    assert service.values_s.size == 1024
    assert service.mean_s == pytest.approx(values.mean(), rel=0.01)


def test_assumed_distributions_have_the_mean_asked_for() -> None:
    assert ServiceTimes.fixed(0.2).mean_s == 0.2
    assert ServiceTimes.exponential(0.2).mean_s == pytest.approx(0.2)
    assert ServiceTimes.fixed(0.2).later(0.004).mean_s == pytest.approx(0.204)


@pytest.mark.parametrize(
    ("task_s", "period_s", "held_s"),
    [(0.2, 0.5, 0.5), (0.49, 0.5, 0.5), (0.5, 0.5, 0.5), (0.51, 0.5, 1.0), (0.0, 0.5, 0.5)],
)
def test_a_slot_is_held_for_a_whole_number_of_polls(
    task_s: float, period_s: float, held_s: float
) -> None:
    assert ServiceTimes.fixed(task_s).mean_until_poll_s(period_s) == pytest.approx(held_s)


def test_exponential_tasks_hold_a_slot_for_d_over_one_minus_e() -> None:
    """E[d·⌈D/d⌉] of an exponential D is d / (1 − e^(−d/E[D]))."""
    exact = 0.1 / (1 - np.exp(-0.1 / 0.2))
    assert ServiceTimes.exponential(0.2).mean_until_poll_s(0.1) == pytest.approx(exact, rel=2e-3)


@given(st.floats(0.001, 2), st.floats(0.01, 1), st.floats(0.001, 1))
def test_a_walk_smears_the_steps_exactly(task_s: float, period_s: float, walk_s: float) -> None:
    service = ServiceTimes.fixed(task_s)
    places = (np.arange(20_000) + 0.5) / 20_000 * walk_s
    brute = period_s * np.ceil((task_s + places) / period_s).mean()
    assert service.mean_until_poll_s(period_s, walk_s=walk_s) == pytest.approx(brute, rel=0.05)


def test_the_share_that_ends_together() -> None:
    assert ServiceTimes.fixed(0.2).largest_share_within(0.001) == 1.0
    spread = ServiceTimes.exponential(0.2).largest_share_within(0.05)
    assert spread == pytest.approx(1 - np.exp(-0.25), rel=0.01)
    pair = ServiceTimes.of(np.array([0.1, 0.5, 0.5, 0.52]))
    assert pair.largest_share_within(0.05) == 0.75


def test_lognormal_times_have_their_mean_and_median() -> None:
    times = ServiceTimes.lognormal(0.2, sigma=0.5)
    assert times.mean_s == pytest.approx(0.2)
    assert np.median(times.values_s) == pytest.approx(0.2 * np.exp(-0.125), rel=0.01)


def test_a_stored_distribution_stands_for_its_sample() -> None:
    rng = np.random.default_rng(1)
    sample = np.append(rng.normal(0.2, 0.02, 2000), [3.0, 4.0])
    stored = Distribution.of(sample)
    assert stored is not None
    times = ServiceTimes.of_bins(
        stored.edges_s, counts=stored.counts, mean_s=float(sample.mean()), source="lt_1"
    )
    assert times.mean_s == pytest.approx(sample.mean(), rel=0.02)
    exact = ServiceTimes.of(sample).mean_until_poll_s(0.05)
    assert times.mean_until_poll_s(0.05) == pytest.approx(exact, rel=0.02)


def test_a_stored_distribution_may_be_one_bin() -> None:
    times = ServiceTimes.of_bins([0.2, 0.201], counts=[7], mean_s=0.2, source="lt_1")
    assert times.values_s.tolist() == [0.2]
    empty_last = ServiceTimes.of_bins([0, 1, 2], counts=[3, 0], mean_s=0.4, source="lt_1")
    assert empty_last.values_s.tolist() == [0.5]
