"""May this be what a run is to be judged against? Asked before anything of it is sent."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from runs.analysis.document import UnreadableReportError, read_report
from runs.models import LoadTestRun
from runs.states import RunStatus

AUTO, NONE = "auto", "none"
MAX_BASELINE = 300
_ID = re.compile(r"l[tg]_\w{1,37}", re.ASCII)


def names_a_file(choice: str) -> bool:
    """Whether a choice is neither a word nor the id of a run or a group."""
    return choice not in {AUTO, NONE} and not _ID.fullmatch(choice)


def what_is_wrong(choice: str, *, documents: Sequence[Mapping[str, Any]] | None) -> str | None:
    """One sentence where a run cannot be judged against this; `documents` are those of a file."""
    if not choice or len(choice) > MAX_BASELINE or not choice.isprintable():
        return f"baseline is {choice[:MAX_BASELINE]!r}: it must be at most {MAX_BASELINE} letters"
    if documents is not None:
        return _wrong_documents(documents, name=choice)
    if choice in {AUTO, NONE}:
        return None
    if names_a_file(choice):
        return (
            f"baseline is {choice!r}: it must be auto, none, a run (lt_…) or a group (lg_…);"
            " a report file is read by the command `loadlab run` only"
        )
    return _wrong_reference(choice)


def _wrong_documents(documents: Sequence[Mapping[str, Any]], *, name: str) -> str | None:
    try:
        runs = [read_report(document, name=name) for document in documents]
    except UnreadableReportError as error:
        return str(error)
    if any(run.status == RunStatus.COMPLETED for run in runs):
        return None
    status = runs[0].status if runs else "empty"
    return f"baseline is {name!r}, which is {status}: only a completed run can be a baseline"


def _wrong_reference(choice: str) -> str | None:
    found = LoadTestRun.objects.filter(test_id=choice) | LoadTestRun.objects.filter(group_id=choice)
    statuses = list(found.order_by("pk").values_list("status", flat=True))
    if not statuses:
        return f"baseline is {choice!r}: there is no such run, `loadlab list` shows those there are"
    if RunStatus.COMPLETED not in statuses:
        status = statuses[0].replace("_", " ")
        return f"baseline is {choice!r}, which is {status}: only a completed run can be a baseline"
    return None
