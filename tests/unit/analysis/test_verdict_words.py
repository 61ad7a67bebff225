"""How the headline says what other runs say."""

from dataclasses import replace

import pytest

from runs.analysis.history import Baseline, BaselineKind
from runs.analysis.judged_figures import RunFigures
from runs.analysis.judgement import Judgement, judge, no_baseline
from runs.analysis.verdict_words import against, verdict_clause
from runs.analysis.verdicts import Verdict

STEADY = (1.0, 1.001, 0.999, 1.002, 0.998, 1.0, 1.001, 0.999)
NOISY = (1.0, 1.2, 0.85, 1.1, 0.9)


def run(
    throughput: float = 60.0,
    *,
    run_id: str = "lt_0",
    p95: float = 251.0,
    failed: int = 0,
    regime: str = "saturated",
) -> RunFigures:
    return RunFigures(
        run_id=run_id,
        regime=regime,
        values={
            "overall_throughput": throughput,
            "p95_sojourn_time_ms": p95 * 2,
            "p50_execution_time_ms": 171.0,
            "p95_execution_time_ms": p95,
        },
        completed=1000 - failed,
        failed=failed,
        total_duration_s=16.8,
    )


def history(factors: tuple[float, ...] = STEADY, *, regime: str = "saturated") -> Baseline:
    return Baseline(
        kind=BaselineKind.HISTORY,
        runs=tuple(
            run(60 * factor, p95=251 * factor, run_id=f"lt_{i}", regime=regime)
            for i, factor in enumerate(factors)
        ),
    )


def judged(
    now: RunFigures, before: Baseline | None = None, *, doubts: tuple[str, ...] = ()
) -> Judgement:
    return judge([now], baseline=before or history(), doubts=doubts)


def clause(judgement: Judgement) -> str:
    return verdict_clause(judgement, with_interval=True)


def test_the_same_as_before_with_its_interval() -> None:
    same = judged(run(60.06))
    assert same.verdict is Verdict.UNCHANGED
    assert clause(same).startswith("the same as your last 8 runs (+0.1 %, 95 % -")
    assert verdict_clause(same, with_interval=False) == "the same as your last 8 runs"


def test_slower_and_faster_than_before() -> None:
    slower = judged(run(52.8))
    assert clause(slower).startswith("12.0 % slower than your last 8 runs (95 % -1")
    assert verdict_clause(judged(run(72.0)), with_interval=False) == (
        "20.0 % faster than your last 8 runs"
    )


def test_sooner_and_later_where_the_queue_keeps_up() -> None:
    kept = history(regime="keeping_up")
    sooner = verdict_clause(judged(run(p95=223, regime="keeping_up"), kept), with_interval=False)
    assert sooner == "11.2 % sooner than your last 8 runs"
    later = verdict_clause(judged(run(p95=301, regime="keeping_up"), kept), with_interval=False)
    assert later == "19.9 % later than your last 8 runs"


def test_another_figure_that_decided_is_named() -> None:
    assert verdict_clause(judged(run(p95=301)), with_interval=False) == (
        "p95 execution time 19.9 % longer than your last 8 runs"
    )
    assert clause(judged(run(failed=100))).startswith("failure rate 10 points higher than your")
    shorter = verdict_clause(judged(run(p95=200)), with_interval=False)
    assert shorter == "p95 execution time 20.3 % shorter than your last 8 runs"


def test_inconclusive_says_what_is_possible() -> None:
    unsure = judged(run(58.0), history(NOISY))
    assert unsure.verdict is Verdict.INCONCLUSIVE
    said = clause(unsure)
    assert said.startswith("between ")
    assert "% slower and " in said
    assert said.endswith("% faster than your last 5 runs")


def test_a_gain_is_said_beside_what_is_not_settled() -> None:
    noisy_times = Baseline(
        kind=BaselineKind.HISTORY,
        runs=tuple(
            run(60 * steady, p95=251 * factor, run_id=f"lt_{i}")
            for i, (steady, factor) in enumerate(zip(STEADY, NOISY, strict=False))
        ),
    )
    mixed = judged(run(120.0, p95=255), noisy_times)
    assert mixed.verdict is Verdict.INCONCLUSIVE
    said = clause(mixed)
    assert said.startswith("100 % faster than your last 5 runs (95 % +99.")
    assert said.endswith("), but p95 execution time is not settled")
    assert verdict_clause(mixed, with_interval=False) == (
        "100 % faster than your last 5 runs, but p95 execution time is not settled"
    )


def test_bounds_of_another_figure_name_it_once() -> None:
    noisy_times = Baseline(
        kind=BaselineKind.HISTORY,
        runs=tuple(run(p95=251 * factor, run_id=f"lt_{i}") for i, factor in enumerate(NOISY)),
    )
    said = clause(judged(run(p95=255), noisy_times))
    assert said.startswith("p95 execution time between ")
    assert said.count("p95") == 1
    assert said.endswith("% longer than your last 5 runs")


def test_bounds_that_exclude_nothing_are_not_said() -> None:
    unsure = judged(run(60.0), history((0.3, 3.0)))
    assert clause(unsure) == (
        "no telling a change in throughput from chance beside your last 2 runs"
    )
    assert ", +5.4 %: too uncertain to exclude anything" in unsure.because


def test_a_change_too_small_or_too_unlikely_is_perhaps_one() -> None:
    small = judged(run(57.02))
    assert small.verdict is Verdict.INCONCLUSIVE
    assert clause(small) == "perhaps 5.0 % slower than your last 8 runs"


def test_one_run_against_one_cannot_tell() -> None:
    pinned = Baseline(kind=BaselineKind.PINNED, runs=(run(run_id="lt_pin"),))
    assert clause(judged(run(50.0), pinned)) == (
        "no telling a change from chance beside your pinned run"
    )


def test_doubts_about_the_measurement_come_first() -> None:
    doubtful = judged(run(60.06), doubts=("3 jobs of others stood on the queue",))
    assert clause(doubtful) == "inconclusive, 3 jobs of others stood on the queue"


def test_nothing_to_say_is_not_said() -> None:
    assert clause(no_baseline(0)) == ""
    silent = judged(run(60.06))
    assert silent.comparison is not None
    empty = replace(silent, comparison=replace(silent.comparison, figures=()))
    assert clause(empty) == "nothing in common with your last 8 runs to compare"


@pytest.mark.parametrize(
    ("kind", "runs", "said"),
    [
        (BaselineKind.HISTORY, 8, "your last 8 runs"),
        (BaselineKind.PINNED, 1, "your pinned run"),
        (BaselineKind.PINNED, 3, "your 3 pinned runs"),
        (BaselineKind.FILE, 1, "the run in the file"),
        (BaselineKind.FILE, 5, "the 5 runs in the file"),
    ],
)
def test_whom_a_run_is_compared_with(kind: BaselineKind, runs: int, said: str) -> None:
    ids = tuple(f"lt_{i}" for i in range(runs))
    assert against(Judgement(kind=kind, verdict=Verdict.UNCHANGED, because="", runs=ids)) == said
