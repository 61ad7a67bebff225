"""How is a command line read: wrong usage is one sentence that suggests the nearest name."""

import argparse
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from django.core.management.base import CommandParser

from runs.cli.exits import WrongUsage

_NEGATIVE = re.compile(r"-\.?\d", re.ASCII)
_CHOICE = re.compile(
    r"argument (?P<name>\S+): invalid choice: '?(?P<value>.*?)'? \(choose from (?P<choices>.*)\)",
    re.DOTALL,
)


class SentenceParser(CommandParser):
    """argparse, but it says what is wrong in one sentence and leaves the exit to its caller.

    `also` are names that stand beside its subcommands, to be suggested with them.
    """

    also: Sequence[str] = ()

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.HelpFormatter)
        super().__init__(allow_abbrev=False, **kwargs)

    def parse_known_args(  # type: ignore[override]  # why: argparse has it as overloads
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Refuse what is unknown here, where the options that were meant are known."""
        found, unknown = super().parse_known_args(_with_negative_values(args or ()), namespace)
        if unknown:
            raise WrongUsage(self._unknown(unknown[0]))
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Raise argparse's complaint as a sentence."""
        choice = _CHOICE.fullmatch(message)
        raise WrongUsage(self._not_a_choice(**choice.groupdict()) if choice else _sentence(message))

    def _not_a_choice(self, *, name: str, value: str, choices: str) -> str:
        allowed = choices.replace("'", "").split(", ")
        near = nearest(value, among=[*allowed, *self.also])
        advice = f"did you mean {near}?" if near else f"it must be one of {', '.join(allowed)}."
        return f"{name.lower()} is {value!r}: {advice}"

    def _unknown(self, given: str) -> str:
        if not given.startswith("-"):
            return f"{given!r} is one argument too many: see `{self.prog} --help`."
        option = given.partition("=")[0]
        near = nearest(option, among=[n for action in self._actions for n in action.option_strings])
        advice = f"did you mean {near}?" if near else f"see `{self.prog} --help`."
        return f"{option} is no option of `{self.prog}`: {advice}"


def nearest(given: str, *, among: Sequence[str]) -> str | None:
    """The name that was probably meant, or None."""
    starting = [name for name in among if len(given) > 2 and name.startswith(given)]
    return next(iter(starting or get_close_matches(given, among, n=1, cutoff=0.6)), None)


def _sentence(message: str) -> str:
    text = message.removeprefix("argument ").replace(": expected one argument", " needs a value")
    if text.startswith("the following arguments are required: "):
        text = f"{text.partition(': ')[2]} is missing"
    return f"{text}."


def _with_negative_values(args: Sequence[str]) -> list[str]:
    """`--delay -5ms` → `--delay=-5ms`: argparse takes `-5ms` for an option of its own."""
    joined: list[str] = []
    for arg in args:
        if (
            joined
            and _NEGATIVE.match(arg)
            and joined[-1].startswith("--")
            and "=" not in joined[-1]
        ):
            joined[-1] += f"={arg}"
        else:
            joined.append(arg)
    return joined
