"""With which exit code does a command end, and which one sentence says why?"""

import re
import sys
from collections.abc import Iterable
from enum import IntEnum

import redis.exceptions
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import InterfaceError, OperationalError, ProgrammingError

from runs.analysis.reading import Document, amount, items, part, value, words
from runs.errors import InvalidSpec, LoadLabError
from workers.errors import (
    InvalidParameter,
    InvalidSetting,
    UnknownQueue,
    UnknownTaskType,
    WorkersError,
)
from workers.settings import redis_address


class ExitCode(IntEnum):
    """Every exit code of the commands."""

    DONE = 0
    COULD_NOT_RUN = 1
    WRONG_USAGE = 2
    TIMED_OUT = 3
    THRESHOLD_MISSED = 99
    CANCELLED = 130


class WrongUsage(CommandError):
    """What was typed cannot be meant: one sentence says what is allowed."""

    def __init__(self, sentence: str, *, returncode: int = ExitCode.WRONG_USAGE) -> None:
        super().__init__(sentence, returncode=returncode)


OPTIONS = {  # what a use case calls a field → what was typed
    "task_type": "--type",
    "num_tasks": "--tasks",
    "batch_size": "--batch",
    "delay_ms": "--delay",
    "rate_per_s": "--rate",
    "duration_s": "--duration",
    "target_queue": "--queue",
    "timeout_s": "--timeout",
    "arrival": "--arrival",
    "seed": "--seed",
    "repeat": "--repeat",
    "label": "--label",
    "baseline": "--baseline",
}
_FIELDS = re.compile(r"\b({})\b".format("|".join(name for name in OPTIONS if "_" in name)))
_WRONG_INPUT = (
    ImproperlyConfigured,
    InvalidParameter,
    InvalidSetting,
    UnknownQueue,
    UnknownTaskType,
)
_GRAVEST_FIRST = (
    ExitCode.CANCELLED,
    ExitCode.COULD_NOT_RUN,
    ExitCode.TIMED_OUT,
    ExitCode.THRESHOLD_MISSED,
)


def exit_code_of(documents: Iterable[Document]) -> ExitCode:
    """That of the gravest thing that happened in any of these runs."""
    codes = {code for document in documents for code in _codes(document)}
    return next((code for code in _GRAVEST_FIRST if code in codes), ExitCode.DONE)


def exit_code_of_group(document: Document) -> ExitCode:
    """That of a group of repeats: its thresholds are judged on all runs together."""
    runs = [{**run, "thresholds": []} for run in items(document, "runs")]
    return exit_code_of([*runs, part(document, "summary")])


def refusal(error: BaseException) -> CommandError | None:
    """The one sentence and the exit code of a failure that is not a defect of ours; else None."""
    while isinstance(error, BaseExceptionGroup):  # why: a TaskGroup wraps what its tasks raise
        error = error.exceptions[0]
    if isinstance(error, CommandError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return CommandError("", returncode=ExitCode.CANCELLED)
    if isinstance(error, InvalidSpec):
        return CommandError(_in_options(error), returncode=error.exit_code)
    if isinstance(error, LoadLabError):
        return CommandError(str(error), returncode=error.exit_code)
    if isinstance(error, _WRONG_INPUT):
        return CommandError(str(error), returncode=ExitCode.WRONG_USAGE)
    sentence = _outage(error)
    return None if sentence is None else CommandError(sentence, returncode=ExitCode.COULD_NOT_RUN)


def missed_a_threshold(document: Document) -> bool:
    """Whether any rule of the run does not hold."""
    return any(value(entry, "passed") is not True for entry in items(document, "thresholds"))


def _codes(document: Document) -> Iterable[ExitCode]:
    status = words(document, "status")
    if status == "cancelled":
        yield ExitCode.CANCELLED
    if status == "failed" or _every_task_failed(document):
        yield ExitCode.COULD_NOT_RUN
    if status == "timed_out" or amount(document, "metrics", "tasks_lost"):
        yield ExitCode.TIMED_OUT
    if missed_a_threshold(document):
        yield ExitCode.THRESHOLD_MISSED


def _every_task_failed(document: Document) -> bool:
    failed = amount(document, "metrics", "tasks_failed") or 0
    return failed > 0 and failed == amount(document, "metrics", "tasks_sent")


def _in_options(error: InvalidSpec) -> str:
    sentences = []
    for field, sentence in error.fields.items():
        option = OPTIONS.get(field, field)
        named = sentence.startswith(field)
        said = option + sentence.removeprefix(field) if named else sentence
        sentences.append(_FIELDS.sub(lambda found: OPTIONS[found[0]], said))
    return "; ".join(sentences)


def _outage(error: BaseException) -> str | None:
    if isinstance(error, WorkersError) or _is_of_embedded_server(error):
        return str(error)
    if isinstance(error, ProgrammingError) and "does not exist" in str(error):
        where = _database_address()
        return f"PostgreSQL at {where} lacks the tables of this version: run `loadlab migrate`."
    if isinstance(error, (OperationalError, InterfaceError)):
        return (
            f"PostgreSQL does not answer at {_database_address()}: start it, or set DATABASE_URL"
            f" ({_cause(error)})."
        )
    if isinstance(error, (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)):
        return f"Redis does not answer at {redis_address()}: start it, or set REDIS_URL."
    return None


def _is_of_embedded_server(error: BaseException) -> bool:
    # why not imported: where both URLs are set, nothing embedded is even imported
    embedded = sys.modules.get("loadlab.embedded.errors")
    return embedded is not None and isinstance(error, embedded.EmbeddedServerError)


def _database_address() -> str:
    """Host, port and name; never the user's password."""
    settings = connections[DEFAULT_DB_ALIAS].settings_dict
    if settings.get("ENGINE") == "loadlab.embedded":
        return "the embedded server"
    host = settings.get("HOST") or "the default socket"
    port = f":{settings['PORT']}" if settings.get("PORT") else ""
    return f"{host}{port}/{settings.get('NAME') or ''}"


def _cause(error: BaseException) -> str:
    """What libpq says, without its preamble; it never names a password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rpartition(": ")[2].rstrip(".") if lines else type(error).__name__
