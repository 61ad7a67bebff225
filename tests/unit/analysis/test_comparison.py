"""Verdicts on groups of runs: what is said, what is not, and why."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.analysis.comparison import Comparison, compare
from runs.analysis.comparison_words import comparison_because, figure_because, percent
from runs.analysis.effects import Spread
from runs.analysis.figure_comparison import FigureComparison
from runs.analysis.judged_figures import (
    FAILURE_RATE,
    P50_EXECUTION,
    P95_EXECUTION,
    P95_SOJOURN,
    STEADY_THROUGHPUT,
    THROUGHPUT,
    JudgedFigure,
    RunFigures,
    answer_of,
    family_of,
)
from runs.analysis.verdicts import Reason, Verdict, worst

STEADY = (1.0, 1.001, 0.999, 1.002, 0.998)
NOISY = (1.0, 1.04, 0.96, 1.05, 0.95)


def run(
    factor: float = 1.0, *, failed: int = 0, tasks: int = 1000, **changes: object
) -> RunFigures:
    """A saturated run of 60 tasks/s whose tasks take 171 ms, all slower by `factor`."""
    figures = RunFigures(
        run_id="lt_1",
        regime="saturated",
        values={
            "overall_throughput": 60 / factor,
            "p50_execution_time_ms": 171 * factor,
            "p95_execution_time_ms": 251 * factor,
            "p95_sojourn_time_ms": 660 * factor,
        },
        completed=tasks - failed,
        failed=failed,
        total_duration_s=16.8,
    )
    return replace(figures, **changes)  # type: ignore[arg-type]


def runs(noise: Sequence[float], *, slower: float = 1.0, failed: int = 0) -> list[RunFigures]:
    return [run(slower * factor, failed=failed) for factor in noise]


def only(comparison: Comparison, figure: JudgedFigure) -> FigureComparison:
    found = comparison.figure(figure.name)
    assert found is not None
    return found


def verdicts(comparison: Comparison) -> list[Verdict]:
    return [each.verdict for each in comparison.figures]


def test_the_steady_throughput_answers_where_every_run_has_one() -> None:
    steady = [
        replace(each, values={**each.values, "steady_state_throughput": 61.0})
        for each in runs(STEADY)
    ]
    assert answer_of(steady) is STEADY_THROUGHPUT
    assert answer_of([*steady, run()]) is THROUGHPUT
    assert answer_of([]) is THROUGHPUT


# Which word


def test_a_slow_down_of_ten_percent_in_steady_runs_is_a_regression() -> None:
    comparison = compare(runs(STEADY, slower=1.1), before=runs(STEADY))
    assert comparison.verdict is Verdict.REGRESSED
    assert verdicts(comparison) == [Verdict.REGRESSED] * 3 + [Verdict.UNCHANGED]
    throughput = only(comparison, THROUGHPUT)
    assert throughput.ratio == pytest.approx(1 / 1.1)
    assert throughput.reason is Reason.CHANGED
    assert throughput.interval is not None
    assert throughput.interval[1] < 0


def test_faster_is_improved_for_times_and_for_throughput() -> None:
    comparison = compare(runs(STEADY, slower=0.8), before=runs(STEADY))
    assert comparison.verdict is Verdict.IMPROVED
    assert verdicts(comparison) == [Verdict.IMPROVED] * 3 + [Verdict.UNCHANGED]


def test_equal_steady_runs_are_unchanged() -> None:
    comparison = compare(runs(STEADY), before=runs(STEADY))
    assert comparison.verdict is Verdict.UNCHANGED
    assert only(comparison, P50_EXECUTION).reason is Reason.WITHIN_MARGIN
    shown = only(comparison, P50_EXECUTION).would_have_shown
    assert shown is not None
    assert shown < 0.005


def test_a_change_below_the_margin_is_unchanged_however_sure() -> None:
    comparison = compare(runs(STEADY, slower=1.03), before=runs(STEADY))
    assert comparison.verdict is Verdict.UNCHANGED
    assert (
        compare(runs(STEADY, slower=1.03), before=runs(STEADY), min_effect=0.02).verdict
        is Verdict.REGRESSED
    )


def test_noise_is_inconclusive_and_says_what_it_excludes_and_what_would_settle_it() -> None:
    comparison = compare(runs(NOISY, slower=1.02), before=runs(NOISY))
    time = only(comparison, P50_EXECUTION)
    assert (time.verdict, time.reason) == (Verdict.INCONCLUSIVE, Reason.UNCERTAIN)
    assert time.interval is not None
    assert time.worst_possible == time.interval[1]
    assert time.best_possible == -time.interval[0]
    throughput = only(comparison, THROUGHPUT)
    assert throughput.interval is not None
    assert throughput.worst_possible == -throughput.interval[0]
    assert throughput.best_possible == throughput.interval[1]
    assert time.repeats is not None
    assert 10 < time.repeats < 40


def test_a_change_that_may_be_smaller_than_the_margin_is_not_called_one() -> None:
    noise = [1 + (factor - 1) / 2 for factor in NOISY]
    time = only(compare(runs(noise, slower=1.045), before=runs(noise)), P50_EXECUTION)
    assert (time.verdict, time.reason) == (Verdict.INCONCLUSIVE, Reason.BELOW_MARGIN)


def test_one_figure_of_several_may_stray_by_chance() -> None:
    """Its own interval excludes no change, but Holm's p over four figures does not."""
    now = [
        replace(each, values={**each.values, "p50_execution_time_ms": 171 * 1.07 * factor})
        for each, factor in zip(runs(NOISY, failed=2), NOISY, strict=True)
    ]
    time = only(compare(now, before=runs(NOISY, failed=2)), P50_EXECUTION)
    assert time.p_value is not None
    assert time.adjusted_p_value is not None
    assert time.p_value < 0.05 < time.adjusted_p_value
    assert (time.verdict, time.reason) == (Verdict.INCONCLUSIVE, Reason.ONE_OF_SEVERAL)
    assert time.family_size == 4


def test_the_worst_figure_decides_and_a_gain_counts_where_nothing_got_worse() -> None:
    assert worst([Verdict.IMPROVED, Verdict.REGRESSED, Verdict.UNCHANGED]) is Verdict.REGRESSED
    assert worst([Verdict.IMPROVED, Verdict.INCONCLUSIVE]) is Verdict.INCONCLUSIVE
    assert worst([Verdict.UNCHANGED, Verdict.IMPROVED]) is Verdict.IMPROVED
    assert worst([Verdict.UNCHANGED]) is Verdict.UNCHANGED
    assert worst([]) is Verdict.INCONCLUSIVE


def test_every_verdict_has_its_own_sign_or_none() -> None:
    assert [verdict.sign for verdict in Verdict] == ["↓", "?", "↑", "=", "", ""]


# How many runs


def test_one_run_against_a_steady_history() -> None:
    history = runs(STEADY * 4)
    same = compare([run(1.001)], before=history, spread=Spread.SHARED)
    assert same.verdict is Verdict.UNCHANGED
    slower = compare([run(1.1)], before=history, spread=Spread.SHARED)
    assert slower.verdict is Verdict.REGRESSED
    assert only(slower, THROUGHPUT).run_cv == pytest.approx(np.std(np.log(STEADY * 4), ddof=1))


def test_one_against_one_knows_nothing_and_says_how_many_would() -> None:
    comparison = compare([run(1.5)], before=[run()])
    assert comparison.verdict is Verdict.INCONCLUSIVE
    time = only(comparison, P50_EXECUTION)
    assert (time.reason, time.interval, time.p_value) == (Reason.ONE_AGAINST_ONE, None, None)
    assert time.worst_possible is time.best_possible is time.would_have_shown is None
    assert time.ratio == pytest.approx(1.5)
    assert time.repeats == 2  # 50 % at the CV of 3 % assumed
    assert only(compare([run()], before=[run()]), P50_EXECUTION).repeats == 7  # the margin of 5 %


def test_one_against_one_is_settled_by_a_history_that_tells_the_spread() -> None:
    comparison = compare([run(1.5)], before=[run()], also=runs(STEADY))
    assert comparison.verdict is Verdict.REGRESSED
    assert comparison.n_before == 1


def test_runs_that_do_not_vary_settle_nothing_unless_the_clock_explains_it() -> None:
    """Throughput without a duration has no clock step; times have one of a millisecond."""
    same = [run(total_duration_s=None)] * 3
    comparison = compare(same, before=same)
    throughput = only(comparison, THROUGHPUT)
    assert (throughput.verdict, throughput.reason) == (Verdict.INCONCLUSIVE, Reason.NO_SPREAD)
    assert only(comparison, P50_EXECUTION).verdict is Verdict.UNCHANGED
    assert compare([run()] * 3, before=[run()] * 3).verdict is Verdict.UNCHANGED


def test_against_a_history_the_repeats_are_those_of_the_run_alone() -> None:
    history = runs(NOISY * 4)
    time = only(compare([run(1.06)], before=history, spread=Spread.SHARED), P50_EXECUTION)
    alone = time.repeats
    group = only(compare(runs(NOISY, slower=1.06), before=runs(NOISY)), P50_EXECUTION).repeats
    assert alone is not None
    assert group is not None
    assert alone < group


# Which figures


@pytest.mark.parametrize(
    ("regimes", "answer"),
    [
        (["keeping_up", "keeping_up"], P95_SOJOURN),
        (["keeping_up", "saturated"], THROUGHPUT),
        (["mixed"], THROUGHPUT),
        ([None], THROUGHPUT),
        ([], THROUGHPUT),
    ],
)
def test_sojourn_time_is_judged_only_where_every_run_kept_up(
    regimes: list[str | None], answer: JudgedFigure
) -> None:
    family = family_of([run(regime=regime) for regime in regimes])
    assert family == (answer, P50_EXECUTION, P95_EXECUTION, FAILURE_RATE)


def test_a_figure_that_neither_has_is_left_out_and_one_that_one_lacks_settles_nothing() -> None:
    without = [
        replace(each, values={**each.values, "p95_execution_time_ms": None})
        for each in runs(STEADY)
    ]
    comparison = compare(without, before=without)
    assert comparison.left_out == (P95_EXECUTION,)
    assert comparison.verdict is Verdict.UNCHANGED
    comparison = compare(without, before=runs(STEADY))
    assert only(comparison, P95_EXECUTION).reason is Reason.MISSING
    assert comparison.verdict is Verdict.INCONCLUSIVE


def test_nothing_against_nothing() -> None:
    empty = RunFigures(run_id="lt_0")
    comparison = compare([empty], before=[empty])
    assert (comparison.figures, comparison.verdict) == ((), Verdict.INCONCLUSIVE)
    assert comparison.figure("overall_throughput") is None
    assert compare([], before=[]).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0.0, None])
def test_a_throughput_that_is_none_is_not_compared(value: float | None) -> None:
    odd = [run(values={"overall_throughput": value})]
    assert only(compare(odd, before=runs(STEADY)), THROUGHPUT).reason is Reason.MISSING


def test_times_below_five_milliseconds_are_too_coarse_to_judge() -> None:
    noop = [run(values={"p50_execution_time_ms": ms}) for ms in (0.0, 1.0, 0.0)]
    assert P50_EXECUTION in compare(noop, before=noop).left_out


def test_a_time_of_few_milliseconds_may_move_by_one_clock_step() -> None:
    before = [run(values={"p50_execution_time_ms": 10.0})] * 8
    now = [run(values={"p50_execution_time_ms": 10.0})] * 3
    time = only(compare(now, before=before, spread=Spread.SHARED), P50_EXECUTION)
    assert time.margin == pytest.approx(0.1)
    assert time.verdict is Verdict.UNCHANGED


def test_from_below_the_clock_to_well_above_it_is_a_regression() -> None:
    before = [run(values={"p50_execution_time_ms": ms}) for ms in (0.0, 0.0, 1.0, 0.0, 0.0)]
    now = [run(values={"p50_execution_time_ms": ms}) for ms in (50.0, 51.0, 50.0)]
    assert only(compare(now, before=before), P50_EXECUTION).verdict is Verdict.REGRESSED


# Failures


def test_no_failure_on_either_side_is_unchanged_without_a_test() -> None:
    failures = only(compare([run()], before=[run()]), FAILURE_RATE)
    assert (failures.verdict, failures.reason) == (Verdict.UNCHANGED, Reason.NO_FAILURES)
    assert (failures.value, failures.before, failures.ratio) == (0, 0, None)


def test_failures_where_there_were_none_are_a_regression() -> None:
    comparison = compare([run(failed=40)], before=runs(STEADY * 4), spread=Spread.SHARED)
    failures = only(comparison, FAILURE_RATE)
    assert failures.verdict is Verdict.REGRESSED
    assert (failures.value, failures.change, failures.ratio) == (4.0, 4.0, None)
    assert failures.ratio_interval is None
    assert failures.repeats is None
    assert failures.interval is not None
    assert 2 < failures.interval[0] < 4 < failures.interval[1] < 7


def test_fewer_failures_are_an_improvement() -> None:
    before = runs(STEADY, failed=300)
    assert only(compare(runs(STEADY, failed=100), before=before), FAILURE_RATE).verdict is (
        Verdict.IMPROVED
    )


def test_one_failure_of_few_tasks_settles_nothing() -> None:
    history = [run(tasks=50)] * 8
    failures = only(
        compare([run(tasks=50, failed=1)], before=history, spread=Spread.SHARED), FAILURE_RATE
    )
    assert (failures.verdict, failures.reason) == (Verdict.INCONCLUSIVE, Reason.UNCERTAIN)


def test_two_failures_of_a_thousand_are_as_good_as_none() -> None:
    history = runs(STEADY * 4)
    failures = only(compare([run(failed=2)], before=history, spread=Spread.SHARED), FAILURE_RATE)
    assert failures.verdict is Verdict.UNCHANGED


def test_a_large_failure_rate_that_moves_by_less_than_five_percent_of_itself() -> None:
    """30 % → 31 %: significant in so many tasks, a change of a thirtieth, no finding."""
    before = [run(failed=30_000, tasks=100_000)] * 20
    now = [run(failed=31_000, tasks=100_000)] * 20
    failures = only(compare(now, before=before), FAILURE_RATE)
    assert failures.p_value is not None
    assert failures.p_value < 1e-6
    assert failures.verdict is not Verdict.REGRESSED


def test_failures_that_vary_between_runs_are_judged_by_that_spread() -> None:
    """The same 4 % against 1 %: a finding where runs agree, none where they scatter."""
    scattered = [run(failed=failed) for failed in (0, 50, 0, 0, 0)]
    agreeing = [run(failed=10)] * 5
    now = [run(failed=40)]
    judged = [
        only(compare(now, before=before, spread=Spread.SHARED), FAILURE_RATE).verdict
        for before in (agreeing, scattered)
    ]
    assert judged == [Verdict.REGRESSED, Verdict.INCONCLUSIVE]


# Words


def test_each_verdict_is_one_plain_sentence() -> None:
    regressed = compare(runs(STEADY, slower=1.25), before=runs(STEADY))
    assert figure_because(only(regressed, THROUGHPUT)) == (
        "throughput 48/s against 60/s, -20.0 % (95 % -20.2 to -19.8)"
    )
    unchanged = compare(runs(STEADY), before=runs(STEADY))
    assert figure_because(only(unchanged, P50_EXECUTION)) == (
        "p50 execution time 171 ms against 171 ms, 0.0 % (95 % -0.2 to +0.2):"
        " anything above 0.2 % would have shown"
    )
    assert figure_because(only(unchanged, FAILURE_RATE)) == "no task failed, neither now nor before"
    uncertain = compare(runs(NOISY), before=runs(NOISY))
    assert figure_because(only(uncertain, P50_EXECUTION)) == (
        "p50 execution time 171 ms against 171 ms, 0.0 % (95 % -6.4 to +6.8):"
        " no slow-down above 6.8 % and no speed-up above 6.4 %; 19 runs a side would settle it"
    )
    alone = compare([run(1.5)], before=[run()])
    assert figure_because(only(alone, THROUGHPUT)) == (
        "throughput 40/s against 60/s, -33.3 %: one run against one cannot tell a change from the"
        " difference between any two runs; 2 runs a side would settle it if runs vary by 3.0 %"
    )


def test_a_failure_rate_is_said_in_points() -> None:
    comparison = compare(
        [run(tasks=50, failed=1)], before=[run(tasks=50)] * 8, spread=Spread.SHARED
    )
    assert figure_because(only(comparison, FAILURE_RATE)) == (
        "failure rate 2 % against 0 %, +2.00 points (95 % -0.89 to +10.61):"
        " no rise above 10.61 points and no fall above 0.89 points"
    )


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (Reason.BELOW_MARGIN, "perhaps one below the 5.0 %"),
        (Reason.ONE_OF_SEVERAL, "one of 4 figures strays so far by chance too often"),
        (Reason.NO_SPREAD, "do not vary"),
        (Reason.MISSING, "no value on one side"),
    ],
)
def test_every_reason_has_words(reason: Reason, says: str) -> None:
    uncertain = only(compare(runs(NOISY, failed=2), before=runs(NOISY, failed=2)), P50_EXECUTION)
    assert says in figure_because(replace(uncertain, reason=reason))


def test_a_side_without_a_value_is_named_without_one() -> None:
    odd = [run(values={})]
    assert figure_because(only(compare(odd, before=runs(STEADY)), THROUGHPUT)) == (
        "throughput has no value on one side, so there is nothing to compare"
    )


def test_the_whole_is_one_sentence_too() -> None:
    history = "your last 5 runs"
    same = compare(runs(STEADY), before=runs(STEADY))
    assert comparison_because(same, against=history) == (
        "the same as your last 5 runs in throughput, p50 execution time, p95 execution time and"
        " failure rate: a change above 0.2 % would have shown"
    )
    slower = compare(runs(STEADY, slower=1.25), before=runs(STEADY))
    assert comparison_because(slower, against=history) == (
        "against your last 5 runs: p50 execution time 214 ms against 171 ms, +25.0 % (95 % +24.7"
        " to +25.3); regressed too: throughput and p95 execution time"
    )
    nothing = compare([], before=[])
    assert comparison_because(nothing, against=history) == (
        "nothing to compare with your last 5 runs: no figure has a value in these runs"
    )
    failing_only = compare(
        [RunFigures(run_id="a", completed=9)], before=[RunFigures(run_id="b", completed=9)]
    )
    assert comparison_because(failing_only, against=history) == (
        "the same as your last 5 runs in failure rate"
    )


def test_an_inconclusive_whole_still_tells_what_improved() -> None:
    now = [
        replace(each, values={**each.values, "p95_execution_time_ms": 251 * factor})
        for each, factor in zip(runs(STEADY, slower=0.5), NOISY, strict=True)
    ]
    before = [
        replace(each, values={**each.values, "p95_execution_time_ms": 251 * factor})
        for each, factor in zip(runs(STEADY), NOISY, strict=True)
    ]
    said = comparison_because(compare(now, before=before), against="A")
    assert said.startswith("against A: p95 execution time 251 ms against 251 ms")
    assert said.endswith("improved: throughput and p50 execution time")


def test_percents_are_short() -> None:
    assert [percent(share, signed=True) for share in (0.1234, 1.49, -0.0001, 0.0)] == [
        "+12.3",
        "+149",
        "0.0",
        "0.0",
    ]
    assert percent(0.05) == "5.0"


# Calibration and robustness


@pytest.mark.parametrize(("group", "history"), [(1, 3), (3, 8), (5, 20)])
def test_unchanged_runs_are_seldom_called_changed(group: int, history: int) -> None:
    """`bench/verdict_calibration.py` has the whole table; this is one seed of it."""
    rng = np.random.default_rng(group)
    replications, wrong = 400, 0
    for _ in range(replications):
        noise = np.exp(0.03 * rng.standard_normal((group + history, 3)))
        everyone = [
            run(values={name: 100.0 * factor for name, factor in zip(NAMES, row, strict=True)})
            for row in noise.tolist()
        ]
        comparison = compare(everyone[:group], before=everyone[group:], spread=Spread.SHARED)
        wrong += comparison.verdict in {Verdict.REGRESSED, Verdict.IMPROVED}
    assert wrong / replications <= 0.05


NAMES = ("overall_throughput", "p50_execution_time_ms", "p95_execution_time_ms")
odd_values = st.none() | st.floats() | st.floats(0, 1e4)
odd_runs = st.lists(
    st.builds(
        RunFigures,
        run_id=st.just("lt_x"),
        regime=st.sampled_from(["saturated", "keeping_up", "mixed", None]),
        values=st.dictionaries(st.sampled_from([*NAMES, "p95_sojourn_time_ms"]), odd_values),
        completed=st.integers(0, 2000),
        failed=st.integers(0, 2000),
        total_duration_s=st.none() | st.floats(-1, 1e4),
    ),
    max_size=5,
)


@given(now=odd_runs, before=odd_runs, spread=st.sampled_from(Spread))
@settings(max_examples=200, deadline=None)
def test_whatever_runs_hold_they_are_judged_and_said(
    now: list[RunFigures], before: list[RunFigures], spread: Spread
) -> None:
    comparison = compare(now, before=before, spread=spread)
    assert comparison_because(comparison, against="A")
    for each in comparison.figures:
        assert figure_because(each)
        assert each.verdict in {*Verdict} - {Verdict.INCOMPARABLE, Verdict.NO_BASELINE}
        if each.interval is not None and each.change is not None:
            assert each.interval[0] <= each.change + 1e-9 <= each.interval[1] + 2e-9


@given(now=odd_runs, before=odd_runs)
@settings(deadline=None)
def test_looking_the_other_way_round_turns_the_verdict(
    now: list[RunFigures], before: list[RunFigures]
) -> None:
    turned = {Verdict.REGRESSED: Verdict.IMPROVED, Verdict.IMPROVED: Verdict.REGRESSED}
    there, back = compare(now, before=before), compare(before, before=now)
    for one, other in zip(there.figures, back.figures, strict=True):
        if one.p_value is not None and min(len(one.values), len(other.values)) >= 3:
            assert one.p_value == pytest.approx(other.p_value)
        if one.reason is other.reason is Reason.CHANGED:
            assert other.verdict is turned[one.verdict]


def test_the_rank_test_stands_beside() -> None:
    ranks = only(compare(runs(STEADY, slower=1.1), before=runs(STEADY)), P50_EXECUTION).ranks
    assert ranks is not None
    assert ranks.p_value == pytest.approx(2 / 252)
    assert ranks.shift == pytest.approx(17.1, rel=0.02)
