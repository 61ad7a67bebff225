"""What may a task be asked to do? Parameters declared by a coroutine's own signature.

async def nap(ctx, *, duration_ms: Annotated[float, Between(0, 600_000, unit="ms")] = 100)
"""

import difflib
import inspect
import math
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from workers.errors import InvalidParameter, InvalidTaskType

MAX_TEXT = 1_000
SEED = "seed"  # given to every task beside its parameters, so it is none of them

Value = int | float | bool | str

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_KINDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
}


@dataclass(frozen=True, slots=True)
class Between:
    """The range of a number in a signature, with its unit and what it means."""

    minimum: float
    maximum: float
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a parameter without a range means, in a signature."""

    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One named value that a task type takes; `minimum` and `maximum` are inclusive."""

    name: str
    kind: type[int] | type[float] | type[bool] | type[str]
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    meaning: str = ""

    @property
    def allowed(self) -> str:
        """What may be given, as the end of a sentence: `a number from 0 to 600000 ms`."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind is str:
            return f"text of at most {MAX_TEXT} characters"
        unit = f" {self.unit}" if self.unit else ""
        if self.minimum is None or self.maximum is None:
            return _KINDS[self.kind] + unit
        return f"{_KINDS[self.kind]} from {self.minimum:.15g} to {self.maximum:.15g}{unit}"

    def parse(self, given: object) -> Value:
        """The value as the task gets it, from text or from a value of the right kind."""
        try:
            value = _PARSERS[self.kind](given)
        except (ValueError, OverflowError):
            raise self._refusal(given) from None
        if isinstance(value, str):
            fits = value in self.choices if self.choices else len(value) <= MAX_TEXT
        else:
            fits = (self.minimum is None or value >= self.minimum) and (
                self.maximum is None or value <= self.maximum
            )
        if not fits:
            raise self._refusal(given)
        return value

    def _refusal(self, given: object) -> InvalidParameter:
        shown = repr(given) if isinstance(given, str) else str(given)
        shown = shown if len(shown) <= 80 else shown[:79] + "…"
        return InvalidParameter(f"Parameter {self.name} is {shown}; {self.allowed} is allowed.")


def declared_by(coroutine: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The parameters that the signature of a task declares: all but the context and the seed."""
    try:
        hints = typing.get_type_hints(coroutine, include_extras=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise InvalidTaskType(
            f"The annotations of {coroutine.__qualname__} cannot be resolved: {error}."
        ) from error
    arguments = list(inspect.signature(coroutine).parameters.values())
    if not arguments or arguments[0].kind not in _BY_POSITION:
        raise InvalidTaskType(f"{coroutine.__qualname__} must take the context first: (ctx, *, …).")
    return tuple(
        _declared(coroutine, argument, hint=hints.get(argument.name))
        for argument in arguments[1:]
        if argument.name != SEED and argument.kind is not inspect.Parameter.VAR_KEYWORD
    )


def takes_seed(coroutine: Callable[..., Any]) -> bool:
    """Whether the coroutine wants the run's seed beside its parameters."""
    arguments = inspect.signature(coroutine).parameters
    return SEED in arguments or any(
        argument.kind is inspect.Parameter.VAR_KEYWORD for argument in arguments.values()
    )


def parse_all(
    parameters: tuple[Parameter, ...], *, given: Mapping[str, object], of: str
) -> dict[str, Value]:
    """Every parameter's value, defaults filled in; the first that cannot be used is refused."""
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            raise InvalidParameter(_unknown(str(name), known=list(known), of=of))
    return {
        name: parameter.parse(given[name]) if name in given else parameter.default
        for name, parameter in known.items()
    }


def _unknown(name: str, *, known: list[str], of: str) -> str:
    shown = name if len(name) <= 80 else name[:79] + "…"
    if not known:
        return f"Parameter {shown!r} is unknown; {of} takes no parameters."
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"Parameter {shown!r} is unknown{hint}; {of} takes {', '.join(known)}."


def _declared(
    coroutine: Callable[..., Any], argument: inspect.Parameter, *, hint: Any
) -> Parameter:
    where = f"{argument.name} of {coroutine.__qualname__}"
    if (
        argument.kind is inspect.Parameter.VAR_POSITIONAL
        or argument.kind is inspect.Parameter.POSITIONAL_ONLY
    ):
        raise InvalidTaskType(f"Parameter {where} must be a keyword; tasks are sent by name.")
    if argument.default is inspect.Parameter.empty:
        raise InvalidTaskType(f"Parameter {where} needs a default value.")
    kind, choices, notes = _kind_of(
        hint if hint is not None else type(argument.default), where=where
    )
    between = next((note for note in notes if isinstance(note, Between)), None)
    described = between or next((note for note in notes if isinstance(note, Meaning)), None)
    parameter = Parameter(
        name=argument.name,
        kind=kind,
        default=argument.default,
        minimum=between.minimum if between else None,
        maximum=between.maximum if between else None,
        choices=choices,
        unit=described.unit if described else "",
        meaning=described.meaning if described else "",
    )
    try:
        parameter.parse(argument.default)
    except InvalidParameter as error:
        raise InvalidTaskType(
            f"The default of {coroutine.__qualname__} does not fit: {error}"
        ) from error
    return parameter


def _kind_of(
    hint: Any, *, where: str
) -> tuple[type[int] | type[float] | type[bool] | type[str], tuple[str, ...], tuple[Any, ...]]:
    notes: tuple[Any, ...] = ()
    if typing.get_origin(hint) is Annotated:
        hint, *rest = typing.get_args(hint)
        notes = tuple(rest)
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
        if all(isinstance(choice, str) for choice in choices):
            return str, choices, notes
    if hint in _KINDS:
        return hint, (), notes
    raise InvalidTaskType(
        f"Parameter {where} is annotated {hint!r}; int, float, bool, str and Literal[texts] can be."
    )


def _parse_int(given: object) -> int:
    if isinstance(given, str) and _WHOLE.fullmatch(given.strip()):
        return int(given)
    if isinstance(given, float) and given.is_integer() and abs(given) < 2**53:
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) < 2**63:
        return given
    raise ValueError(given)


def _parse_float(given: object) -> float:
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        value = float(given)
        if math.isfinite(value):
            return value
    raise ValueError(given)


def _parse_bool(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.strip().lower() in _TRUE | _FALSE:
        return given.strip().lower() in _TRUE
    raise ValueError(given)


def _parse_str(given: object) -> str:
    if not isinstance(given, str) or not given.isprintable():
        raise ValueError(given)
    return given


_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_PARSERS: dict[type, Callable[[object], Value]] = {
    int: _parse_int,
    float: _parse_float,
    bool: _parse_bool,
    str: _parse_str,
}
