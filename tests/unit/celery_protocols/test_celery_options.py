"""The variables: off unless said otherwise, wrong values named with what is allowed."""

import pytest

from workers.celery import options
from workers.celery.options import options_from_environment
from workers.errors import InvalidSetting


def test_everything_is_off_by_default() -> None:
    chosen = options_from_environment()
    assert not chosen.any
    assert (chosen.sample, chosen.results_ttl_s) == (1.0, 86_400)
    assert chosen.fanout_prefix == "/{db}."


@pytest.mark.parametrize(
    ("text", "on"), [("1", True), ("true", True), ("0", False), ("off", False)]
)
def test_a_switch_is_on_or_off(monkeypatch: pytest.MonkeyPatch, text: str, on: bool) -> None:
    monkeypatch.setenv(options.EVENTS, text)
    assert options_from_environment().events is on


def test_what_is_said_in_code_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(options.CONTROL, "1")
    assert options_from_environment(control=False, results=True).control is False
    assert options_from_environment(control=False, results=True).results is True


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (options.EVENTS, "maybe"),
        (options.SAMPLE, "0"),
        (options.SAMPLE, "1.5"),
        (options.SAMPLE, "nan"),
        (options.SAMPLE, "some"),
        (options.RESULTS_TTL, "0"),
        (options.RESULTS_TTL, "1h"),
        (options.RESULTS_TTL, "99999999"),
        (options.REDACT, "card("),
    ],
)
def test_wrong_values_are_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSetting) as refused:
        options_from_environment()
    assert variable in str(refused.value)
    assert repr(value) in str(refused.value)
    assert "allowed" in str(refused.value)


def test_a_redaction_of_ones_own_uncovers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(options.REDACT, "card")
    redaction = options_from_environment().redaction
    assert "4111" not in redaction.shown({"card": "4111"})
    assert "hunter2" not in redaction.shown({"password": "hunter2"})
