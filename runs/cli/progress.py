"""What is seen while a run is under way: one line on a terminal's stderr, nothing in a pipe."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from runs.cli import figures
from runs.cli.screen import Screen
from runs.conduct import Progress as RunProgress
from runs.models import LoadTestRun

_NARROWEST_BAR, _WIDEST_BAR = 8, 28
_WIDEST_TEXT = 60
_REFRESH_PER_S = 5


class ProgressLine:
    """Watches runs for the person who started them (the `Watcher` of `runs.conduct`)."""

    def __init__(self, *, screen: Screen, progress: Progress, runs: int) -> None:
        self._screen = screen
        self._progress = progress
        self._runs = runs
        self._begun = 0
        # why a line at once: own workers take a second or two to start
        self._line: TaskID | None = progress.add_task("", total=None, said="starting")

    def run_started(self, run: LoadTestRun) -> None:
        """A new line for the next run of a group."""
        self._take_away()
        self._begun += 1
        self._line = self._progress.add_task("", total=run.planned_count, said="starting")

    def progress(self, progress: RunProgress) -> None:
        """Move the bar."""
        if self._line is None:
            return
        ended = progress.sent - progress.outstanding
        said = self._which + progress_text(progress)
        self._progress.update(self._line, total=progress.planned, completed=ended, said=said)

    def notice(self, text: str) -> None:
        """A sentence above the bar."""
        self._screen.notice(text, style="yellow")

    def run_finished(self, run: LoadTestRun) -> None:  # noqa: ARG002  # the Watcher's signature
        """Take the bar away: the report says it all."""
        self._take_away()

    @property
    def _which(self) -> str:
        return f"run {self._begun} of {self._runs}  " if self._runs > 1 else ""

    def _take_away(self) -> None:
        if self._line is not None:
            self._progress.remove_task(self._line)
            self._line = None


def progress_text(progress: RunProgress) -> str:
    """Done, sent, failed, rate and time left, as far as they are known."""
    done = progress.completed + progress.failed + progress.lost
    said = [f"{figures.count(done)} of {figures.count(progress.planned)} done"]
    if progress.sent < progress.planned:
        said.append(f"{figures.count(progress.sent)} sent")
    said.append(f"{figures.count(progress.failed)} failed")
    if progress.lost:
        said.append(f"{figures.count(progress.lost)} lost")
    if progress.throughput_per_s is not None:
        said.append(figures.rate(progress.throughput_per_s))
    if progress.seconds_left is not None:
        said.append(f"{figures.seconds(round(progress.seconds_left))} left")
    return "  ".join(said)


@contextmanager
def progress_line(screen: Screen, *, runs: int) -> Iterator[ProgressLine]:
    """The line, drawn while the block runs; in a pipe only the notices are written."""
    watched = _is_watched(screen.err)
    with Progress(
        BarColumn(bar_width=_bar_width(screen.err)),
        TextColumn("{task.fields[said]}"),
        console=screen.err,
        transient=True,
        refresh_per_second=_REFRESH_PER_S,
        disable=not watched,
    ) as progress:
        line = ProgressLine(screen=screen, progress=progress, runs=runs)
        with logs_above(line) if watched else nullcontext():
            yield line


class _AboveTheLine(logging.Handler):
    """Log lines as notices above the bar, each once: an outage says the same every few seconds."""

    def __init__(self, line: ProgressLine) -> None:
        super().__init__()
        self._line = line
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, unless it has been said."""
        text = record.getMessage()
        if text not in self._said:
            self._said.add(text)
            self._line.notice(text)


@contextmanager
def logs_above(line: ProgressLine) -> Iterator[None]:
    """Our own log lines go through the bar while it is drawn, not across it."""
    logger = logging.getLogger("loadlab")
    before = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [_AboveTheLine(line)], False
    try:
        yield
    finally:
        logger.handlers, logger.propagate = before


def _is_watched(console: Console) -> bool:
    # why not rich's own word alone: FORCE_COLOR makes it call a pipe a terminal
    return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()


def _bar_width(console: Console) -> int:
    return max(_NARROWEST_BAR, min(_WIDEST_BAR, console.width - _WIDEST_TEXT))
