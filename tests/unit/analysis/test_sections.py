"""The sections of the report: names and units as published, null for what is not known."""

from dataclasses import replace

import numpy as np
import pytest
from made_runs import accounting, constants, fleet, samples, summary_of, waves

from runs.analysis.bottleneck import Bottleneck, bottleneck
from runs.analysis.sections import (
    bottleneck_section,
    constants_section,
    distribution_section,
    metrics_section,
    milliseconds,
    percent,
    poll_cycle_section,
    rounded,
    task_metrics_section,
    timeline_section,
    type_metrics_section,
)
from runs.analysis.service import ServiceTimes
from runs.analysis.summary import Summary


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


def test_the_metrics_of_a_saturated_run_and_of_one_that_keeps_up() -> None:
    saturated = summary_of(samples(waves(20)))
    assert metrics_section(saturated) == {
        "total_duration_seconds": pytest.approx(9.809),
        "overall_throughput": pytest.approx(200 / 9.809, rel=1e-5),
        "steady_state_throughput": pytest.approx(20.0),
        "offered_percent": None,
        "utilisation_percent": pytest.approx(40.0, rel=0.01),
    }
    nothing = metrics_section(Summary(accounting=accounting(0)))
    assert set(nothing.values()) == {None}


def test_every_time_has_its_four_statistics_in_milliseconds() -> None:
    found = task_metrics_section(summary_of(samples(waves(20))))
    assert found["n"] == 200
    assert found["p50_execution_time_ms"] == found["p99_execution_time_ms"] == 200
    assert found["avg_queue_wait_ms"] == pytest.approx(4854.5)
    assert found["avg_sojourn_time_ms"] == pytest.approx(5054.5)
    assert found["p99_dispatch_lag_ms"] == found["max_dispatch_lag_ms"] == 0
    assert found["intervals"]["p50_execution_time_ms"] == [200, 200]
    assert found["intervals_are"] == "95 %, this run only"
    few = task_metrics_section(summary_of(samples([0.1, 0.2])))
    assert (few["intervals"], few["intervals_are"]) == ({}, None)


def test_bins_are_in_milliseconds() -> None:
    found = distribution_section(summary_of(samples([0.1] * 4, execution_s=[0.1, 0.1, 0.2, 0.3])))
    assert found["execution_time_ms"]["edges"][0] == 100
    assert found["execution_time_ms"]["edges"][-1] == pytest.approx(300, abs=10)
    assert sum(found["execution_time_ms"]["counts"]) == 4


def test_a_poll_cycle_where_there_is_one() -> None:
    cycle = poll_cycle_section(summary_of(samples(waves(20))))
    assert cycle is not None
    assert (cycle["period_s"], len(cycle["slots_in_use"])) == (0.5, 100)
    assert cycle["busy_percent"] == pytest.approx(40, rel=0.02)
    assert poll_cycle_section(summary_of(samples([0.1]))) is None


def test_a_run_without_a_timeline_has_no_section_of_it() -> None:
    empty = Summary(accounting=accounting(0))
    assert timeline_section(empty, seen_at_s=[], seen={}) is None


def test_ceilings_ascend_with_their_change_and_their_cliff() -> None:
    known = constants(start_s=1.0, skip_s=0.4, overhead_s=3.0)
    of = fleet(2)
    found = bottleneck(of, service=ServiceTimes.fixed(0.49), constants=known)
    section = bottleneck_section(found)
    assert section is not None
    assert section["binding"] == section["ceilings"][0]["name"]
    rates = [each["throughput_per_s"] for each in section["ceilings"]]
    assert rates == sorted(rates)
    shared = next(e for e in section["ceilings"] if e["name"] == "fleet_queue_read_limit")
    assert shared["interval"][0] < shared["interval"][1]
    assert section["ceilings"][0]["inputs"]["max_jobs"] == {
        "value": 20,
        "unit": "slots",
        "source": "worker settings",
    }
    assert section["change"]["setting"] == found.change.setting  # type: ignore[union-attr]
    assert section["cliff"]["slower_ms"] > 0
    assert section["cliff"]["factor"] < 0.8
    assert section["chance"]["factor"] > 1.2
    assert bottleneck_section(Bottleneck()) is None


def test_constants_are_numbers_for_questions_without_load() -> None:
    known = replace(constants(start_s=1.0, redis_cpu_s=0.2), poll_phases=(0.0, 0.5))
    assert constants_section(known) == {"start_s": 0.001, "redis_cpu_s": 0.0002}


def test_what_is_no_number_is_null() -> None:
    assert rounded(float("nan")) is rounded(float("inf")) is rounded(None) is None
    assert rounded(1234567.8) == 1234570
    assert (milliseconds(None), percent(None)) == (None, None)
    assert (milliseconds(0.1714567), percent(0.123456789)) == (171.457, 12.3457)
