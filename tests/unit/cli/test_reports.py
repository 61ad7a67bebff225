"""A report document becomes lines: answer, action, evidence; never wider than the page."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runs.cli.rendering.detailed import detailed_lines
from runs.cli.rendering.glyphs import ASCII, UNICODE
from runs.cli.rendering.group import group_lines
from runs.cli.rendering.live import live_lines
from runs.cli.rendering.report import report_lines
from runs.cli.rendering.run import run_lines
from runs.cli.rendering.sheet import Lines, Sheet

from .documents import (
    BARE,
    CANCELLED,
    FAILED,
    FINISHED,
    FIRST_RUN,
    GROUP,
    KEEPING_UP,
    MIXED,
    RUNNING,
    SATURATED,
    TIMED_OUT,
    all_null,
    changed,
)

PAGE = Sheet()
WIDTHS = (40, 60, 80)
THRESHOLDS = [
    {"expression": "p95_execution_time_ms<500", "value": 251.2, "passed": True, "because": ""},
    {
        "expression": "p95_queue_wait_ms<=100",
        "value": None,
        "passed": False,
        "because": "void: more load was offered than the queue serves.",
    },
]


def text_of(lines: Lines) -> str:
    return "\n".join(line.plain for line in lines)


def places(text: str, *parts: str) -> list[int]:
    return [text.index(part) for part in parts]


def test_only_the_change_that_stands_above_is_to_be_proved() -> None:
    rated = SATURATED["analysis"]["performance_analysis"]
    others = rated | {"recommendations": ["Mend what fails.", *rated["recommendations"]]}
    mended = changed(SATURATED, analysis__performance_analysis=others)
    assert "Prove it" in text_of(report_lines(SATURATED, sheet=Sheet(glyphs=ASCII)))
    assert "Prove it" not in text_of(report_lines(mended, sheet=Sheet(glyphs=ASCII)))


def test_the_short_report_reads_as_it_was_drawn() -> None:
    assert text_of(report_lines(SATURATED, sheet=Sheet(glyphs=ASCII))) == (
        """\
60 tasks/s: same as your last 8 runs (+0.1 %, 95 % -0.2 to +0.4).      UNCHANGED
Limited by poll_delay: free slots are refilled only every 0.5 s.
Change poll_delay 0.5 -> 0.05: predicted 148/s (2.5x), ~2 % CPU per idle worker.
Prove it: loadlab try --change poll_delay=0.05 --repeat 5            about 2 min

tasks     1000 sent   998 ok   2 failed   0 lost   16.8 s   saturated
run time  p50 171 ms   p95 251 ms   p99 294 ms                            n 1000
wait      not judged: 400/s offered, more than it can take. Try --rate 40/s

ceilings, tasks/s
  poll_delay  ##############                            60  <- limit
  max_jobs    ######################################## 169
  (3 more, 300 and above: --detailed)
failed    2 x ValueError "bad input"                          failure_rate 0.2 %
note      worker, Redis and database share this machine
lt_20261123T094501_7f3a9c  io_simulation on load_test  1 worker x 30 slots"""
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("name", FINISHED)
def test_no_line_is_wider_than_the_page(name: str, glyphs: Any, width: int) -> None:
    sheet = Sheet(width=width, glyphs=glyphs)
    for document in (FINISHED[name], all_null(FINISHED[name])):
        for render in (report_lines, detailed_lines):
            assert max(line.cell_len for line in render(document, sheet=sheet)) <= width


@pytest.mark.parametrize("name", FINISHED)
def test_ascii_is_ascii(name: str) -> None:
    assert text_of(detailed_lines(FINISHED[name], sheet=Sheet(glyphs=ASCII))).isascii()


def test_only_labels_and_what_is_secondary_are_faint() -> None:
    tasks = next(
        line for line in report_lines(SATURATED, sheet=PAGE) if line.plain.startswith("tasks")
    )
    assert not tasks.style
    assert [(span.start, span.end) for span in tasks.spans if span.style == "dim"] == [(0, 10)]
    status, *_ = live_lines(RUNNING, sheet=PAGE)
    assert [status.plain[span.start : span.end] for span in status.spans if span.style] == [
        "RUNNING"
    ]


def test_thresholds_come_first_with_rule_limit_value_and_sign() -> None:
    text = text_of(report_lines(changed(SATURATED, thresholds=THRESHOLDS), sheet=PAGE))
    first, second, third = text.splitlines()[:3]
    assert first.split() == ["threshold", "limit", "value"]
    assert second.split() == ["p95_execution_time_ms", "<500", "251", "ms", "✓"]
    assert third.split() == ["p95_queue_wait_ms", "<=100", "n/a", "✗"]
    assert places(text, "void: more load", "60 tasks/s: same") == sorted(
        places(text, "void: more load", "60 tasks/s: same")
    )


@pytest.mark.parametrize(
    ("because", "said"),
    [
        ("18.7 is not >= 100", None),
        ("251.2 is < 500", None),
        ("18.7 is not >= 100; the queue kept up", "overall_throughput: the queue kept up"),
        ("no value: nothing was completed", "overall_throughput: no value: nothing was completed"),
    ],
)
def test_what_a_threshold_s_row_says_is_not_said_again(because: str, said: str | None) -> None:
    entry = {"expression": "overall_throughput>=100", "value": 18.7, "passed": False}
    document = changed(SATURATED, thresholds=[entry | {"because": because}])
    third = text_of(report_lines(document, sheet=PAGE)).splitlines()[2]
    assert third == (said or "")


def test_a_queue_that_keeps_up_shows_its_waits_and_a_saturated_one_does_not() -> None:
    keeping_up = text_of(report_lines(KEEPING_UP, sheet=PAGE))
    assert "wait      p50 252 ms   p95 477 ms" in keeping_up
    assert "sojourn   p50" in keeping_up
    assert "IMPROVED" in keeping_up
    assert "sojourn" not in text_of(report_lines(SATURATED, sheet=PAGE))
    assert "wait      p50" in text_of(report_lines(MIXED, sheet=PAGE))


def test_without_a_baseline_it_says_how_to_get_one_and_shows_no_verdict() -> None:
    text = text_of(report_lines(FIRST_RUN, sheet=PAGE))
    assert "No baseline yet: run this twice more, or pin this run." in text
    assert "NO_BASELINE" not in text
    assert "UNCHANGED" not in text


@pytest.mark.parametrize(
    ("document", "word"), [(FAILED, "FAILED"), (TIMED_OUT, "TIMED OUT"), (CANCELLED, "CANCELLED")]
)
def test_how_a_run_ended_stands_in_the_place_of_a_verdict(document: Any, word: str) -> None:
    assert text_of(report_lines(document, sheet=PAGE)).splitlines()[0].endswith(word)


def test_what_was_not_sent_and_what_was_lost_is_counted() -> None:
    assert "300 of 1000 sent" in text_of(report_lines(CANCELLED, sheet=PAGE))
    assert "180 cancelled" in text_of(report_lines(CANCELLED, sheet=PAGE))
    assert "400 lost" in text_of(report_lines(TIMED_OUT, sheet=PAGE))


def test_a_sentence_that_the_headline_holds_already_is_not_said_again() -> None:
    limit = SATURATED["gists"]["bottleneck"]
    text = text_of(report_lines(changed(SATURATED, headline=f"60/s. {limit}"), sheet=PAGE))
    assert text.count("free slots are refilled") == 1


def test_hostile_text_of_a_task_cannot_repaint_the_terminal() -> None:
    failures = [
        {"error_type": "E\x1b[2J", "count": 1, "example": "a\x1b]0;x\x07\n\u202eb\r日本" * 90}
    ]
    lines = detailed_lines(changed(SATURATED, analysis__failures=failures), sheet=PAGE)
    assert not any(ord(sign) < 32 or sign in "\x7f\u202e" for line in lines for sign in line.plain)
    assert max(line.cell_len for line in lines) <= 80


def test_a_binding_ceiling_is_shown_even_where_it_is_not_among_the_lowest() -> None:
    ceilings = SATURATED["analysis"]["bottleneck"]["ceilings"]
    document = changed(
        SATURATED,
        analysis__bottleneck__binding="arrivals",
        analysis__bottleneck__ceilings=[
            *ceilings,
            {"name": "arrivals", "throughput_per_s": 40.0, "formula": "", "inputs": {}},
        ],
    )
    assert "40  ← limit" in text_of(report_lines(document, sheet=PAGE))


def test_served_by_unequal_workers_says_only_what_is_known() -> None:
    text = text_of(report_lines(changed(SATURATED, analysis__environment__processes=4), sheet=PAGE))
    assert "4 workers, 30 slots" in text


def test_detailed_shows_every_figure_of_the_document() -> None:
    text = text_of(detailed_lines(SATURATED, sheet=PAGE))
    for name in ("steady_state_throughput", "io_efficiency_percent", "redis", "poll to poll"):
        assert name in text
    for section in ("metrics", "configuration"):
        assert all(name in text for name in SATURATED[section])
    for section in ("accounting", "environment", "timeline", "type_metrics", "baseline"):
        shown = [n for n in SATURATED["analysis"][section] if n not in {"interval_s", "figures"}]
        assert [name for name in shown if name not in text] == []


def test_detailed_begins_with_the_short_report() -> None:
    short = text_of(report_lines(SATURATED, sheet=PAGE))
    assert text_of(detailed_lines(SATURATED, sheet=PAGE)).startswith(short)


def test_a_group_has_a_line_for_each_run_and_its_summary() -> None:
    text = text_of(group_lines(GROUP, sheet=PAGE))
    for wanted in ("lt_20261123T094501_7f3a9c", "lt_20261123T094601_0b1c2d", "lg_0a1b2c3d4e5f"):
        assert wanted in text
    limits, headline = text.split("\n\n")[:2]
    assert limits.splitlines()[1].split() == ["p95_execution_time_ms", "<500", "254", "ms", "✓"]
    assert headline == "60 tasks/s in 2 runs, 0.1 % apart."
    spread = {"overall_throughput": {"mean": 59.4, "run_cv_percent": 2.8, "n": 2}}
    summary = {"figures": spread, "baseline": {"kind": "none", "figures": {"x": {"ratio": 1}}}}
    lines = text_of(group_lines({**GROUP, "summary": summary}, sheet=PAGE)).splitlines()
    assert "overall_throughput  59.4/s   2.8 %  2" in lines
    assert not any("baseline" in line for line in lines)
    assert (
        text_of(group_lines({"group_id": "lg_1", "runs": [], "summary": None}, sheet=PAGE))
        == "lg_1"
    )


@pytest.mark.parametrize(
    ("status", "progress", "said"),
    [
        ("pending", {"waiting_for": "after lt_1 on media"}, "It waits: after lt_1 on media."),
        ("pending", {"waiting_for": None, "dispatcher_alive": False}, "No dispatcher is running"),
        ("running", {"cancelling": True}, "CANCELLING  412 of 1000 finished"),
        ("cancelled", {"cancelling": True}, "CANCELLED  412 of 1000 finished"),
    ],
)
def test_a_run_says_what_it_waits_for(status: str, progress: dict[str, Any], said: str) -> None:
    document = {**RUNNING, "status": status, "progress": {**RUNNING["progress"], **progress}}
    assert said in text_of(run_lines(document, sheet=PAGE))


def test_a_running_run_shows_its_progress_and_no_verdict() -> None:
    text = text_of(live_lines(RUNNING, sheet=PAGE))
    assert "RUNNING  412 of 1000 finished, 2 failed" in text
    assert "about 10 s left" in text
    assert "41 %" in text
    assert "p95" not in text


@pytest.mark.parametrize("width", WIDTHS)
def test_a_waiting_run_without_any_figure_is_shown_too(width: int) -> None:
    document = {**BARE, "status": "pending", "progress": all_null(RUNNING["progress"])}
    lines = live_lines(document, sheet=Sheet(width=width))
    assert lines[0].plain.startswith("PENDING  0 of 0 finished")
    assert max(line.cell_len for line in lines) <= width


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def _paths(document: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(document, dict):
        return [path]
    below = (_paths(item, (*path, name)) for name, item in document.items())
    return [*([path] if path else []), *itertools.chain.from_iterable(below)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(_paths(SATURATED)), value=anything, width=st.sampled_from(WIDTHS))
def test_no_value_in_any_place_is_an_error(path: tuple[str, ...], value: Any, width: int) -> None:
    document = json.loads(json.dumps(SATURATED))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    lines = detailed_lines(document, sheet=Sheet(width=width))
    assert max(line.cell_len for line in lines) <= width
