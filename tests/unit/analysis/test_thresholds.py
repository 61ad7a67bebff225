"""Limits for a pipeline: read before the run, judged after it, never passed for want of a value."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.analysis.report_figures import (
    KNOWN_FIGURES,
    FigureKind,
    UnknownFigureError,
    find_figure,
    report_value,
)
from runs.analysis.thresholds import (
    ThresholdError,
    ThresholdResult,
    judge_group_thresholds,
    judge_thresholds,
    parse_threshold,
)


def report(**analysis: Any) -> dict[str, Any]:
    return {
        "status": "completed",
        "metrics": {"overall_throughput": 59.4, "failure_rate_percent": 0.2},
        "analysis": {
            "regime": "saturated",
            "performance_analysis": {"throughput_rating": "good", "queue_pressure": "moderate"},
            "task_metrics": {
                "n": 998,
                "p95_execution_time_ms": 251.2,
                "p99_execution_time_ms": None,
                "p95_queue_wait_ms": 9000.0,
            },
            "baseline": {"kind": "history", "verdict": "unchanged", "because": "same as ever"},
            **analysis,
        },
        "notes": ["p99_execution_time_ms needs 100 completed tasks; there are 98."],
    }


def judged(expression: str, document: dict[str, Any]) -> tuple[bool, str]:
    [result] = judge_thresholds([parse_threshold(expression)], report=document)
    return result.passed, result.because


@pytest.mark.parametrize(
    ("expression", "passed"),
    [
        ("p95_execution_time_ms<500", True),
        ("p95_execution_time_ms < 251.2", False),
        ("p95_execution_time_ms<=251.2", True),
        ("overall_throughput>=20", True),
        ("metrics.overall_throughput>59.4", False),
        ("failure_rate_percent==0.2", True),
        ("failure_rate_percent!=.2", False),
        ("overall_throughput<+6e1", True),
        ("overall_throughput>-1", True),
        ("throughput_rating>=moderate", True),
        ("throughput_rating>=excellent", False),
        ("throughput_rating<excellent", True),
        ("queue_pressure<high", True),
        ("verdict!=regressed", True),
        ("verdict==unchanged", True),
        ("verdict>=improved", False),
        ("status==completed", True),
        ("regime!=saturated", False),
        ("baseline.kind==history", True),
        ("task_metrics.n>900", True),
    ],
)
def test_limits_are_judged(expression: str, passed: bool) -> None:
    assert judged(expression, report())[0] is passed


def test_all_are_judged_in_order_with_the_value_beside_the_limit() -> None:
    expressions = ["overall_throughput>=20", " p95_execution_time_ms<200 "]
    results = judge_thresholds([parse_threshold(each) for each in expressions], report=report())
    assert [result.as_document() for result in results] == [
        {
            "expression": "overall_throughput>=20",
            "value": 59.4,
            "passed": True,
            "because": "59.4 is >= 20",
        },
        {
            "expression": "p95_execution_time_ms<200",
            "value": 251.2,
            "passed": False,
            "because": "251.2 is not < 200",
        },
    ]


def test_a_null_figure_fails_and_quotes_the_note() -> None:
    passed, because = judged("p99_execution_time_ms<5000", report())
    assert not passed
    assert because.endswith("needs 100 completed tasks; there are 98.")


@pytest.mark.parametrize(
    "document", [{}, {"analysis": 3, "notes": "none"}, report(task_metrics=[])]
)
def test_a_figure_that_is_not_there_fails(document: dict[str, Any]) -> None:
    assert judged("p95_execution_time_ms<5000", document) == (
        False,
        "no value: this run could not compute it",
    )


@pytest.mark.parametrize("value", [True, "251", float("nan"), float("inf"), [1], {"ms": 3}])
def test_a_value_of_the_wrong_kind_fails_and_is_shown(value: object) -> None:
    passed, because = judged(
        "p95_execution_time_ms!=5000", report(task_metrics={"p95_execution_time_ms": value})
    )
    assert not passed
    assert "no value of p95_execution_time_ms" in because


def test_an_unknown_word_in_a_report_fails() -> None:
    assert not judged("verdict!=regressed", report(baseline={"verdict": "splendid"}))[0]
    assert not judged("verdict!=regressed", report(baseline={"verdict": 7}))[0]


def test_waits_are_void_in_a_saturated_run_and_only_there() -> None:
    passed, because = judged("p95_queue_wait_ms<10000", report())
    assert not passed
    assert because.startswith("void: more load was offered")
    assert judged("p95_queue_wait_ms<10000", report(regime="keeping_up"))[0]
    assert judged("p95_queue_wait_ms<10000", report(regime="mixed"))[0]
    assert not judged("p95_sojourn_time_ms<10000", report())[0]  # void even where it is null


def test_throughput_of_a_queue_that_keeps_up_is_said_to_be_the_load_offered() -> None:
    passed, because = judged("overall_throughput>=20", report(regime="keeping_up"))
    assert passed
    assert "the load offered" in because


@pytest.mark.parametrize("verdict", ["inconclusive", "incomparable", "no_baseline"])
def test_a_verdict_that_settles_nothing_is_not_regressed_but_said_aloud(verdict: str) -> None:
    document = report(baseline={"verdict": verdict, "because": "only one run"})
    assert judged("verdict!=regressed", document) == (
        True,
        f"{verdict} is != regressed; {verdict}: only one run",
    )
    assert not judged("verdict==unchanged", document)[0]
    assert (
        "settles nothing" in judged("verdict!=regressed", report(baseline={"verdict": verdict}))[1]
    )


def test_an_inconclusive_verdict_is_worse_than_unchanged() -> None:
    assert not judged("verdict>=unchanged", report(baseline={"verdict": "inconclusive"}))[0]


def test_what_is_unrated_is_neither_good_nor_bad() -> None:
    document = report(performance_analysis={"throughput_rating": "unrated"})
    assert judged("throughput_rating>=poor", document) == (
        False,
        "unrated is neither above nor below poor; unrated: there is no baseline to rate it by",
    )
    assert judged("throughput_rating!=poor", document)[0]


@pytest.mark.parametrize(
    ("expression", "caret", "says"),
    [
        ("p95_executon_time_ms<500", "^" * 20, "p95_execution_time_ms"),
        ("duration<3", "^" * 8, "total_duration_seconds"),
        ("task_metrics.p95_wait<3", "^" * 21, "analysis.task_metrics.p95_queue_wait_ms"),
        ("n>3", "^", "analysis.task_metrics.n, analysis.baseline.n"),
        ("overall_throughput=>20", " " * 18 + "^", "<="),
        ("overall_throughput", " " * 18 + "^", "expected one of"),
        ("overall_throughput < 20/s", " " * 23 + "^^", "unit"),
        ("overall_throughput<", " " * 19 + "^", "finite number"),
        ("overall_throughput<1e999", " " * 19 + "^" * 5, "finite number"),
        ("overall_throughput<nan", " " * 19 + "^" * 3, "finite number"),
        ("verdict>=good", " " * 9 + "^" * 4, "regressed, inconclusive, unchanged, improved"),
        ("throughput_rating>=", " " * 19 + "^", "poor, moderate, good, excellent"),
        ("status>=completed", " " * 6 + "^^", "no order"),
        ("<500", "^", "begins with a figure"),
        ("", "^", "one figure, one sign, one value"),
        ("   ", "^", "one figure, one sign, one value"),
    ],
)
def test_a_wrong_expression_is_refused_with_a_caret_under_the_place(
    expression: str, caret: str, says: str
) -> None:
    with pytest.raises(ThresholdError) as refused:
        parse_threshold(expression)
    shown, place, problem = str(refused.value).split("\n")
    assert (shown, place) == (expression.strip(), caret)
    assert says in problem


def test_what_is_no_line_at_all_is_shown_harmlessly() -> None:
    with pytest.raises(ThresholdError) as refused:
        parse_threshold("overall\nthroughput\x1b[31m<5")
    assert "\x1b" not in str(refused.value)
    with pytest.raises(ThresholdError) as refused:
        parse_threshold("a" * 100_000)
    assert len(str(refused.value)) < 400


def test_every_known_figure_is_found_by_its_path_and_nothing_hides_another() -> None:
    for path, figure in KNOWN_FIGURES.items():
        assert find_figure(path) is figure
        assert find_figure(path.partition(".")[2] or path) is figure
        assert (figure.words == ()) is (figure.kind is FigureKind.NUMBER)


def test_figures_named_by_task_types_and_users_are_taken_as_they_come() -> None:
    assert find_figure("type_metrics.my_own.p95").path == "analysis.type_metrics.my_own.p95"
    assert find_figure("analysis.custom_analysis.a.b").path == "analysis.custom_analysis.a.b"
    settings = "environment.arq_settings.poll_delay_s"
    assert find_figure(settings).path == f"analysis.{settings}"
    parameter = "configuration.parameters.duration_ms"
    assert find_figure(parameter).path == parameter
    with pytest.raises(UnknownFigureError):
        find_figure("type_metrics.my_own.p96")


def test_report_value_of_nothing() -> None:
    assert report_value({"a": {"b": 1}}, path="a.b") == 1
    assert report_value({"a": None}, path="a.b") is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_three_lines(text: str) -> None:
    with contextlib.suppress(ThresholdError):
        assert parse_threshold(text).expression == text.strip()
        return
    with pytest.raises(ThresholdError) as refused:
        parse_threshold(text)
    shown, place, problem = str(refused.value).split("\n")
    assert place.strip("^ ") == ""
    assert refused.value.at <= len(shown)
    assert problem


@given(
    path=st.sampled_from(sorted(KNOWN_FIGURES)),
    sign=st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]),
    limit=st.floats(allow_nan=False, allow_infinity=False),
    spaces=st.text(" ", max_size=2),
    document=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["analysis", "metrics", "baseline", "n"]), inner)
        ),
    ),
)
def test_reading_gives_back_what_was_written_and_no_report_breaks_it(
    path: str, sign: str, limit: float, spaces: str, document: Any
) -> None:
    figure = KNOWN_FIGURES[path]
    if figure.kind is FigureKind.NUMBER:
        threshold = parse_threshold(f"{path}{spaces}{sign}{spaces}{limit!r}")
        assert (threshold.figure, threshold.sign, threshold.limit) == (figure, sign, limit)
        holder = document if isinstance(document, dict) else {}
        assert len(judge_thresholds([threshold], report=holder)) == 1


# Groups of repeats


def of_group(expression: str, *, verdict: str = "unchanged") -> ThresholdResult:
    """On three runs of which one alone was called regressed, and together something else."""
    runs = [
        {**report(task_metrics={"n": 998, "p95_execution_time_ms": p95}), "status": status}
        for p95, status in ((250.0, "completed"), (262.0, "completed"), (255.0, "timed_out"))
    ]
    runs[1]["analysis"]["baseline"] = {"verdict": "regressed", "because": "by chance"}
    [result] = judge_group_thresholds(
        [parse_threshold(expression)],
        reports=runs,
        baseline={"verdict": verdict, "because": "all five figures overlap"},
    )
    return result


@pytest.mark.parametrize(
    ("verdict", "passed"), [("unchanged", True), ("regressed", False), ("inconclusive", True)]
)
def test_a_group_has_one_verdict_whatever_its_runs_have_alone(verdict: str, passed: bool) -> None:
    result = of_group("verdict!=regressed", verdict=verdict)
    assert (result.value, result.passed) == (verdict, passed)


@pytest.mark.parametrize(
    ("expression", "value", "passed", "because"),
    [
        ("p95_execution_time_ms<300", 262.0, True, "262 is < 300"),
        ("p95_execution_time_ms<=255", 262.0, False, "262 is not <= 255; in 1 of 3 runs"),
        ("p95_execution_time_ms>=255", 250.0, False, "250 is not >= 255; in 1 of 3 runs"),
        ("p95_execution_time_ms>240", 250.0, True, "250 is > 240"),
        ("p95_execution_time_ms!=0", 250.0, True, "250 is != 0"),
        ("status==completed", "timed_out", False, "timed_out is not == completed; in 1 of 3 runs"),
    ],
)
def test_any_other_limit_must_be_kept_by_every_run(
    expression: str, value: object, passed: bool, because: str
) -> None:
    result = of_group(expression)
    assert (result.value, result.passed, result.because) == (value, passed, because)


def test_what_a_run_of_a_group_could_not_compute_is_missed() -> None:
    result = of_group("p99_execution_time_ms<500")
    assert (result.value, result.passed) == (None, False)
    assert result.because.endswith("in 3 of 3 runs")
