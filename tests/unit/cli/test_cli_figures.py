"""Numbers are written for people: with units, without false precision."""

import math

import pytest

from runs.cli import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (998, "998"),
        (9999, "9999"),
        (10_000, "10 000"),
        (1_000_000, "1 000 000"),
        (1e300, "1e+300"),
    ],
)
def test_counts_group_their_digits_from_ten_thousand_on(value: float, text: str) -> None:
    assert figures.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (59.43, "59.4"),
        (60.0, "60"),
        (0.0123456, "0.0123"),
        (148.4, "148"),
        (12_345.6, "12 346"),
        (0, "0"),
        (-2.5, "-2.5"),
        (3e-9, "3.0e-09"),
        (999.9, "1000"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert figures.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25 s"),
        (16.83, "16.8 s"),
        (125, "2 min 5 s"),
        (120, "2 min"),
        (3720, "1 h 2 min"),
        (90_000, "25 h"),
        (-130, "-2 min 10 s"),
    ],
)
def test_seconds_turn_into_minutes_and_hours(value: float, text: str) -> None:
    assert figures.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(171.0, "171 ms"), (0.4, "0.4 ms"), (13_200, "13.2 s")]
)
def test_long_milliseconds_are_seconds(value: float, text: str) -> None:
    assert figures.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "about 10 s"), (34, "about 40 s"), (118, "about 2 min"), (3700, "about 1 h 2 min")],
)
def test_estimates_are_round(value: float, text: str) -> None:
    assert figures.roughly(value) == text


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "x", True, [1], 10**400])
def test_what_is_no_number_is_not_available(value: object) -> None:
    writers = (figures.count, figures.number, figures.rate, figures.percent, figures.milliseconds)
    assert {write(value) for write in (*writers, figures.seconds, figures.size)} == {"n/a"}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("p95_execution_time_ms", 251.2, "251 ms"),
        ("overall_throughput", 59.43, "59.4/s"),
        ("failure_rate_percent", 0.2, "0.2 %"),
        ("total_duration_seconds", 16.8, "16.8 s"),
        ("poll_delay_s", 0.5, "0.5 s"),
        ("memory_bytes", 8_200_000_000, "7.64 GiB"),
        ("small_bytes", 10, "10 B"),
        ("throughput_rating", "good", "good"),
        ("tasks_sent", 1000, "1000"),
        ("p95_execution_time_ms", None, "n/a"),
        ("uniform", True, "yes"),
        ("versions", {"arq": "0.28"}, "arq 0.28"),
        ("runs", [], "none"),
        ("runs", ["a", 2.5], "a, 2.5"),
    ],
)
def test_the_name_of_a_figure_tells_its_unit(name: str, value: object, text: str) -> None:
    assert figures.with_unit(name, value) == text
