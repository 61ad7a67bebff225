"""The four durations, the skew between clocks, and what no clock could have shown."""

import numpy as np
import pytest
from made_runs import samples

from runs.analysis.samples import Samples, Skew, TaskInstants


def one_task(*, burst: bool, skews: dict[str, Skew] | None = None, **instants: float) -> Samples:
    raw = {"intended_s": 1.0, "enqueued_s": 1.1, "started_s": 1.4, "finished_s": 1.9} | instants
    return Samples.of(
        TaskInstants(sequence=[1], **{name: [at] for name, at in raw.items()}),
        burst=burst,
        skews=skews,
    )


def test_each_duration_is_the_difference_of_its_two_instants() -> None:
    task = one_task(burst=False)
    assert task.queue_wait_s[0] == pytest.approx(0.3)
    assert task.execution_time_s[0] == pytest.approx(0.5)
    assert task.dispatch_lag_s[0] == pytest.approx(0.1)
    assert task.sojourn_time_s[0] == pytest.approx(0.9)  # from intended: our lateness is felt


def test_in_a_burst_sojourn_counts_from_enqueued() -> None:
    assert one_task(burst=True).sojourn_time_s[0] == pytest.approx(0.8)


def test_skew_is_taken_out_of_waits_and_never_out_of_execution() -> None:
    task = one_task(
        burst=False, skews={"": Skew(offset_s=2.0, error_s=0.004)}, started_s=3.4, finished_s=3.9
    )
    assert task.queue_wait_s[0] == pytest.approx(0.3)
    assert task.sojourn_time_s[0] == pytest.approx(0.9)
    assert task.execution_time_s[0] == pytest.approx(0.5)
    assert task.largest_skew_s == 2.0
    assert task.skew_uncertainty_s == 0.004


def test_each_worker_has_its_own_skew() -> None:
    made = Samples.of(
        TaskInstants(
            sequence=[1, 2],
            intended_s=[0, 0],
            enqueued_s=[0, 0],
            started_s=[1.0, 1.0],
            finished_s=[2.0, 2.0],
            worker=[0, 1],
            worker_names=("a", "b"),
        ),
        burst=True,
        skews={"b": Skew(offset_s=-0.5)},
    )
    assert made.queue_wait_s == pytest.approx([1.0, 1.5])
    assert made.finish_s == pytest.approx([2.0, 2.5])


def test_negative_waits_are_kept_and_counted() -> None:
    made = samples([-0.3, -0.0005, 0.2])
    assert made.queue_wait_s.min() == -0.3
    assert made.negative_waits == 1  # half a millisecond is the stamps' own


def test_what_no_clock_could_show_is_left_out_and_counted() -> None:
    made = samples(
        [1.0, float("nan"), 1.0, 1.0],
        execution_s=[0.2, 0.2, -0.1, float("inf")],
        failed=[True, True, False, False],
        tries=[2, 1, 1, 1],
    )
    assert made.n == 1
    assert made.discarded == 3
    assert made.failed.tolist() == [True]
    assert made.tries.tolist() == [2]


def test_reported_pool_waits_are_hostile() -> None:
    made = samples([1.0] * 4, pool_wait_s=[0.1, float("nan"), -5.0, float("inf")])
    assert made.pool_wait_s is not None
    assert made.pool_wait_s.tolist() == [0.1, 0.0, 0.0, 0.0]
    assert samples([1.0]).pool_wait_s is None


def test_no_tasks_are_no_trouble() -> None:
    made = samples(np.empty(0))
    assert made.n == made.negative_waits == 0
    assert made.largest_skew_s == 0.0
