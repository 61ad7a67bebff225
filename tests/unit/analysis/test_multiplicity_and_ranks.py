"""Corrections for looking at several figures, and the cross-check by ranks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runs.analysis.multiplicity import benjamini_hochberg, holm
from runs.analysis.ranks import rank_test

P_VALUES = [0.01, 0.04, 0.03, 0.005]


def test_published_corrections() -> None:
    assert holm(P_VALUES) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(P_VALUES) == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_nothing_and_one_need_no_correction() -> None:
    assert holm([]) == benjamini_hochberg([]) == []
    assert holm([0.2]) == benjamini_hochberg([0.2]) == [0.2]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_agrees_with_scipy_and_never_lowers_a_p_value(p_values: list[float]) -> None:
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values))
    adjusted = holm(p_values)
    assert all(p <= after <= 1 for p, after in zip(p_values, adjusted, strict=True))
    assert min(adjusted) == pytest.approx(min(1.0, min(p_values) * len(p_values)))


def test_published_rank_test() -> None:
    found = rank_test([10, 12, 13, 15, 18], [11, 14, 16, 17, 21])
    assert found is not None
    assert (found.u, found.shift) == (17, 2)
    assert found.p_value == pytest.approx(0.4206349, abs=1e-7)


@pytest.mark.parametrize(("n", "p"), [(3, 0.1), (4, 0.029), (5, 0.008)])
def test_smallest_p_that_few_runs_can_reach(n: int, p: float) -> None:
    found = rank_test(list(range(n)), list(range(n, 2 * n)))
    assert found is not None
    assert found.p_value == pytest.approx(p, abs=5e-4)


def test_ties_leave_no_exact_p_and_nothing_leaves_no_test() -> None:
    found = rank_test([1, 2, 3], [3, 4, 5])
    assert found is not None
    assert (found.u, found.p_value) == (8.5, None)
    assert rank_test([], [1.0]) is None
    assert rank_test([1.0], []) is None


@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=16, unique=True),
    st.integers(1, 15),
)
def test_agrees_with_scipys_exact_test(values: list[int], cut: int) -> None:
    first, second = values[: min(cut, len(values) - 1)], values[min(cut, len(values) - 1) :]
    expected = stats.mannwhitneyu(second, first, method="exact")
    found = rank_test(first, second)
    assert found is not None
    assert found.u == expected.statistic
    assert found.p_value == pytest.approx(expected.pvalue)
