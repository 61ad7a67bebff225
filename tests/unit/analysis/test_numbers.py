"""As many digits as a number deserves."""

import pytest

from runs.analysis.numbers import (
    count,
    number,
    percent,
    poll_seconds,
    rate,
    seconds,
    setting_value,
    times,
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (rate(59.7), "60"),
        (rate(148.2), "148"),
        (rate(8.47), "8.5"),
        (rate(0.854), "0.85"),
        (rate(0), "0"),
        (rate(12_345), "12 345"),
        (seconds(0.0042), "4.2 ms"),
        (seconds(0.171), "171 ms"),
        (seconds(1.617), "1.62 s"),
        (seconds(16.83), "16.8 s"),
        (seconds(168.4), "168 s"),
        (seconds(1500), "25 min"),
        (seconds(12_600), "3.5 h"),
        (seconds(0), "0 ms"),
        (seconds(-0.25), "-250 ms"),
        (percent(0.002), "0.2 %"),
        (percent(0.0003), "0.03 %"),
        (percent(0.048), "4.8 %"),
        (percent(0.24), "24 %"),
        (percent(0), "0 %"),
        (times(2.47), "2.5×"),
        (times(1.052), "1.05×"),
        (times(12.2), "12×"),
        (number(9999.4), "9999"),
        (number(10_000), "10 000"),
        (number(float("nan")), "unknown"),
        (number(float("inf")), "unknown"),
        (count(1, "task"), "1 task"),
        (count(10_000, "task"), "10 000 tasks"),
        (setting_value(0.05), "0.05"),
        (setting_value(10_000), "10000"),
        (setting_value(2_000_000), "2000000"),
        (poll_seconds(0.5), "0.5 s"),
        (poll_seconds(0.025), "0.025 s"),
    ],
)
def test_numbers_as_people_read_them(said: str, expected: str) -> None:
    assert said == expected
