"""Settings that cannot be meant are refused by `manage.py check`."""

from typing import Any

import pytest
from django.core.checks import run_checks


def complaints() -> set[str | None]:
    return {message.id for message in run_checks() if (message.id or "").startswith("runs.")}


def test_the_defaults_are_fine() -> None:
    assert complaints() == set()


def test_anonymous_use_outside_debug_is_an_error(settings: Any) -> None:
    settings.LOADLAB_API_ANONYMOUS = True
    assert complaints() == {"runs.E001"}
    settings.DEBUG = True
    assert complaints() == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOADLAB_MAX_TASKS", 0),
        ("LOADLAB_MAX_RATE", 0.0),
        ("LOADLAB_MAX_WAITING", 0),
        ("LOADLAB_API_RATE", -1),
        ("LOADLAB_API_ANONYMOUS_RATE", -1),
        ("LOADLAB_API_MAX_BODY", 10),
    ],
)
def test_a_limit_leaves_something(settings: Any, name: str, value: float) -> None:
    setattr(settings, name, value)
    assert complaints() == {"runs.E002"}


def test_instants_have_their_zone(settings: Any) -> None:
    settings.USE_TZ = False
    assert complaints() == {"runs.E003"}


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("REDIS_URL", "localhost", "runs.E004"),
        ("LOADLAB_QUEUE_MEDIA_MAX_JOBS", "many", "runs.E005"),
        ("LOADLAB_QUEUE_MEDIA_KEEP_RESULT", "30s", "runs.W001"),
    ],
)
def test_what_workers_read_is_read_here_too(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert complaints() == {expected}
