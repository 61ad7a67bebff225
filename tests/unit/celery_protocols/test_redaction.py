"""What may be shown of a value: all but secrets, never more than asked for, never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.celery.redaction import HIDDEN, MAX_SHOWN, Redaction

REDACTION = Redaction()


HARMLESS: tuple[object, ...] = (
    *(None, True, 3, 2.5, "text", "it's", (), (1,), (1, "b"), [], [1, [2]], {}),
    *({"a": 1, "b": (2,)}, {"x": None, 7: "seven"}, b"bytes", set(), {1}, ValueError("boom")),
)
NAMES_OF_SECRETS = (
    *("password", "PASSWD", "db_password", "secret", "client-secret", "token", "access_token"),
    *("api_key", "apikey", "API-Key", "Authorization", "authorisation", "Cookie", "session_id"),
    *("private_key", "credentials"),
)


@pytest.mark.parametrize("value", HARMLESS)
def test_harmless_values_are_shown_as_their_repr(value: object) -> None:
    assert REDACTION.shown(value) == repr(value)


@pytest.mark.parametrize("key", NAMES_OF_SECRETS)
def test_values_of_secret_keys_are_hidden_at_any_depth(key: str) -> None:
    shown = REDACTION.shown({"outer": [{"inner": ({key: "s3cr3t"},)}]})
    assert "s3cr3t" not in shown
    assert f"'{key}': '{HIDDEN}'" in shown


@pytest.mark.parametrize(
    "text",
    [
        "password=s3cr3t",
        "failed: password: s3cr3t, rest",
        'token = "s3cr3t two words"',
        "{'api_key': 's3cr3t'}",
        "Authorization: Bearer s3cr3t",
        "authorization=Basic s3cr3t;",
        "redis://user:s3cr3t@host:6379/0",
        "https://s3cr3t@host/path",
        "https://host/?access_token=s3cr3t&page=2",
    ],
)
def test_secrets_in_texts_are_hidden(text: str) -> None:
    assert "s3cr3t" not in REDACTION.text(text)
    assert HIDDEN in REDACTION.text(text)


@pytest.mark.parametrize("text", ["boom", "no key is secret here", "passes: 3", "http://host/path"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert REDACTION.text(text) == text


def test_a_pattern_of_ones_own_comes_on_top() -> None:
    mine = Redaction("token|card")
    assert mine.shown({"card_number": "4111"}) == f"{{'card_number': '{HIDDEN}'}}"


def test_what_is_too_long_is_cut_and_what_is_too_deep_too() -> None:
    assert len(REDACTION.shown("x" * 10_000)) == MAX_SHOWN
    assert REDACTION.shown(list(range(10_000)), limit=20).endswith("...")
    assert REDACTION.shown([[[[[[[[[[1]]]]]]]]]]) == "[[[[[[[...]]]]]]]"
    circle: list[object] = []
    circle.append(circle)
    assert "[...]" in REDACTION.shown(circle)


class Nasty:
    """Nothing can be asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class NastyDict(dict[str, int]):
    """Nor of this."""

    def items(self) -> object:  # type: ignore[override]
        raise RuntimeError("no items")


def test_what_raises_is_named() -> None:
    assert REDACTION.shown(Nasty()) == "<Nasty>"
    assert REDACTION.shown({"a": Nasty()}) == "{'a': <Nasty>}"
    assert REDACTION.shown(NastyDict(a=1)) == "<NastyDict>"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(ANYTHING)
def test_anything_is_shown_within_the_limit(value: object) -> None:
    assert len(REDACTION.shown(value)) <= MAX_SHOWN


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    REDACTION.text(text)
