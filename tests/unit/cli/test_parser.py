"""Wrong usage is one sentence that names the field, the value and what is allowed."""

from argparse import Namespace

import pytest
from django.core.management import CommandError, get_commands

from runs.cli.exits import WrongUsage
from runs.cli.parser import SentenceParser
from runs.cli.registry import SUBCOMMANDS, declare_subcommands
from runs.cli.run_options import refuse_contradictions, spec_of


def parser() -> SentenceParser:
    made = SentenceParser(prog="loadlab")
    declare_subcommands(made)
    return made


def read(line: str) -> Namespace:
    return parser().parse_args(line.split())


def complaint(line: str) -> str:
    with pytest.raises(CommandError) as told:
        read(line)
    assert told.value.returncode == 2
    return str(told.value)


def test_every_subcommand_of_the_specification_is_there_and_explains_itself() -> None:
    names = {subcommand.NAME for subcommand in SUBCOMMANDS}
    assert names >= {"run", "cpu", "io", "memory", "results", "list", "info", "cancel"}
    assert all(subcommand.SUMMARY for subcommand in SUBCOMMANDS)
    assert not names & set(get_commands())


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("rnu", "subcommand is 'rnu': did you mean run?"),
        ("migrte", "subcommand is 'migrte': did you mean migrate?"),
        ("run --taks 5", "--taks is no option of `loadlab run`: did you mean --tasks?"),
        ("run --zzz", "--zzz is no option of `loadlab run`: see `loadlab run --help`."),
        ("run --tas 5", "--tas is no option of `loadlab run`: did you mean --tasks?"),
        ("run extra", "'extra' is one argument too many: see `loadlab run --help`."),
        ("run --tasks abc", "--tasks: 'abc' is not a whole number such as 100."),
        ("run --tasks", "--tasks needs a value."),
        ("run --rate fast", "--rate: 'fast' is not a rate such as 40/s, 2400/m or 40."),
        ("results", "TEST_ID is missing."),
        ("cancel", "TEST_ID is missing."),
    ],
)
def test_wrong_usage_is_one_sentence(line: str, sentence: str) -> None:
    assert complaint(line) == sentence


def test_an_unknown_subcommand_near_to_none_lists_them_all() -> None:
    said = complaint("qqqqq")
    assert all(subcommand.NAME in said for subcommand in SUBCOMMANDS)
    assert "\n" not in said


def test_a_missing_subcommand_is_named() -> None:
    assert complaint("").startswith("SUBCOMMAND is missing")


def test_negative_values_reach_their_option() -> None:
    options = read("run --delay -5ms --tasks -1 --timeout=-2s")
    assert (options.delay, options.tasks, options.timeout) == (-5, -1, -2)


def test_all_options_of_a_run_reach_the_spec() -> None:
    options = vars(
        read(
            "run --type sleep --tasks 40 --rate 40/s --duration 1s --arrival poisson --seed 7"
            " --queue media --label nightly --repeat 3 --timeout 2m --baseline none"
            " --threshold overall_throughput>=20 --threshold verdict!=regressed"
            " --param duration_ms=5 --param distribution=fixed --workers 2 --json"
        )
    )
    spec = spec_of(options, task_type=options["type"])
    assert spec.parameters == {"duration_ms": "5", "distribution": "fixed"}
    assert (spec.task_type, spec.num_tasks, spec.rate_per_s, spec.duration_s) == (
        "sleep",
        40,
        40,
        1,
    )
    assert (spec.arrival, spec.seed, spec.target_queue, spec.label) == (
        "poisson",
        7,
        "media",
        "nightly",
    )
    assert (spec.repeat, spec.timeout_s, spec.baseline) == (3, 120, "none")
    assert spec.thresholds == ("overall_throughput>=20", "verdict!=regressed")
    assert (options["workers"], options["wait"], options["json"]) == (2, True, True)


@pytest.mark.parametrize("name", ["run", "cpu", "io", "memory"])
def test_the_defaults_are_left_to_the_use_case(name: str) -> None:
    options = vars(read(name))
    spec = spec_of(options, task_type="noop")
    assert (spec.num_tasks, spec.batch_size, spec.delay_ms, spec.timeout_s) == (
        None,
        None,
        None,
        600,
    )
    assert (spec.seed, spec.target_queue, spec.repeat, spec.baseline) == (0, "load_test", 1, "auto")


def test_a_parameter_given_twice_is_refused() -> None:
    options = vars(read("run --param a=1 --param a=2"))
    with pytest.raises(WrongUsage, match="--param a is given twice: 1 and 2"):
        spec_of(options, task_type="sleep")


@pytest.mark.parametrize("line", ["run --workers 1 --no-wait", "run --workers -1"])
def test_contradictions_are_refused(line: str) -> None:
    with pytest.raises(WrongUsage, match="--workers"):
        refuse_contradictions(vars(read(line)))
