"""Due times: exact, the same every time, and grouped so that nothing goes out early."""

import tracemalloc
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runs.arrivals import ArrivalModel, Arrivals, Due

plans = st.one_of(
    st.builds(
        lambda tasks, batch_size, delay_s: Arrivals.batches(
            tasks, batch_size=batch_size, delay_s=delay_s
        ),
        st.integers(1, 3000),
        st.integers(1, 700),
        st.sampled_from([0.0, 0.001, 0.05, 2.5]),
    ),
    st.builds(
        lambda rate, duration_s: Arrivals.constant(rate, duration_s=duration_s),
        st.floats(0.1, 1000),
        st.floats(0.01, 3),
    ),
    st.builds(
        lambda rate, duration_s, seed: Arrivals.poisson(rate, duration_s=duration_s, seed=seed),
        st.floats(0.1, 1000),
        st.floats(0.01, 3),
        st.integers(0, 2**32),
    ),
)


def test_batches_are_due_together_and_delay_apart() -> None:
    plan = Arrivals.batches(7, batch_size=3, delay_s=0.05)
    assert plan.offsets_s(1, count=7).tolist() == [0, 0, 0, 0.05, 0.05, 0.05, 0.1]
    assert list(plan.due()) == [
        Due(first=1, count=3, offset_s=0.0),
        Due(first=4, count=3, offset_s=0.05),
        Due(first=7, count=1, offset_s=0.1),
    ]


def test_a_resumed_batch_is_not_due_again() -> None:
    plan = Arrivals.batches(7, batch_size=3, delay_s=0.05)
    assert next(plan.due(5)) == Due(first=5, count=2, offset_s=0.05)
    assert list(plan.due(8)) == []


def test_batches_without_delay_are_one_burst_cut_at_the_limit() -> None:
    plan = Arrivals.batches(1200, batch_size=20)
    assert [due.count for due in plan.due()] == [500, 500, 200]
    assert not plan.is_open


def test_a_burst_of_a_million_tasks_costs_no_memory() -> None:
    plan = Arrivals.batches(1_000_000, batch_size=20, delay_s=0.01)
    tracemalloc.start()
    assert sum(due.count for due in plan.due()) == 1_000_000
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_a_constant_rate_is_evenly_spaced_and_ends_before_the_duration() -> None:
    plan = Arrivals.constant(4, duration_s=2)
    assert plan.offsets_s(1, count=8).tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75]
    assert (plan.tasks, plan.last_offset_s, plan.is_open) == (8, 1.75, True)


@pytest.mark.parametrize(
    ("rate", "duration_s", "tasks"), [(1000, 20, 20_000), (0.1, 3, 1), (3, 1.1, 4), (10, 0.3, 3)]
)
def test_tasks_offered_survive_rounding(rate: float, duration_s: float, tasks: int) -> None:
    assert Arrivals.constant(rate, duration_s=duration_s).tasks == tasks
    assert Arrivals.poisson(rate, duration_s=duration_s).tasks == tasks


def test_a_rate_is_sent_in_groups_of_one_window() -> None:
    groups = list(Arrivals.constant(1000, duration_s=1).due(window_s=0.02))
    assert {group.count for group in groups[:-1]} == {21}
    assert groups[0].offset_s == pytest.approx(0.020)


def test_poisson_gaps_are_exponential() -> None:
    plan = Arrivals.poisson(1000, duration_s=20, seed=7)
    gaps = np.diff(plan.offsets_s(1, count=plan.tasks), prepend=0.0)
    assert stats.kstest(gaps, "expon", args=(0, 1 / 1000)).pvalue > 0.01
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 0.03  # and independent


def test_poisson_arrivals_are_the_same_in_every_process_and_release() -> None:
    """Stored plans are computed again after upgrades: these numbers may never change."""
    offsets = Arrivals.poisson(2, duration_s=2, seed=42).offsets_s(1, count=4)
    assert offsets.tolist() == pytest.approx(GOLDEN_POISSON, rel=1e-12)


GOLDEN_POISSON = [
    0.5595433294084985,
    0.776966619117485,
    1.513032828674312,
    1.9627811409639988,
]


def test_another_seed_is_another_plan() -> None:
    one, other = (Arrivals.poisson(10, duration_s=5, seed=seed) for seed in (1, 2))
    assert one.tasks == other.tasks
    assert one.offset_s(25) != other.offset_s(25)


@given(plan=plans, first=st.integers(1, 3000), limit=st.integers(1, 600))
def test_groups_cover_every_task_once_in_order_and_none_early(
    plan: Arrivals, first: int, limit: int
) -> None:
    window_s = 0.02
    expected, sent_at = first, 0.0
    for due in plan.due(first, window_s=window_s, limit=limit):
        offsets = plan.offsets_s(due.first, count=due.count)
        assert due.first == expected
        assert 1 <= due.count <= limit
        assert due.offset_s == offsets[-1] >= sent_at
        assert offsets[-1] - offsets[0] <= window_s + 1e-9
        if plan.model is ArrivalModel.BATCHES:
            assert offsets[0] == offsets[-1]
        expected, sent_at = due.first + due.count, due.offset_s
    assert expected == max(first, plan.tasks + 1)


@given(plan=plans)
def test_offsets_start_the_run_never_go_back_and_agree_one_by_one(plan: Arrivals) -> None:
    offsets = plan.offsets_s(1, count=plan.tasks)
    assert offsets[0] >= 0
    assert (np.diff(offsets) >= 0).all()
    assert plan.duration_s is None or offsets[-1] < plan.duration_s + 1e-9
    for sequence in islice(range(1, plan.tasks + 1), 0, None, 97):
        assert plan.offset_s(sequence) == offsets[sequence - 1]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Arrivals.batches(0, batch_size=1),
        lambda: Arrivals.batches(1, batch_size=0),
        lambda: Arrivals.batches(1, batch_size=1, delay_s=-1),
        lambda: Arrivals.batches(1, batch_size=1, delay_s=float("nan")),
        lambda: Arrivals.constant(0, duration_s=1),
        lambda: Arrivals.constant(float("inf"), duration_s=1),
        lambda: Arrivals.poisson(1, duration_s=0),
        lambda: Arrivals.poisson(float("nan"), duration_s=1),
        lambda: Arrivals.constant(2, duration_s=2).offset_s(0),
        lambda: Arrivals.constant(2, duration_s=2).offset_s(5),
        lambda: Arrivals.constant(2, duration_s=2).offsets_s(4, count=2),
    ],
)
def test_impossible_plans_are_refused(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"must be|of 1"):
        wrong()
