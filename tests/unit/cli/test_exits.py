"""One exit code per cause, the gravest of all runs; one sentence per failure of others."""

from typing import Any

import pytest
import redis.exceptions
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db.utils import OperationalError, ProgrammingError

from runs.cli.exits import ExitCode, WrongUsage, exit_code_of, exit_code_of_group, refusal
from runs.errors import InvalidSpec, LoadLabError, UnknownRun
from workers.errors import InvalidParameter, RedisUnreachable, WorkerStartError

from .documents import BARE, CANCELLED, FAILED, KEEPING_UP, SATURATED, TIMED_OUT, changed

MISSED = changed(SATURATED, thresholds=[{"expression": "a<1", "value": 2, "passed": False}])
ALL_FAILED = changed(SATURATED, metrics__tasks_failed=1000, metrics__tasks_completed=0)


@pytest.mark.parametrize(
    ("documents", "code"),
    [
        ([SATURATED], 0),
        ([KEEPING_UP, SATURATED], 0),
        ([BARE], 0),
        ([], 0),
        ([FAILED], 1),
        ([ALL_FAILED], 1),
        ([TIMED_OUT], 3),
        ([MISSED], 99),
        ([CANCELLED], 130),
        ([changed(SATURATED, thresholds=[{"expression": "a<1", "passed": None}])], 99),
        ([changed(SATURATED, thresholds=[{"expression": "a<1", "passed": True}])], 0),
        ([SATURATED, MISSED, TIMED_OUT], 3),
        ([MISSED, FAILED, TIMED_OUT], 1),
        ([FAILED, CANCELLED], 130),
    ],
)
def test_the_exit_code_is_that_of_the_gravest_run(documents: list[Any], code: int) -> None:
    assert exit_code_of(documents) == code


def test_a_groups_thresholds_are_those_of_all_its_runs_together() -> None:
    held, missed = (
        [{"expression": "verdict!=regressed", "passed": each}] for each in (True, False)
    )
    assert exit_code_of_group({"runs": [MISSED], "summary": {"thresholds": held}}) == 0
    assert exit_code_of_group({"runs": [SATURATED], "summary": {"thresholds": missed}}) == 99
    assert exit_code_of_group({"runs": [TIMED_OUT], "summary": {"thresholds": missed}}) == 3
    assert exit_code_of_group({"runs": [SATURATED], "summary": {"runs": 1}}) == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LoadLabError("It went wrong."), 1),
        (UnknownRun("lt_1"), 2),
        (InvalidParameter("Parameter x is 1."), 2),
        (ImproperlyConfigured("DATABASE_URL cannot be read."), 2),
        (WrongUsage("--workers is -1."), 2),
        (RedisUnreachable("Redis does not answer at h:1/0."), 1),
        (WorkerStartError("The worker died."), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_that_carries_its_sentence_is_told_as_it_is(error: Exception, code: int) -> None:
    told = refusal(error)
    assert told is not None
    assert (str(told), told.returncode) == (str(error), code)


def test_the_errors_of_a_task_group_are_unwrapped() -> None:
    told = refusal(ExceptionGroup("", [ExceptionGroup("", [LoadLabError("Why.")])]))
    assert told is not None
    assert (str(told), told.returncode) == ("Why.", 1)


def test_fields_are_named_as_they_were_typed() -> None:
    told = refusal(
        InvalidSpec(
            {
                "num_tasks": "num_tasks is 0: it must be a whole number from 1 to 10",
                "parameters": "Parameter x is unknown; noop takes no parameters.",
            }
        )
    )
    assert told is not None
    assert str(told) == (
        "--tasks is 0: it must be a whole number from 1 to 10; "
        "Parameter x is unknown; noop takes no parameters."
    )


def test_an_unreachable_database_is_named_by_its_address_without_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django.db import connections

    address = {"HOST": "db.example", "PORT": 5433, "NAME": "loads", "PASSWORD": "s3cret"}
    monkeypatch.setattr(connections["default"], "settings_dict", address)
    error = OperationalError(
        'connection failed: connection to server at "10.0.0.1" failed: Connection refused\n'
        "\tIs the server running on that host?"
    )
    told = refusal(error)
    assert told is not None
    assert str(told) == (
        "PostgreSQL does not answer at db.example:5433/loads: start it, or set DATABASE_URL"
        " (Connection refused)."
    )
    assert told.returncode == ExitCode.COULD_NOT_RUN


def test_a_database_without_our_tables_says_what_to_do() -> None:
    told = refusal(ProgrammingError('relation "runs_loadtestrun" does not exist'))
    assert told is not None
    assert "loadlab migrate" in str(told)


def test_an_unreachable_redis_is_named_by_its_address_without_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://user:s3cret@cache.example:6390/2")
    told = refusal(redis.exceptions.ConnectionError("Error 111"))
    assert told is not None
    assert str(told).startswith("Redis does not answer at cache.example:6390/2:")


@pytest.mark.parametrize(
    "error", [ValueError("x"), ProgrammingError("syntax error"), KeyError("a")]
)
def test_a_defect_of_ours_stays_a_traceback(error: Exception) -> None:
    assert refusal(error) is None


def test_wrong_usage_is_an_error_of_django_so_that_call_command_raises_it() -> None:
    assert issubclass(WrongUsage, CommandError)
