"""How well does this one run know its own figures?

Tasks of one run are not independent: neighbours waited in the same queue. So intervals come from
the means of ten consecutive batches, Student's t with nine degrees of freedom (Law & Kelton, batch
means): at 83 % utilisation they cover 94 %, where treating tasks as independent covers 59 %. They
speak of this run only; runs differ from each other by more.
"""

import numpy as np
from numpy.typing import NDArray

from runs.analysis.counting import Counting
from runs.analysis.percentiles import nearest_rank
from runs.analysis.steady import SteadyState

BATCHES = 10
T_975 = 2.262157162798205  # Student's t, 97.5 %, 9 degrees of freedom
MOST_UTILISATION = 0.9  # above it batches of waits are not independent either
FEWEST_PER_BATCH = 10
Floats = NDArray[np.float64]
Interval = tuple[float, float]


def time_intervals(values_s: Floats, *, name: str) -> dict[str, Interval]:
    """Intervals of the mean and the percentiles of one duration, its values in order of time.

    `name` as in the report, `execution_time`; keys such as `p95_execution_time_ms`, values in ms.
    A percentile needs every batch to carry it: p95 200 tasks, p99 1000.
    """
    if values_s.size < BATCHES * FEWEST_PER_BATCH:
        return {}
    batches = np.array_split(values_s * 1000, BATCHES)
    columns: dict[str, list[float | None]] = {"avg": [float(each.mean()) for each in batches]}
    for label, p in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        columns[label] = [nearest_rank(each, p) for each in batches]
    return {
        f"{label}_{name}_ms": interval_of_means([each for each in column if each is not None])
        for label, column in columns.items()
        if None not in column
    }


def rate_interval(finished: Counting, *, steady: SteadyState) -> Interval | None:
    """Interval of the steady throughput from ten equal spans; None if they are below a period.

    N is averaged over one period around each edge, or an edge within one of arq's waves would give
    one span a wave too many and its neighbour one too few.
    """
    half = steady.period_s / 2
    edges = np.linspace(steady.start_s + half, steady.end_s - half, BATCHES + 1)
    wide = float(edges[1] - edges[0])
    if wide <= 0 or wide < steady.period_s:
        return None
    if half > 0:
        counts = (finished.area(edges + half) - finished.area(edges - half)) / steady.period_s
    else:
        counts = finished.at(edges).astype(np.float64)
    return interval_of_means(np.diff(counts) / wide)


def interval_of_means(means: NDArray[np.floating] | list[float]) -> Interval:
    """x̄ ± t·s/√10 of ten batch means."""
    values = np.asarray(means, dtype=np.float64)
    half = T_975 * float(values.std(ddof=1)) / np.sqrt(values.size)
    centre = float(values.mean())
    return centre - float(half), centre + float(half)
