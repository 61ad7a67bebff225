"""How do words, bars and tables fit on a page of at most 80 columns?

Widths are those of terminal cells, so a wide character counts twice. Everything is a list of
`rich.text.Text`, one for each line, none longer than the sheet.
"""

import io
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from runs.cli.rendering.glyphs import UNICODE, Glyphs

WIDEST = 80
NARROWEST = 40
LABEL = 10  # the column of "tasks", "run time", "note", …
GAP = 2
_SHORTEST_COLUMN = 6
_LONGEST_BAR = 40

Lines = list[Text]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of a bar chart: None has no bar."""

    name: str
    value: float | None
    shown: str
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A page of `width` columns."""

    width: int = WIDEST
    glyphs: Glyphs = UNICODE

    def paragraph(
        self,
        content: str | Text,
        *,
        label: str = "",
        right: str | Text = "",
        style: str = "",
        hang: int = LABEL,
    ) -> Lines:
        """Wrapped text, hanging from its label; `right` ends the last line, or stands below it."""
        indent = max(hang, cell_len(label) + GAP) if label else 0
        body = content if isinstance(content, Text) else Text(content, style=style)
        lines = [_padded(line) for line in _wrapped(body, self.width - indent)] or [Text()]
        if label:
            first = Text.assemble((_sized(label, indent), "dim"), lines[0])
            lines = [_padded(first), *(_indented(line, indent) for line in lines[1:])]
        return self._with_right(lines, right if isinstance(right, Text) else Text(right))

    def bars(self, rows: Sequence[Bar], *, style: str = "", full: float | None = None) -> Lines:
        """Horizontal bars from zero, names left and values right; beyond `full` a bar is cut."""
        names = min(max((cell_len(row.name) for row in rows), default=0), 24)
        values = max((cell_len(row.shown) for row in rows), default=0)
        marks = max((cell_len(row.mark) for row in rows), default=0)
        room = min(max(self.width - names - values - marks - 4 * GAP, 4), _LONGEST_BAR)
        longest = max((row.value or 0 for row in rows), default=0)
        scale = (min(longest, full) if full else longest) or 1
        return [
            self._cut(
                Text("  " + _sized(row.name, names) + "  ")
                + Text(_sized(self._bar(row.value, scale, room), room), style=style)
                + Text(f" {row.shown:>{values}}")
                + Text(f"  {row.mark}" if row.mark else "", style="bold")
            )
            for row in rows
        ]

    def spark(
        self,
        values: Sequence[float | None],
        *,
        width: int,
        bounds: tuple[float, float] | None = None,
    ) -> str:
        """A chart in one line: the mean of each of ≤ `width` equal parts; a gap is a space.

        Heights are from 0 to the largest value, or between `bounds`.
        """
        spans = _spans(values, width)
        low, high = bounds or (0, max((value for value in spans if value is not None), default=0))
        span = high - low
        heights = (None if v is None else (v - low) / span if span > 0 else 0 for v in spans)
        return "".join(" " if height is None else self._level(height) for height in heights)

    def _level(self, height: float) -> str:
        """The sign for a height, where 1 is the highest."""
        levels = self.glyphs.levels
        return levels[min(int(max(height, 0) * len(levels)), len(levels) - 1)]

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        left: Iterable[int] = (0,),
        whole: Iterable[int] = (),
    ) -> Lines:
        """Columns as wide as their content; where that is too much, the widest give way.

        Columns in `left` start at their left, the others end at their right; those in `whole` are
        never cut.
        """
        left, whole = frozenset(left), frozenset(whole)
        columns = range(len(header))
        widths = [max(cell_len(line[column]) for line in (header, *rows)) for column in columns]
        yielding = [column for column in columns if column not in whole]
        while yielding and sum(widths) + GAP * (len(widths) - 1) > self.width:
            widest = max(yielding, key=lambda column: widths[column])
            if widths[widest] <= _SHORTEST_COLUMN:
                break
            widths[widest] -= 1
        return [
            self._cut(self._row(line, widths, left=left, style="dim" if line is header else ""))
            for line in (header, *rows)
        ]

    def shortened(self, text: str, width: int) -> str:
        """`text` in at most `width` cells."""
        if cell_len(text) <= width:
            return text
        more = self.glyphs.more
        return _sized(text, max(width - len(more), 0)).rstrip() + more[:width]

    def _row(
        self, cells: Sequence[str], widths: Sequence[int], *, left: frozenset[int], style: str
    ) -> Text:
        line = Text()
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            short = self.shortened(cell, width)
            pad = " " * (width - cell_len(short))
            line.append(" " * GAP if column else "")
            line.append(short + pad if column in left else pad + short, style=style)
        return _padded(line)

    def _bar(self, value: float | None, scale: float, room: int) -> str:
        if value is None or value <= 0:
            return ""
        if value > scale:
            return self.glyphs.bar * (room - len(self.glyphs.more)) + self.glyphs.more
        return self.glyphs.bar * max(round(value / scale * room), 1)

    def _with_right(self, lines: Lines, right: Text) -> Lines:
        if not right:
            return lines
        space = self.width - lines[-1].cell_len - right.cell_len
        if space < GAP:
            return [*lines, _indented(self._cut(right), max(self.width - right.cell_len, 0))]
        return [*lines[:-1], Text.assemble(lines[-1], " " * space, right)]

    def _cut(self, line: Text) -> Text:
        short = line.copy()
        short.truncate(self.width, overflow="crop")
        return _padded(short)


def apart(blocks: list[Lines]) -> Lines:
    """The blocks that say anything, an empty line between two of them."""
    lines: Lines = []
    for block in blocks:
        if block:
            lines += [Text(), *block] if lines else block
    return lines


def _wrapped(body: Text, width: int) -> Lines:
    console = Console(file=io.StringIO(), width=width)  # rich wants one; only its defaults are used
    return list(body.wrap(console, max(width, 1)))


def _padded(line: Text) -> Text:
    line.rstrip()
    return line


def _indented(line: Text, cells: int) -> Text:
    return Text(" " * cells) + line


def _sized(text: str, cells: int) -> str:
    return set_cell_size(text, cells)


def _spans(values: Sequence[float | None], width: int) -> list[float | None]:
    """The mean of each of at most `width` equal parts of `values`."""
    count = min(len(values), max(width, 0))
    edges = [round(place * len(values) / count) for place in range(count + 1)] if count else []
    return [_mean(values[low:high]) for low, high in itertools.pairwise(edges)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
