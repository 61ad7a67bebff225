"""The report's timeline: what was seen once a second fills every bin that it can speak for."""

import numpy as np
from made_runs import samples, summary_of

from runs.analysis.sections import timeline_section, type_metrics_section


def timeline(*, seen_at_s: list[float], cpu: list[float | None]) -> list[float | None]:
    """`worker_cpu_percent` of a run that lasts ten seconds and a bit."""
    ten_seconds = summary_of(samples(np.arange(0.0, 10.0, 0.1), enqueued_s=0.0))
    section = timeline_section(ten_seconds, seen_at_s=seen_at_s, seen={"worker_cpu_percent": cpu})
    assert section is not None
    assert section["interval_s"] == 1.0
    assert len(section["worker_cpu_percent"]) == len(section["finished"])
    return list(section["worker_cpu_percent"])


def test_a_sample_that_came_a_little_late_speaks_for_the_bin_beside_it() -> None:
    late = [0.4, 1.5, 2.6, 3.7, 4.8, 5.9, 7.02, 8.1, 9.2, 10.05]  # none in [6, 7)
    assert timeline(seen_at_s=late, cpu=[float(n) for n in range(10)]) == [
        *(0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9),
    ]


def test_a_sample_from_before_the_first_send_speaks_for_the_first_bin() -> None:
    seen = timeline(seen_at_s=[-0.2, 1.4, *np.arange(2.1, 10.5)], cpu=[7.0, *[1.0] * 10])
    assert seen[:2] == [7.0, 1.0]


def test_a_bin_far_from_every_sample_stays_unknown() -> None:
    seen = timeline(seen_at_s=[0.5, 1.5, 6.5], cpu=[10.0, 20.0, 30.0])
    assert seen == [10, 20, 20, None, None, 30, 30, 30, None, None, None]


def test_several_samples_of_a_bin_are_averaged_and_unknown_ones_left_out() -> None:
    seen = timeline(seen_at_s=[0.1, 0.6, 0.9, 5.5], cpu=[10.0, 20.0, None, None])
    assert seen[:3] == [15.0, 20.0, None]


def test_nothing_seen_is_nothing_known() -> None:
    assert set(timeline(seen_at_s=[], cpu=[])) == {None}


def test_the_mean_of_absurd_numbers_lies_between_them() -> None:
    found = type_metrics_section({"absurd": np.array([1.6e308, 1.8e307, -1e-310, 1.6e308])})
    assert found["absurd"]["mean"] == 8.45e307
    assert (found["absurd"]["min"], found["absurd"]["max"]) == (-1e-310, 1.6e308)


def test_what_is_no_number_is_no_metric() -> None:
    found = type_metrics_section({"nothing": np.array([np.nan]), "some": np.array([1.0, np.inf])})
    assert found == {"some": {"mean": 1, "p50": None, "p95": None, "min": 1, "max": 1, "n": 1}}
