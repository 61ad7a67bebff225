"""Clocking from the intended arrival is what corrects a stall; nothing is added afterwards."""

import numpy as np
import pytest

from runs.analysis.percentiles import nearest_rank
from runs.analysis.samples import Samples, TaskInstants


def test_published_stall() -> None:
    """99 tasks of 1 ms, then one of 1000 ms, one due every 10 ms (HdrHistogram's correction).

    A closed client sends nothing during the stall: 100 samples, p50 1, p99 1, mean 10.99 ms. An
    open plan has 99 tasks more due meanwhile, which all end with it: 199 samples, p50 10, p99 990,
    mean 254.2663 ms, the very samples that the correction would invent.
    """
    intended_ms = 10.0 * np.arange(199)
    stall_ends_ms = intended_ms[99] + 1000
    finished_ms = np.where(np.arange(199) < 99, intended_ms + 1, stall_ends_ms)
    sojourn_ms = 1000 * _sojourn_s(intended_ms / 1000, finished_ms / 1000)
    assert sojourn_ms.size == 199
    assert nearest_rank(sojourn_ms, 0.5) == pytest.approx(10)
    assert nearest_rank(sojourn_ms, 0.99) == pytest.approx(990)
    assert sojourn_ms.mean() == pytest.approx(254.2663, abs=1e-4)
    closed_ms = sojourn_ms[:100]
    assert nearest_rank(closed_ms, 0.5) == pytest.approx(1)
    assert nearest_rank(closed_ms, 0.99) == pytest.approx(1)
    assert closed_ms.mean() == pytest.approx(10.99)


def _sojourn_s(intended_s: np.ndarray, finished_s: np.ndarray) -> np.ndarray:
    tasks = TaskInstants(
        sequence=np.arange(1, intended_s.size + 1),
        intended_s=intended_s,
        enqueued_s=intended_s,
        started_s=np.minimum(intended_s, finished_s),
        finished_s=finished_s,
    )
    return Samples.of(tasks, burst=False).sojourn_time_s
