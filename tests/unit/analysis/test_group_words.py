"""What repeats of one run say together."""

import pytest

from runs.analysis.group_words import group_headline, noise_headline
from runs.analysis.history import Baseline, BaselineKind
from runs.analysis.judged_figures import RunFigures
from runs.analysis.judgement import judge, no_baseline
from runs.analysis.repeats import judge_gate, noise_of

STEADY = (1.0, 1.001, 0.999, 1.002, 0.998)


def runs(*, regime: str = "saturated", slower: float = 1.0) -> list[RunFigures]:
    return [
        RunFigures(
            run_id=f"lt_{i}",
            regime=regime,
            values={
                "overall_throughput": 60 / slower / factor,
                "p95_sojourn_time_ms": 660 * slower * factor,
            },
            completed=1000,
            total_duration_s=16.8,
        )
        for i, factor in enumerate(STEADY)
    ]


def test_a_group_says_its_answer_and_how_that_stands() -> None:
    baseline = Baseline(kind=BaselineKind.HISTORY, runs=tuple(runs()))
    judgement = judge(runs(), baseline=baseline)
    said = group_headline(runs(), judgement=judgement)
    assert said.startswith("60 tasks/s over 5 runs: the same as your last 5 runs (0.0 %, 95 % -0.")
    slower = judge(runs(slower=1.1), baseline=baseline)
    assert group_headline(runs(slower=1.1), judgement=slower).startswith(
        "55 tasks/s over 5 runs: 9.1 % slower than your last 5 runs (95 % -9."
    )


def test_without_a_baseline_only_the_answer() -> None:
    assert group_headline(runs(), judgement=no_baseline(0)) == "60 tasks/s over 5 runs."
    kept = group_headline(runs(regime="keeping_up"), judgement=no_baseline(0))
    assert kept == "95 % are done within 660 ms over 5 runs."
    nothing = group_headline([RunFigures(run_id="lt_1")], judgement=no_baseline(0))
    assert nothing == "No figure that answers anything over 1 run."


@pytest.mark.parametrize(
    ("gate", "ending"),
    [
        (None, "3 runs a side show a change of 8.8 % or more."),
        (0.1, "a gate at 10 % holds with 3 runs a side."),
        (0.05, "a gate at 5 % needs 7 runs a side."),
        (0.0001, "a gate at 0.01 % needs more than 1000 runs a side."),
    ],
)
def test_what_a_spread_allows(gate: float | None, ending: str) -> None:
    noise = noise_of([97.0, 100.0, 102.7], figure="throughput")
    judged = None if gate is None else judge_gate(gate, cv=noise.cv or 0, n=3)
    said = noise_headline(noise, gate=judged)
    assert said.startswith("From run to run throughput varies by 2.9 %: ")
    assert said.endswith(ending)


def test_without_a_spread_its_reason() -> None:
    said = noise_headline(noise_of([5.0], figure="throughput"), gate=None)
    assert said == "throughput: 1 of 1 runs have it; two are the fewest that vary."
