"""The result stands on stdout, everything else on stderr, both fit for where they are read."""

import io
import json
import logging

import pytest
from rich.progress import Progress
from rich.text import Text

from runs.cli.progress import ProgressLine, logs_above
from runs.cli.screen import Screen


def screen_on(out: io.TextIOBase, err: io.TextIOBase | None = None, **options: object) -> Screen:
    return Screen.of({"stdout": out, "stderr": err or io.StringIO(), **options})


def test_json_is_alone_on_stdout_and_readable() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = screen_on(out, err)
    screen.notice("Something.")
    screen.json({"headline": "2.5× → 148/s"})
    assert json.loads(out.getvalue()) == {"headline": "2.5× → 148/s"}
    assert err.getvalue() == "Something.\n"


def test_json_is_ascii_where_stdout_is() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    screen_on(out).json({"headline": "2.5×"})
    assert json.loads(raw.getvalue()) == {"headline": "2.5×"}


def test_a_pipe_gets_no_colour_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    out = io.StringIO()
    screen_on(out).show([Text("done", style="bold red")])
    assert out.getvalue() == "done\n"
    forced = io.StringIO()
    screen_on(forced, force_color=True).show([Text("done", style="bold red")])
    assert "\x1b[" in forced.getvalue()


def test_no_color_wins_over_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    screen_on(out, force_color=True).show([Text("done", style="red")])
    assert "31m" not in out.getvalue()


def test_a_sentence_in_a_log_is_one_line_however_long_it_is() -> None:
    err = io.StringIO()
    screen_on(io.StringIO(), err).notice("word " * 60)
    assert err.getvalue().count("\n") == 1


def test_a_caret_stays_under_its_place() -> None:
    err = io.StringIO()
    screen_on(io.StringIO(), err).notice("p95<<5\n   ^\nnot a sign")
    assert err.getvalue() == "p95<<5\n   ^\nnot a sign\n"


@pytest.mark.parametrize(("columns", "width"), [("200", 80), ("60", 60), ("10", 40)])
def test_the_page_is_at_most_80_columns(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert screen_on(io.StringIO()).sheet.width == width


def test_signs_of_unicode_are_spelt_where_stdout_cannot_take_them() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    glyphs = screen_on(out).sheet.glyphs
    assert glyphs.fit("2.5× → é ✓ 日") == "2.5x -> ? ok ?"


def test_log_lines_go_above_the_bar_each_once() -> None:
    err = io.StringIO()
    screen = screen_on(io.StringIO(), err)
    with Progress(console=screen.err, disable=True) as progress:
        line = ProgressLine(screen=screen, progress=progress, runs=1)
        with logs_above(line):
            for _ in range(3):
                logging.getLogger("loadlab").warning("redis_away error=%s", "refused")
    assert err.getvalue() == "redis_away error=refused\n"
