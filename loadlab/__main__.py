"""The console script: `loadlab X` is `manage.py X`, `loadlab run` is `manage.py load_test run`."""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line, get_commands

WRONG_SETTINGS = 2


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loadlab.settings")
    given = list(sys.argv if argv is None else argv)
    try:
        django.setup()  # why here already: else Django does not know the commands of its apps
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(WRONG_SETTINGS)
    execute_from_command_line(in_full(given, known=get_commands()))


def in_full(argv: Sequence[str], *, known: Collection[str]) -> list[str]:
    """The same command line for Django: what it does not know is a subcommand of `load_test`."""
    program, *rest = argv
    if Path(program).name == "__main__.py":  # python -m loadlab
        program = "loadlab"
    if rest[:1] == ["help"]:
        rest = [*rest[1:], "--help"]
    if rest and rest[0] in known:
        return [program, *rest]
    return [program, "load_test", *(rest or ["--help"])]


if __name__ == "__main__":
    main()
