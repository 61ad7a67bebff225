"""What somebody types becomes a number in our units, or one sentence."""

from argparse import ArgumentTypeError

import pytest

from runs.cli.quantities import delay_ms, duration_s, parameter, rate_per_s, share, whole


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("30s", 30),
        ("50ms", 0.05),
        ("2m", 120),
        ("2min", 120),
        ("1h", 3600),
        (".5", 0.5),
    ],
)
def test_a_bare_duration_is_in_seconds(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("50", 50), ("50ms", 50), ("0.5s", 500), ("2m", 120_000), ("-5ms", -5)],
)
def test_a_bare_delay_is_in_milliseconds(text: str, milliseconds: float) -> None:
    assert delay_ms(text) == milliseconds


@pytest.mark.parametrize(
    ("text", "per_second"),
    [("40/s", 40), ("40", 40), ("2400/m", 40), ("2400/min", 40), ("3600/h", 1), ("0.5/s", 0.5)],
)
def test_a_rate_is_per_second(text: str, per_second: float) -> None:
    assert rate_per_s(text) == pytest.approx(per_second)


@pytest.mark.parametrize(
    "text", ["", "x", "5x", "nan", "inf", "1e999", "1_000", "٣", "5 5", "--", "5/s", "s", "0x10"]
)
def test_what_is_no_duration_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(
        ArgumentTypeError, match=r"not a length of time such as 50ms, 30s, 2m"
    ) as told:
        duration_s(text)
    assert repr(text) in str(told.value)


@pytest.mark.parametrize("text", ["", "40s", "40/ms", "40/x", "/s", "nan/s", "fast"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="not a rate such as 40/s"):
        rate_per_s(text)


@pytest.mark.parametrize("text", ["1.5", "1e3", "abc", "", "1_0", "9" * 30, "nan"])
def test_only_digits_are_a_whole_number(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="not a whole number"):
        whole(text)


def test_whole_numbers_may_be_negative_so_that_their_range_is_named_by_the_use_case() -> None:
    assert (whole("100"), whole("-1"), whole("+2")) == (100, -1, 2)


def test_a_parameter_keeps_its_value_as_text() -> None:
    assert parameter("duration_ms=200") == ("duration_ms", "200")
    assert parameter("text=a=b") == ("text", "a=b")
    assert parameter("empty=") == ("empty", "")


@pytest.mark.parametrize("text", ["", "duration_ms", "=5"])
def test_a_parameter_needs_a_name_and_a_sign(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="name=value"):
        parameter(text)


@pytest.mark.parametrize(("text", "value"), [("5%", 0.05), ("0.05", 0.05), (" 12.5 % ", 0.125)])
def test_a_share_is_a_part_of_the_whole(text: str, value: float) -> None:
    assert share(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "0", "1", "100%", "nan", "five", "-5%"])
def test_what_is_no_part_of_the_whole_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="not a share such as 5%"):
        share(text)
