"""Does a run keep the limits that a pipeline sets, such as 'p95_execution_time_ms<500'?

An expression is a figure, a sign and a value. It is read before the run, so that a typing mistake
costs nothing, and judged on the finished report. What has no value, and what the run's regime makes
meaningless, fails and says why: a limit nobody could measure is not a limit kept.
"""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runs.analysis import reading
from runs.analysis.report_figures import (
    FigureKind,
    ReportFigure,
    UnknownFigureError,
    find_figure,
    report_value,
)

_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_SIGN = re.compile(r"<=|>=|==|!=|<|>")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LONGEST = 200  # characters; more is no expression but an accident
_BASELINE = "analysis.baseline."
_VOID_WAIT = (
    "void: more load was offered than the queue serves, so waits only tell how long the test was;"
    " offer a rate it can keep up with (--rate)"
)


class ThresholdError(ValueError):
    """An expression that cannot be read; the message shows it with a caret under the place."""

    def __init__(self, expression: str, *, at: int, length: int = 1, problem: str) -> None:
        self.expression = expression
        self.at = at
        self.problem = problem
        super().__init__(f"{expression}\n{' ' * at}{'^' * max(1, length)}\n{problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A limit on one figure of the report."""

    expression: str
    figure: ReportFigure
    sign: str
    limit: float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdResult:
    """How a limit fared: the value found, and one sentence."""

    expression: str
    value: float | str | None
    passed: bool
    because: str

    def as_document(self) -> dict[str, object]:
        """The entry of the report's `thresholds`."""
        return {
            "expression": self.expression,
            "value": self.value,
            "passed": self.passed,
            "because": self.because,
        }


def parse_threshold(expression: str) -> Threshold:
    """The limit that an expression sets; ThresholdError with a caret where it is wrong."""
    text = expression.strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise ThresholdError(
            text[:_LONGEST] if text.isprintable() else repr(text[:_LONGEST]),
            at=0,
            problem="write one figure, one sign, one value: 'p95_execution_time_ms<500'",
        )
    name = _NAME.match(text)
    if name is None:
        raise ThresholdError(text, at=0, problem="a threshold begins with a figure's name")
    figure = _figure(text, name=name.group())
    at = _after_spaces(text, name.end())
    sign = _SIGN.match(text, at)
    if sign is None:
        raise ThresholdError(text, at=at, problem=f"expected one of {'  '.join(_SIGNS)} here")
    if figure.kind is FigureKind.WORD and sign.group() not in {"==", "!="}:
        raise ThresholdError(
            text,
            at=at,
            length=len(sign.group()),
            problem=f"{figure.leaf} has no order: only == and != fit it",
        )
    limit = _limit(text, at=_after_spaces(text, sign.end()), figure=figure)
    return Threshold(expression=text, figure=figure, sign=sign.group(), limit=limit)


def judge_thresholds(
    thresholds: Iterable[Threshold], *, report: Mapping[str, Any]
) -> list[ThresholdResult]:
    """Every threshold judged on a finished run's report document, in the order given."""
    return [_judge(threshold, report=report) for threshold in thresholds]


def judge_group_thresholds(
    thresholds: Iterable[Threshold],
    *,
    reports: Sequence[Mapping[str, Any]],
    baseline: Mapping[str, Any],
) -> list[ThresholdResult]:
    """Every threshold judged on the reports of a group of repeats, and on its own `baseline`.

    Verdicts are those of all runs together: one by one, K runs raise K times as many false alarms.
    Any other limit must be kept by every run; shown is the worst value.
    """
    analysis = {**reading.part(reports[0], "analysis"), "baseline": baseline}
    together = {**reports[0], "analysis": analysis}
    return [
        _judge(threshold, report=together)
        if threshold.figure.path.startswith(_BASELINE)
        else _judge_each(threshold, reports=reports)
        for threshold in thresholds
    ]


def _judge_each(threshold: Threshold, *, reports: Sequence[Mapping[str, Any]]) -> ThresholdResult:
    results = [_judge(threshold, report=report) for report in reports]
    missed = [result for result in results if not result.passed]
    shown = _worst(missed or results, sign=threshold.sign)
    if not missed:
        return shown
    return replace(shown, because=f"{shown.because}; in {len(missed)} of {len(results)} runs")


def _worst(results: Sequence[ThresholdResult], *, sign: str) -> ThresholdResult:
    numbers = [(each.value, each) for each in results if isinstance(each.value, int | float)]
    if not numbers or sign in {"==", "!="}:
        return results[0]
    farthest = max if sign.startswith("<") else min
    return farthest(numbers, key=lambda pair: pair[0])[1]


def _judge(threshold: Threshold, *, report: Mapping[str, Any]) -> ThresholdResult:
    figure = threshold.figure
    value = report_value(report, path=figure.path)
    regime = report_value(report, path="analysis.regime")
    if figure.is_wait and regime == "saturated":
        value, passed, because = value if figure.fits(value) else None, False, _VOID_WAIT
    elif not figure.fits(value):
        value, passed, because = None, False, _why_no_value(report, figure=figure, value=value)
    elif threshold.sign not in {"==", "!="} and value in figure.apart:
        passed, because = False, f"{value} is neither above nor below {threshold.limit}"
    else:
        passed = _holds(threshold, value=value)
        limit = _shown(threshold.limit)
        because = f"{_shown(value)} is {'' if passed else 'not '}{threshold.sign} {limit}"
    aloud = _said_aloud(report, figure=figure, value=value, regime=regime)
    return ThresholdResult(
        expression=threshold.expression,
        value=value,
        passed=passed,
        because="; ".join([because, *aloud]),
    )


def _holds(threshold: Threshold, *, value: Any) -> bool:
    limit: Any = threshold.limit
    if threshold.sign not in {"==", "!="} and threshold.figure.kind is FigureKind.ORDERED:
        order = threshold.figure.words
        value, limit = order.index(value), order.index(limit)
    return _SIGNS[threshold.sign](value, limit)


def _why_no_value(report: Mapping[str, Any], *, figure: ReportFigure, value: Any) -> str:
    if value is not None:
        return f"the report holds {value!r:.40}, which is no value of {figure.leaf}"
    notes = report.get("notes")
    for note in notes if isinstance(notes, list) else ():
        if isinstance(note, str) and figure.leaf in note:
            return f"no value: {note}"
    return "no value: this run could not compute it"


def _said_aloud(
    report: Mapping[str, Any], *, figure: ReportFigure, value: Any, regime: Any
) -> list[str]:
    """What must be known beside a value that may well pass."""
    if figure.is_throughput and regime == "keeping_up":
        return ["the queue kept up, so this is the load offered, not what it can do"]
    if figure.leaf == "verdict" and value in {"inconclusive", "incomparable", "no_baseline"}:
        because = report_value(report, path=figure.path.removesuffix("verdict") + "because")
        return [f"{value}: {because}" if isinstance(because, str) else "this run settles nothing"]
    if value == "unrated":
        return ["unrated: there is no baseline to rate it by"]
    return []


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _after_spaces(text: str, at: int) -> int:
    return at + len(text[at:]) - len(text[at:].lstrip())


def _figure(text: str, *, name: str) -> ReportFigure:
    try:
        return find_figure(name)
    except UnknownFigureError as unknown:
        problem = f"{unknown}: {', '.join(unknown.candidates)}"
        raise ThresholdError(text, at=0, length=len(name), problem=problem) from None


def _limit(text: str, *, at: int, figure: ReportFigure) -> float | str:
    given = text[at:]
    if figure.kind is not FigureKind.NUMBER:
        allowed = (*figure.words, *figure.apart)
        if given in allowed:
            return given
        problem = f"{figure.leaf} is one of {', '.join(allowed)}"
        raise ThresholdError(text, at=at, length=len(given), problem=problem)
    number = _NUMBER.match(given)
    if number is None or not math.isfinite(float(number.group())):
        problem = f"{figure.leaf} is compared with a finite number"
        raise ThresholdError(text, at=at, length=len(given), problem=problem)
    if rest := given[number.end() :]:
        problem = f"nothing may follow the number: the unit is that of {figure.leaf}"
        raise ThresholdError(text, at=at + number.end(), length=len(rest), problem=problem)
    return float(number.group())
