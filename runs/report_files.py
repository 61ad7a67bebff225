"""Report files on this machine's disk: read for a comparison, or kept as a baseline."""

from pathlib import Path
from typing import Any

from runs.analysis.document import ReportedRun, UnreadableReportError, read_report_file, reduced
from runs.errors import LoadLabError

MOST_BYTES = 100_000_000  # a group of 100 repeats is a tenth of it


class UnreadableFile(LoadLabError):
    """A file that is not there, or is no report; one sentence says which and what to do."""

    exit_code = 2


def reported_runs(path: str) -> tuple[ReportedRun, ...]:
    """The runs of a report file; UnreadableFile names it and says what it is instead."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(f"{path} cannot be read: {reason}.") from error
    if len(content) > MOST_BYTES:
        raise UnreadableFile(f"{path} has more than {MOST_BYTES // 10**6} MB: it is no report.")
    try:
        return read_report_file(content, name=path)
    except UnreadableReportError as error:
        raise UnreadableFile(str(error)) from error


def baseline_of(path: str) -> tuple[dict[str, Any], ...]:
    """What a run keeps of a report file that it is to be judged against."""
    return tuple(reduced(run) for run in reported_runs(path))
