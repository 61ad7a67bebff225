"""Wrong input is refused in a sentence, before anything is in Redis or PostgreSQL."""

import re

import pytest
import redis
from django.core.management import CommandError, call_command

from runs.cli.exits import ExitCode, refusal
from runs.models import LoadTestConfiguration, LoadTestRun

pytestmark = pytest.mark.django_db


def refused(line: str) -> CommandError:
    command, *rest = line.split()
    with pytest.raises(Exception) as told:  # noqa: PT011  # which error it is, is not the point
        call_command(*(("load_test",) if command != "prune_runs" else ()), command, *rest)
    said = refusal(told.value)
    assert said is not None, told.value
    return said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("run --type nope", "--type is 'nope'.*io_simulation"),
        ("run --queue nope", "--queue is 'nope'.*load_test, system, media"),
        ("run --param nope=1", "'nope'.*unknown"),
        ("run --type sleep --param duration_ms=x", "duration_ms is 'x'"),
        ("run --type sleep --param duration_ms=nan", "duration_ms is 'nan'"),
        ("run --type sleep --param duration_ms=-1", "duration_ms is '-1'.*from 0"),
        ("run --tasks 0", "--tasks is 0.*from 1"),
        ("run --tasks -3", "--tasks is -3.*from 1"),
        ("run --tasks many", "--tasks: 'many' is not a whole number"),
        ("run --tasks 1000001", "--tasks is 1000001.*1000000"),
        ("run --batch 0", "--batch is 0.*from 1"),
        ("run --delay -5ms", "--delay is -5.*from 0"),
        ("run --rate 0/s --duration 1s", "--rate is 0.*above 0"),
        ("run --rate 5/s", "rate needs --duration"),
        ("run --rate 5/s --duration 1s --delay 5", "--delay and --rate contradict"),
        ("run --timeout 0", "--timeout is 0.*above 0"),
        ("run --repeat 0", "--repeat is 0"),
        ("run --seed -1", "--seed is -1"),
        ("run --threshold p95<<5", r"\^"),
        ("run --workers 1 --no-wait", "--workers and --no-wait contradict"),
        ("run --taks 5", "did you mean --tasks"),
        ("rnu", "did you mean run"),
        ("results lt_nothing", "no load test 'lt_nothing'"),
        ("cancel lt_nothing", "no load test 'lt_nothing'"),
        ("list --status odd", "--status is 'odd'.*completed"),
        ("list --queue odd", "--queue is 'odd'.*media"),
        ("list --before lt_nothing", "no load test 'lt_nothing'"),
        ("info nope", "'nope' is unknown"),
        ("prune_runs --older-than -1", "--older-than is -1"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_stored(
    arguments: str, says: str, redis_url: str
) -> None:
    told = refused(arguments)
    assert told.returncode == ExitCode.WRONG_USAGE
    assert re.search(says, str(told), re.DOTALL), told
    assert not LoadTestRun.objects.exists()
    assert not LoadTestConfiguration.objects.exists()
    with redis.Redis.from_url(redis_url) as valkey:
        assert valkey.keys() == []
