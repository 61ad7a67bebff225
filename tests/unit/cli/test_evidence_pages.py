"""Explanations, comparisons, noise and workloads, as people see them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from runs.cli.rendering.baselines import baseline_row_lines
from runs.cli.rendering.comparison import change_of, comparison_lines, interval_of
from runs.cli.rendering.explanation import explanation_lines
from runs.cli.rendering.noise import noise_lines
from runs.cli.rendering.sheet import Lines, Sheet

from .documents import COMPARISON, EXPLANATION, NOISE, WORKLOADS, all_null, changed

PAGE = Sheet()
PAGES: Sequence[tuple[Callable[..., Lines], Any]] = (
    (explanation_lines, EXPLANATION),
    (comparison_lines, COMPARISON),
    (noise_lines, NOISE),
    (baseline_row_lines, WORKLOADS),
)


def text_of(lines: Lines) -> str:
    return "\n".join(line.plain for line in lines)


@pytest.mark.parametrize("width", [50, 80])
@pytest.mark.parametrize(("render", "document"), PAGES)
def test_no_line_is_wider_than_the_page(
    render: Callable[..., Lines], document: Any, width: int
) -> None:
    nothing = [all_null(row) for row in document] if isinstance(document, list) else {}
    for shown in (document, nothing):
        lines = render(shown, sheet=Sheet(width=width))
        assert max((line.cell_len for line in lines), default=0) <= width


def test_an_explanation_names_whom_it_is_about_the_ceilings_and_whether_a_rate_fits() -> None:
    text = text_of(explanation_lines(EXPLANATION, sheet=PAGE))
    for said in (
        "served by  2 workers, 20 slots (heartbeats)",
        "task time  200 ms (given)",
        "rate       40/s: it fits, 66.7 % of 60/s",
        "60  ← limit",
        "max_jobs 30 slots (heartbeat)",
        "predicted_throughput_per_s  148/s",
        "note      redis is left out",
    ):
        assert said in text


def test_an_explanation_leads_with_the_limit_and_what_to_change() -> None:
    told = {
        **EXPLANATION,
        "headline": "Would be limited by poll_delay at 60/s.",
        "action": "Change poll_delay 0.5 → 0.05: predicted 148/s.",
    }
    text = text_of(explanation_lines(told, sheet=PAGE))
    assert text.startswith("media\nWould be limited by poll_delay at 60/s.\nserved by")
    assert "Change poll_delay 0.5 → 0.05: predicted 148/s." in text
    assert "predicted_throughput_per_s" not in text
    fitting = text_of(explanation_lines(changed(told, rate__because="It fits well."), sheet=PAGE))
    assert "rate       It fits well." in fitting


@pytest.mark.parametrize(("fits", "said"), [(False, "too much"), (None, "not known")])
def test_a_rate_that_does_not_fit_is_too_much(fits: bool | None, said: str) -> None:
    text = text_of(explanation_lines(changed(EXPLANATION, rate__fits=fits), sheet=PAGE))
    assert f"40/s: {said}" in text


def test_a_comparison_leads_with_its_sentence_and_shows_every_figure() -> None:
    lines = [line.plain for line in comparison_lines(COMPARISON, sheet=PAGE)]
    assert lines[0].startswith("poll_delay 0.5 → 0.05: 2.49×")
    assert lines[0].endswith("IMPROVED")
    throughput, failures, _ = lines[2:5]
    assert throughput.split() == [
        "throughput",
        "59.6/s",
        "148/s",
        "+149.0",
        "%",
        "+148.0",
        "to",
        "+150.0",
        "improved",
    ]
    assert failures.split()[-6:] == ["+0.20", "points", "-0.10", "to", "+0.40", "unchanged"]
    assert "changed   arq_settings.poll_delay_s 0.5 → 0.05" in lines
    promise = {**COMPARISON, "predicted": {"because": "The laws promise 148/s."}}
    assert "predicted  The laws promise 148/s." in text_of(comparison_lines(promise, sheet=PAGE))


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        ("overall_throughput", 0.1, "+10.0 %"),
        ("overall_throughput", -0.004, "-0.4 %"),
        ("failure_rate_percent", 0.1, "+0.10 points"),
        ("overall_throughput", None, "n/a"),
        ("overall_throughput", True, "n/a"),
    ],
)
def test_changes_are_percent_and_those_of_percentages_are_points(
    name: str, change: Any, text: str
) -> None:
    assert change_of(name, change) == text


def test_an_interval_needs_two_ends() -> None:
    assert interval_of("overall_throughput", [-0.1, 0.2]) == "-10.0 to +20.0"
    assert interval_of("overall_throughput", [0.1]) == "n/a"


def test_noise_tells_the_smallest_change_and_what_a_gate_needs() -> None:
    text = text_of(noise_lines(NOISE, sheet=PAGE))
    row = next(line for line in text.splitlines() if line.startswith("overall_throughput "))
    assert row.split() == ["overall_throughput", "3", "56.3/s", "2.82", "%", "6.51", "%"]
    assert "overall_throughput: a gate at 5.0% needs 6 runs a side" in text
    assert text.endswith("lg_a")
    named = [{**entry, "label": "throughput"} for entry in NOISE["figures"][:1]]
    told = {**NOISE, "headline": "From run to run it varies.", "figures": named}
    text = text_of(noise_lines(told, sheet=PAGE))
    assert text.startswith("From run to run it varies.\n")
    assert "throughput: a gate at 5.0% needs 6 runs a side" in text


def test_a_workload_shows_its_last_figure_its_baseline_and_since_when() -> None:
    text = text_of(baseline_row_lines(WORKLOADS, sheet=PAGE))
    for said in (
        "1000 × io_simulation on load_test",
        "REGRESSED",
        "last run  throughput 45/s against 60/s (n 8)",
        "history   ▅▅ ▁",
        "since     throughput fell by 25 %",
        "pinned    lt_20261122T094500_7f3a9c",
        "noop at 5/s for 2 s on media",
        "no baseline",
    ):
        assert said in text
    nothing = baseline_row_lines([], sheet=PAGE)
    assert text_of(nothing) == "No workload has a finished run."
