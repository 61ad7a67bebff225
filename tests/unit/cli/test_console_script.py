"""`loadlab X` is `manage.py X`, and what Django does not know is a subcommand of `load_test`."""

import pytest

from loadlab.__main__ import in_full

KNOWN = {"migrate", "load_test", "prune_runs"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("run --tasks 5", "load_test run --tasks 5"),
        ("load_test run", "load_test run"),
        ("migrate --check", "migrate --check"),
        ("list", "load_test list"),
        ("", "load_test --help"),
        ("--help", "load_test --help"),
        ("--version", "load_test --version"),
        ("help", "load_test --help"),
        ("help run", "load_test run --help"),
        ("help migrate", "migrate --help"),
        ("rnu", "load_test rnu"),
    ],
)
def test_short_forms_mean_the_long_ones(typed: str, meant: str) -> None:
    assert in_full(["loadlab", *typed.split()], known=KNOWN) == ["loadlab", *meant.split()]


@pytest.mark.parametrize(
    ("program", "shown"),
    [("/x/loadlab/__main__.py", "loadlab"), ("./manage.py", "./manage.py"), ("loadlab", "loadlab")],
)
def test_the_program_is_named_as_it_was_started(program: str, shown: str) -> None:
    assert in_full([program, "list"], known=KNOWN)[0] == shown
