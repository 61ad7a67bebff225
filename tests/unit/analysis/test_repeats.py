"""Noise between runs, gates it can carry, repeats that settle a change."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from runs.analysis.judged_figures import FAILURE_RATE, P95_EXECUTION, RunFigures
from runs.analysis.repeats import (
    cv_interval,
    false_alarm_rate,
    judge_gate,
    noise_of,
    noise_of_figure,
    power_of,
    repeats_needed,
    smallest_effect,
)

CVS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.10)


@pytest.mark.parametrize(
    ("effect", "runs"),
    [
        (0.05, [3, 4, 7, 17, 42, 64]),
        (0.10, [2, 3, 3, 6, 12, 17]),
        (0.20, [2, 2, 2, 3, 4, 6]),
    ],
)
def test_published_repeats_for_a_power_of_80_percent(effect: float, runs: list[int]) -> None:
    assert [repeats_needed(effect, cv=cv) for cv in CVS] == runs


def test_published_false_alarms_of_a_gate_on_the_last_run() -> None:
    assert [round(false_alarm_rate(0.10, cv=cv), 2) for cv in (0.03, 0.05, 0.08)] == [
        0.02,
        0.16,
        0.38,
    ]
    assert false_alarm_rate(0.02, cv=0.0) == 0


@pytest.mark.parametrize(("n", "in_cvs"), [(3, 3.1), (5, 2.0), (10, 1.3), (20, 0.9)])
def test_published_detectable_change(n: int, in_cvs: float) -> None:
    assert power_of(in_cvs * 0.01, cv=0.01, now=n, before=n) == pytest.approx(0.8, abs=0.025)
    assert smallest_effect(0.01, n=n) == pytest.approx(in_cvs * 0.01, rel=0.03)


def test_four_cvs_over_root_n_is_the_80_percent_effect() -> None:
    assert smallest_effect(0.03, n=900) == pytest.approx(0.004)
    assert smallest_effect(0.0, n=9) == 0
    assert smallest_effect(0.03, n=1) == math.inf
    assert power_of(smallest_effect(0.03, n=50), cv=0.03, now=50, before=50) == pytest.approx(
        0.8, abs=0.01
    )


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.001, 2), st.floats(0.001, 0.5))
@settings(deadline=None)  # the first call imports scipy
def test_power_is_scipys_noncentral_t_and_never_leaves_its_bounds(
    now: int, before: int, effect: float, cv: float
) -> None:
    power = power_of(effect, cv=cv, now=now, before=before)
    assert 0 <= power <= 1
    freedom = now + before - 2
    centre = effect / (cv * math.sqrt(1 / now + 1 / before))
    if freedom > 0 and centre < 4:
        limit = stats.t.ppf(0.975, freedom)
        expected = stats.nct.sf(limit, freedom, centre) + stats.nct.cdf(-limit, freedom, centre)
        assert power == pytest.approx(expected, abs=1e-9)


def test_no_freedom_no_power_and_no_noise_no_doubt() -> None:
    assert power_of(0.5, cv=0.03, now=1, before=1) == 0
    assert power_of(0.5, cv=0.0, now=2, before=2) == 1
    assert power_of(0.5, cv=0.0001, now=3, before=3) == 1
    in_a_row = power_of(0.05, cv=0.03, now=5, before=20, in_a_row=True)
    assert in_a_row < power_of(0.05, cv=0.03, now=5, before=20)


def test_a_short_history_may_never_be_enough() -> None:
    assert repeats_needed(0.02, cv=0.05, before=3) is None
    assert repeats_needed(0.0, cv=0.05) is None
    assert repeats_needed(0.05, cv=0.001, before=3) == 1
    assert repeats_needed(0.10, cv=0.05, before=20) == 4


def test_a_stricter_alpha_asks_for_more_runs() -> None:
    few, many = repeats_needed(0.05, cv=0.05), repeats_needed(0.05, cv=0.05, alpha=0.0125)
    assert few is not None
    assert many is not None
    assert many > few


def test_noise_of_four_runs() -> None:
    noise = noise_of([100, 101, 99, 102], figure="overall_throughput")
    assert noise.cv == pytest.approx(stats.variation([100, 101, 99, 102], ddof=1))
    assert noise.smallest_effect == pytest.approx(2.38 * (noise.cv or 0), rel=0.01)
    assert noise.cv_interval is not None
    assert noise.cv_interval[0] < (noise.cv or 0) < noise.cv_interval[1]
    assert noise.because.startswith(
        "overall_throughput varies by 1.3 % from run to run (by 0.7 % to 4.8 %, as far as 4 runs"
        " can tell): 4 runs a side show a change of 3.1 % or more; '5 % worse than the last run'"
    )


def test_the_interval_of_a_cv_is_that_of_the_variance() -> None:
    low, high = cv_interval(0.03, n=5)
    assert low == pytest.approx(0.03 * math.sqrt(4 / stats.chi2.ppf(0.975, 4)))
    assert high == pytest.approx(0.03 * math.sqrt(4 / stats.chi2.ppf(0.025, 4)))


@pytest.mark.parametrize("values", [[], [None, None], [5.0], [5.0, None], [5.0, float("nan")]])
def test_fewer_than_two_runs_do_not_vary(values: list[float | None]) -> None:
    noise = noise_of(values, figure="p95")
    assert noise.cv is noise.smallest_effect is noise.false_alarms is None
    assert "two are the fewest" in noise.because


def test_equal_values_vary_by_no_more_than_their_clock_shows() -> None:
    runs = [RunFigures(run_id="lt", values={"p95_execution_time_ms": 156.0})] * 3
    noise = noise_of_figure(P95_EXECUTION, runs=runs)
    assert noise.cv == pytest.approx(1 / 156 / math.sqrt(12))
    assert "varies by no more than its clock can show, 0.2 %" in noise.because
    failing = [RunFigures(run_id="lt", completed=90, failed=10)] * 3
    assert noise_of_figure(FAILURE_RATE, runs=failing).cv == 0
    assert noise_of_figure(P95_EXECUTION, runs=failing).cv is None


def test_a_figure_of_zero_has_no_relative_spread() -> None:
    assert "no spread" in noise_of([0.0, 0.0, 0.0], figure="p50").because


def test_a_gate_below_the_noise_is_refused_with_the_repeats_that_would_carry_it() -> None:
    refused = judge_gate(0.05, cv=0.03, n=3)
    assert not refused.accepted
    assert refused.repeats == 7
    assert refused.because == (
        "where runs vary by 3 % (their CV) 3 runs a side show 9.2 % or more: a gate at 5 % needs"
        " 7 runs a side"
    )
    assert judge_gate(0.05, cv=0.03, n=7).accepted
    assert not judge_gate(0.05, cv=0.03, n=6).accepted
    assert judge_gate(0.02, cv=0.03, n=37).accepted
    assert "no runs a side show nothing" in judge_gate(0.05, cv=0.03, n=0).because
    assert "one run a side show nothing" in judge_gate(0.05, cv=0.03, n=1).because
    hopeless = judge_gate(0.001, cv=0.1, n=1000)
    assert (hopeless.accepted, hopeless.repeats) == (False, None)
    assert "needs more than 1000 runs a side" in hopeless.because


@pytest.mark.parametrize("effect", [0.0, -0.1, math.inf, math.nan])
def test_a_gate_is_a_share_above_zero(effect: float) -> None:
    with pytest.raises(ValueError, match="share above zero"):
        judge_gate(effect, cv=0.03, n=3)
