"""Where is something printed: the result on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self, TextIO

from django.core.management.base import CommandError
from django.core.serializers.json import DjangoJSONEncoder
from rich.console import Console
from rich.text import Text

from runs.cli.rendering.glyphs import glyphs_for
from runs.cli.rendering.sheet import NARROWEST, WIDEST, Lines, Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The two streams of a command; rich decides on colour (a terminal, and no NO_COLOR)."""

    out: Console
    err: Console

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """The streams that Django was given, or the process's own."""
        colour = {"no_color": True} if options.get("no_color") else {}
        if options.get("force_color"):
            colour = {"force_terminal": True}
        return cls(
            out=_console(options.get("stdout") or sys.stdout, colour),
            err=_console(options.get("stderr") or sys.stderr, colour),
        )

    @property
    def sheet(self) -> Sheet:
        """A page of stdout: as wide as the terminal, never wider than 80 columns."""
        return _sheet(self.out)

    def show(self, lines: Lines) -> None:
        """Print the result for people."""
        with self._writable():
            for line in lines:
                self.out.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False)

    def write(self, text: str) -> None:
        """Print a result that is a sentence, or an id."""
        self.show(self.sheet.paragraph(self.sheet.glyphs.fit(text)))

    def json(self, document: Any) -> None:
        """Print the result for programs: nothing but this stands on stdout."""
        readable = glyphs_for(self.out.encoding).encoding == "utf-8"
        text = json.dumps(document, cls=DjangoJSONEncoder, indent=2, ensure_ascii=not readable)
        with self._writable():
            self.out.file.write(f"{text}\n")
            self.out.file.flush()

    def notice(self, text: str, *, style: str = "") -> None:
        """Say something on stderr: wrapped on a terminal, each sentence one line in a log."""
        sheet = _sheet(self.err)
        for line in text.splitlines():
            fitted = sheet.glyphs.fit(line)
            wrapped = (
                sheet.paragraph(fitted, style=style) if self.err.is_terminal else [Text(fitted)]
            )
            for part in wrapped:
                self.err.print(part, no_wrap=True, overflow="ignore", crop=False, highlight=False)

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self.out.on_broken_pipe()  # the reader has seen enough: rich leaves without a word
        except OSError as error:
            raise CommandError(
                f"The result cannot be written to stdout: {error.strerror}.", returncode=1
            ) from error


def _sheet(console: Console) -> Sheet:
    width = max(NARROWEST, min(WIDEST, console.width))
    return Sheet(width=width, glyphs=glyphs_for(console.encoding))


def _console(stream: TextIO, colour: Mapping[str, bool]) -> Console:
    return Console(file=stream, highlight=False, markup=False, emoji=False, **colour)  # type: ignore[arg-type]
