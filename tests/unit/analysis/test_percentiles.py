"""Percentiles that happened, and intervals only where the sample can carry them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from runs.analysis.percentiles import (
    interval_ranks,
    nearest_rank,
    nearest_ranks,
    percentile_interval,
    rank_of,
)


@pytest.mark.parametrize(("p", "fewest"), [(0.5, 2), (0.9, 10), (0.95, 20), (0.99, 100)])
def test_a_percentile_needs_one_sample_expected_beyond_it(p: float, fewest: int) -> None:
    assert nearest_rank(range(fewest - 1), p) is None
    assert nearest_rank(range(fewest), p) is not None


def test_nothing_has_no_percentile() -> None:
    assert nearest_rank([], 0.5) is None
    assert percentile_interval([], 0.5) is None


def test_nearest_rank_of_a_hundred() -> None:
    shuffled = np.random.default_rng(3).permutation(np.arange(1, 101))
    assert nearest_ranks(shuffled, (0.5, 0.95, 0.99)) == [50, 95, 99]
    assert nearest_ranks([7.0], (0.5, 0.95)) == [None, None]


@given(st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=200))
@settings(deadline=None)  # the first call imports scipy
def test_agrees_with_numpy_inverted_cdf(values: list[float]) -> None:
    for p in (0.5, 0.95):
        assert nearest_rank(values, p) == np.quantile(values, p, method="inverted_cdf")


@given(st.integers(1, 3_000_000), st.sampled_from([0.5, 0.95, 0.99]))
@settings(deadline=None)  # the first call imports scipy
def test_published_percentiles_have_the_rank_that_double_arithmetic_gives_sql(
    n: int, p: float
) -> None:
    """PostgreSQL's percentile_disc takes row ceil(p × n), in doubles."""
    assert rank_of(n, p=p) == math.ceil(p * n)


def test_ranks_are_exact_where_doubles_are_not() -> None:
    assert math.ceil(0.55 * 100) == 56
    assert rank_of(100, p=0.55) == 55


@pytest.mark.parametrize(
    ("n", "p", "ranks"),
    [
        (1000, 0.95, (936, 964)),
        (1000, 0.99, (983, 997)),
        (20, 0.5, (6, 15)),
    ],
)
def test_published_interval_ranks(n: int, p: float, ranks: tuple[int, int]) -> None:
    assert interval_ranks(n, p=p) == ranks
    values = np.arange(1, n + 1)[::-1]
    assert percentile_interval(values, p) == ranks


@pytest.mark.parametrize(
    ("p", "fewest"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688)]
)
def test_fewest_samples_that_carry_95_percent(p: float, fewest: int) -> None:
    assert interval_ranks(fewest - 1, p=p) is None
    assert interval_ranks(fewest, p=p) is not None


@given(st.integers(1, 50_000), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@settings(deadline=None)  # the first call imports scipy
def test_tails_are_at_most_two_and_a_half_percent_and_the_ranks_innermost(n: int, p: float) -> None:
    ranks = interval_ranks(n, p=p)
    binomial = stats.binom(n, p)
    if ranks is None:
        assert max(binomial.cdf(0), binomial.sf(n - 1)) > 0.025
        return
    low, high = ranks
    assert binomial.cdf(low - 1) <= 0.025 + 1e-12 < binomial.cdf(low) + 2e-12
    assert binomial.sf(high - 1) <= 0.025 + 1e-12 < binomial.sf(high - 2) + 2e-12
