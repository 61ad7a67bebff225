"""What the page of a finished run shows, read out of its stored report; nothing is computed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runs.admin.charts.bars import Ceilings, ceilings_of
from runs.admin.charts.chart import Chart, Table
from runs.admin.charts.distributions import distribution_chart
from runs.admin.charts.histories import history_chart
from runs.admin.charts.polls import poll_chart
from runs.admin.charts.timelines import finished_chart, resource_charts, resources_table
from runs.admin.run_tiles import Tile, tiles_of
from runs.admin.wording import change as change_of
from runs.admin.wording import figure, interval, plain, setting, tail
from runs.analysis.reading import amount, items, part, value, words

TIMES = (
    ("execution_time_ms", "run time"),
    ("queue_wait_ms", "queue wait"),
    ("sojourn_time_ms", "sojourn time"),
)
ACCOUNTING = (
    *("planned", "sent", "completed", "failed", "cancelled", "lost", "outstanding"),
    "retries",
)
STATISTICS = ("avg", "p50", "p95", "p99")
SPARK_RUNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What to do: a change of a setting with what it promises, or a stored recommendation."""

    sentence: str = ""
    setting: str = ""
    old: str = ""
    new: str = ""
    predicted: str = ""
    factor: str = ""
    reason: str = ""
    cost: str = ""
    can_try: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """The parts of the page."""

    headline: str
    verdict: str
    change: str
    because: str
    tiles: Sequence[Tile]
    action: Action | None
    chart: Chart | None
    ceilings: Ceilings | None
    poll: Chart | None
    distributions: Sequence[Chart]
    times: Sequence[tuple[str, Sequence[Any]]]
    history_chart: Chart | None
    history_rows: Sequence[Mapping[str, Any]]
    resources: Sequence[Chart]
    resources_table: Table | None
    ratings: Sequence[tuple[str, str, str]]
    advice: Sequence[str]
    accounting: Sequence[tuple[str, Any]]
    settings: str
    versions: str
    host: str


def run_report(
    document: Any, *, history: Mapping[str, Any], sent_s: float | None = None
) -> RunReport:
    """`history`: as `runs.histories.history_of_run` gives it; `sent_s`: when the last was sent."""
    baseline = part(document, "analysis", "baseline")
    answer = _answer_figure(baseline, history=history)
    environment = part(document, "analysis", "environment")
    completed = words(document, "status") == "completed"
    return RunReport(
        headline=(words(document, "gists", "answer") if completed else "")
        or words(document, "headline"),
        verdict=words(baseline, "verdict") if completed else "",
        change=_change(answer),
        because=words(baseline, "because") if not answer else tail(words(baseline, "because")),
        tiles=tiles_of(document, history=history, baseline=amount(answer, "baseline")),
        action=_action(document),
        chart=finished_chart(document, sent_s=sent_s),
        ceilings=ceilings_of(value(document, "analysis", "bottleneck")),
        poll=poll_chart(document),
        distributions=_distributions(document),
        times=_times(document),
        history_chart=_history_chart(document, history=history, answer=answer),
        history_rows=_history_rows(document, history=history, answer=answer),
        resources=resource_charts(document, sent_s=sent_s),
        resources_table=resources_table(document),
        ratings=_ratings(document),
        advice=[str(each) for each in _recommendations(document)],
        accounting=[
            (name, value(document, "analysis", "accounting", name))
            for name in ACCOUNTING
            if value(document, "analysis", "accounting", name) is not None
        ],
        settings=_settings(environment),
        versions=" · ".join(
            f"{name} {version}" for name, version in part(environment, "versions").items()
        ),
        host=plain(value(environment, "host_class")),
    )


def _answer_figure(baseline: Any, *, history: Mapping[str, Any]) -> Mapping[str, Any]:
    """The comparison of the figure that answers the run's question: the first of the family."""
    figures = part(baseline, "figures")
    names = [history.get("figure") or "", *figures]
    return next((each for name in names if (each := part(figures, name))), {})


def _change(answer: Mapping[str, Any]) -> str:
    """+0.1 % (−0.2 to +0.4)"""
    if amount(answer, "ratio") is None:
        return ""
    bounds = interval(value(answer, "ratio_interval"), of_ratio=True)
    return f"{change_of(value(answer, 'ratio'))}{f' ({bounds})' if bounds else ''}"


def _action(document: Any) -> Action | None:
    """The change that lifts the limit, or whatever was found to matter more."""
    advice = _recommendations(document)
    first = str(advice[0]) if advice else ""
    change = part(document, "analysis", "bottleneck", "change")
    setting = words(change, "setting")
    if not setting or (first and setting not in first):
        return Action(sentence=first) if first else None
    binding = words(document, "analysis", "bottleneck", "binding")
    reason = words(document, "gists", "poll_cycle" if binding == "poll_delay" else "bottleneck")
    gain = amount(change, "gain_percent")
    return Action(
        setting=setting,
        old=figure(value(change, "from")),
        new=figure(value(change, "to")),
        predicted=figure(value(change, "predicted_throughput_per_s")),
        factor="" if gain is None else f"{1 + gain / 100:.2g}×",
        reason=reason,
        cost=words(change, "cost"),
        can_try=True,
    )


def _recommendations(document: Any) -> list[Any]:
    return items(document, "analysis", "performance_analysis", "recommendations")


def _distributions(document: Any) -> list[Chart]:
    """Run time always; waits and sojourn times where they mean something."""
    names = TIMES if words(document, "analysis", "regime") == "keeping_up" else TIMES[:1]
    drawn = (
        distribution_chart(document, name=name, title=f"Tasks by {label}") for name, label in names
    )
    return [chart for chart in drawn if chart is not None]


def _times(document: Any) -> list[tuple[str, list[Any]]]:
    """Rows of averages and percentiles with their intervals; void waits are left out."""
    times = part(document, "analysis", "task_metrics")
    names = TIMES if words(document, "analysis", "regime") == "keeping_up" else TIMES[:1]
    return [
        (
            label,
            [
                (
                    value(times, f"{statistic}_{name}"),
                    value(times, "intervals", f"{statistic}_{name}"),
                )
                for statistic in STATISTICS
            ],
        )
        for name, label in names
        if any(amount(times, f"{statistic}_{name}") is not None for statistic in STATISTICS)
    ]


def _history_chart(
    document: Any, *, history: Mapping[str, Any], answer: Mapping[str, Any]
) -> Chart | None:
    label = str(history.get("figure_label") or "throughput")
    return history_chart(
        history.get("history") or [],
        this=words(document, "test_id"),
        baseline=amount(answer, "baseline"),
        changes=history.get("change_points") or [],
        title=f"{label.capitalize()} of each run",
        unit=str(history.get("unit") or "/s"),
    )


def _history_rows(
    document: Any, *, history: Mapping[str, Any], answer: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Newest first, each against the stored baseline."""
    this, base = words(document, "test_id"), amount(answer, "baseline")
    return [
        {
            **row,
            "is_this": row["test_id"] == this,
            "ratio": row["value"] / base if base and row["value"] is not None else None,
        }
        for row in reversed(history.get("history") or [])
    ][:SPARK_RUNS]


def _ratings(document: Any) -> list[tuple[str, str, str]]:
    found = part(document, "analysis", "performance_analysis")
    because = part(found, "because")
    names = (
        ("throughput", "throughput_rating"),
        ("efficiency", "efficiency_rating"),
        ("queue pressure", "queue_pressure"),
    )
    return [
        (label, words(found, name), words(because, name))
        for label, name in names
        if words(found, name)
    ]


def _settings(environment: Mapping[str, Any]) -> str:
    """1 process × 30 slots · poll_delay 0.5 s · …"""
    settings = value(environment, "arq_settings")
    first = settings[0] if isinstance(settings, list) and settings else settings
    said = [
        f"{name.removesuffix('_s')} {setting(name, each)}"
        for name, each in (first.items() if isinstance(first, Mapping) else ())
        if each is not None
    ]
    return " · ".join(said)
