"""Differences of groups with the error their runs give them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from runs.analysis.effects import (
    AUTOCORRELATION,
    MOST_AUTOCORRELATION,
    Contrast,
    Group,
    Spread,
    angle_of_share,
    autocorrelation,
    contrast,
    difference_of_shares,
    inflation,
    ratio_interval,
    share_of_angle,
    t_below,
    t_quantile,
)

samples = st.lists(st.floats(-3, 3), min_size=3, max_size=9).filter(lambda v: np.std(v) > 1e-3)


def found(now: list[float], before: list[float], spread: Spread, **more: float) -> Contrast:
    result = contrast(Group.of(now, **more), before=Group.of(before, **more), spread=spread)
    assert result is not None
    return result


def test_published_limit_for_one_run_against_25() -> None:
    """t limit at 0.977 below a mean of 100 with standard deviation 10: 78.5390965."""
    history = Group(n=25, mean=100.0, variance=100.0)
    one = contrast(Group.of([100.0]), before=history, spread=Spread.SHARED)
    assert one is not None
    reach = t_quantile(0.977, freedom=one.freedom) * one.standard_error
    assert 100 - reach == pytest.approx(78.5390965, abs=1e-7)


def test_published_interval_of_a_ratio() -> None:
    low, high = ratio_interval(0.95, cvs=(5 / 95, 5 / 100), ns=(5, 5), freedom=8)
    assert low == pytest.approx(0.8814745, abs=1e-7)
    assert high == pytest.approx(1.0238526, abs=1e-7)


def test_fiellers_interval_agrees_while_the_cv_is_small() -> None:
    """Fieller: the ratios θ with (x̄ − θȳ)² ≤ t²(s²/n + θ²s²/m), solved as a quadratic."""
    t, square = t_quantile(0.975, freedom=8), 25 / 5
    a, b, c = 100**2 - t**2 * square, -2 * 95 * 100, 95**2 - t**2 * square
    root = math.sqrt(b * b - 4 * a * c)
    fieller = ((-b - root) / (2 * a), (-b + root) / (2 * a))
    assert fieller == pytest.approx((0.8812703, 1.0237949), abs=1e-7)
    logs = ratio_interval(0.95, cvs=(5 / 95, 5 / 100), ns=(5, 5), freedom=8)
    assert logs == pytest.approx(fieller, rel=3e-4)


@given(samples, samples)
@settings(deadline=None)  # the first call imports scipy
def test_own_spreads_are_welchs_test(now: list[float], before: list[float]) -> None:
    ours, expected = found(now, before, Spread.OWN), stats.ttest_ind(now, before, equal_var=False)
    assert ours.p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert ours.interval() == pytest.approx((interval.low, interval.high))


@given(samples, samples)
@settings(deadline=None)  # the first call imports scipy
def test_a_shared_spread_is_students_test_or_more_cautious(
    now: list[float], before: list[float]
) -> None:
    ours, student = found(now, before, Spread.SHARED), stats.ttest_ind(now, before)
    assert ours.freedom == len(now) + len(before) - 2
    assert ours.p_value >= student.pvalue - 1e-12


@given(samples)
@settings(deadline=None)  # the first call imports scipy
def test_one_run_against_a_history_is_the_prediction_interval(before: list[float]) -> None:
    ours = found([1.0], before, Spread.SHARED)
    n = len(before)
    assert ours.standard_error == pytest.approx(np.std(before, ddof=1) * math.sqrt(1 + 1 / n))
    assert ours.freedom == n - 1


def test_two_runs_are_too_few_for_a_spread_of_their_own() -> None:
    now, before = [1.0, 1.1], [2.0, 2.2, 2.1]
    assert found(now, before, Spread.OWN) == found(now, before, Spread.SHARED)


def test_a_noisy_group_does_not_borrow_the_calm_of_a_long_history() -> None:
    now, before = [0.5, 1.5, 2.5], [1.0, 1.01] * 10
    ours = found(now, before, Spread.SHARED)
    assert ours.errors[0] == pytest.approx(math.sqrt(inflation(3) / 3))
    assert ours.errors[1] < 0.1


def test_how_much_successive_values_are_alike() -> None:
    """r = Σ dₜ·dₜ₊₁ / Σ dₜ² = 18.25 / 42, and φ = r + (1 + 3r)/8."""
    moods = [-3.5, -2.5, 0.5, -1.5, -0.5, 3.5, 2.5, 1.5]
    assert autocorrelation(moods) == pytest.approx(18.25 / 42 + (1 + 54.75 / 42) / 8)
    assert autocorrelation(sorted(moods)) == MOST_AUTOCORRELATION
    for nothing in (moods[:7], [0.0] * 20, [1.0, -1.0] * 10):
        assert autocorrelation(nothing) == AUTOCORRELATION


def test_a_history_of_moods_makes_a_group_less_sure_and_a_single_run_not() -> None:
    history = Group.of([1.0, 1.1, 1.2, 1.1, 0.9, 0.8, 0.7, 0.9, 1.0, 1.2])
    plain = replace(history, autocorrelation=AUTOCORRELATION)
    assert history.autocorrelation > AUTOCORRELATION
    for now, wider in (([1.0, 1.1, 0.9], True), ([1.0], False)):
        told, untold = (
            contrast(Group.of(now), before=before, spread=Spread.SHARED)
            for before in (history, plain)
        )
        assert told is not None
        assert untold is not None
        assert (told.standard_error > untold.standard_error) is wider


@pytest.mark.parametrize("n", [1, 2, 5, 60])
def test_a_mean_of_successive_values_varies_by_its_inflation(n: int) -> None:
    """The sum of the correlation matrix φ^|i−j| over n is what independent values would have."""
    places = np.arange(n)
    correlations = AUTOCORRELATION ** np.abs(places[:, None] - places[None, :])
    assert inflation(n) == pytest.approx(correlations.sum() / n)


def test_one_against_one_knows_no_spread_until_others_tell_it() -> None:
    now, before = Group.of([1.0]), Group.of([2.0])
    assert contrast(now, before=before, spread=Spread.OWN) is None
    also = Group.of([1.0, 1.2, 1.1])
    told = contrast(now, before=before, spread=Spread.OWN, also=[also])
    assert told is not None
    assert told.freedom == 2
    assert told.standard_error == pytest.approx(0.1 * math.sqrt(2))


@pytest.mark.parametrize("spread", list(Spread))
def test_values_that_do_not_vary_have_no_known_spread_but_that_of_measuring(
    spread: Spread,
) -> None:
    same = Group.of([1.0, 1.0, 1.0])
    assert contrast(same, before=same, spread=spread) is None
    ours = found([1.0] * 3, [1.0] * 3, spread, least_variance=0.03)
    stretch = math.sqrt(inflation(3)) if spread is Spread.SHARED else 1.0
    assert ours.errors == pytest.approx((0.1 * stretch, 0.1))
    assert ours.freedom == pytest.approx(4)


def test_students_t_is_scipys() -> None:
    for freedom in (1, 2.5, 19):
        assert t_below(-2.0, freedom=freedom) == pytest.approx(stats.t.cdf(-2.0, freedom))
        assert t_quantile(0.975, freedom=freedom) == pytest.approx(stats.t.ppf(0.975, freedom))


@given(st.integers(0, 1000), st.integers(1, 1000))
@settings(deadline=None)  # the first call imports scipy
def test_angles_keep_the_order_of_shares_and_come_back(part: int, whole: int) -> None:
    part = min(part, whole)
    angle = angle_of_share(part, whole=whole)
    assert share_of_angle(angle) == pytest.approx((part + 0.375) / (whole + 0.75))
    assert part == 0 or angle > angle_of_share(part - 1, whole=whole)


def test_angles_beyond_the_ends_are_none_and_all() -> None:
    assert share_of_angle(-0.1) == 0
    assert share_of_angle(2.0) == 1


def test_an_angle_spreads_by_a_quarter_of_n_whatever_the_share() -> None:
    rng = np.random.default_rng(11)
    for share in (0.05, 0.3, 0.9):
        angles = [angle_of_share(int(x), whole=400) for x in rng.binomial(400, share, 4000)]
        assert np.var(angles) == pytest.approx(1 / (4 * 400 + 2), rel=0.1)


def test_published_difference_of_shares() -> None:
    """MOVER with Wilson's intervals is Newcombe's method 10: 56/70 and 48/80 (Newcombe 1998)."""

    def wilson(x: int, n: int) -> tuple[float, float]:
        interval = stats.binomtest(x, n).proportion_ci(0.95, method="wilson")
        return interval.low, interval.high

    low, high = difference_of_shares((56 / 70, 48 / 80), intervals=(wilson(56, 70), wilson(48, 80)))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
