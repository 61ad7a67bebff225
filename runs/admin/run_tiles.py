"""The three figures under the sentence: which ones follows from the question the run answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.safestring import SafeString

from runs.admin.charts.histories import spark
from runs.admin.wording import NONE, count, duration_ms, figure, percent
from runs.analysis.numbers import rate as as_rate
from runs.analysis.reading import amount, part, words

DOTS = {"improved": "dot-better", "regressed": "dot-worse", "inconclusive": "dot-unsure"}
SPARK_RUNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One of at most three figures; its label leads to the fold that proves it."""

    label: str
    href: str
    number: str
    unit: str = ""
    extra: str = ""
    spark: SafeString | str = ""


def tiles_of(document: Any, *, history: Mapping[str, Any], baseline: float | None) -> list[Tile]:
    """Throughput, run time and failures; sojourn time leads where the queue kept up."""
    metrics, times = part(document, "metrics"), part(document, "analysis", "task_metrics")
    sent, failed = amount(metrics, "tasks_sent"), amount(metrics, "tasks_failed")
    lost, gone = amount(metrics, "tasks_lost"), amount(metrics, "tasks_cancelled")
    if not amount(times, "n"):
        return _counts(metrics)
    kept_up = words(document, "analysis", "regime") == "keeping_up"
    rest = f", {count(gone)} cancelled" if gone else ""
    failures = Tile(
        label=f"{count(failed)} of {count(sent)}, {count(lost)} lost{rest}",
        href="#failures",
        number=_without_unit(percent(amount(metrics, "failure_rate_percent"))),
        unit="% failed",
    )
    run_time = _time_tile(times, "execution_time_ms", label="task run time", href="#run-time")
    rate = amount(metrics, "steady_state_throughput") or amount(metrics, "overall_throughput")
    through = Tile(
        label="throughput",
        href="#history",
        number=NONE if rate is None else as_rate(rate),
        unit="/s",
        spark=_spark(
            history,
            baseline=baseline,
            verdict=words(document, "analysis", "baseline", "verdict"),
        ),
    )
    if not kept_up:
        return [through, run_time, failures]
    sojourn = _time_tile(
        times, "sojourn_time_ms", label="sojourn time", href="#run-time", leads="p95"
    )
    return [replace(sojourn, spark=through.spark), run_time, failures]


def _counts(metrics: Mapping[str, Any]) -> list[Tile]:
    """Where the tasks are, of a run of which none came back."""
    lost, gone = amount(metrics, "tasks_lost"), amount(metrics, "tasks_cancelled")
    missing = "cancelled" if gone and not lost else "lost"
    names = ("sent", "completed", missing)
    return [
        Tile(
            label=name,
            href="#failures",
            number=count(amount(metrics, f"tasks_{name}")),
            unit="tasks",
        )
        for name in names
    ]


def _time_tile(
    times: Mapping[str, Any], name: str, *, label: str, href: str, leads: str = "p50"
) -> Tile:
    """171 ms, p95 251: the average where a sample carries no percentile."""
    leading = leads if amount(times, f"{leads}_{name}") is not None else "avg"
    beside = "p50" if leads == "p95" else "p95"
    number, _, unit = duration_ms(amount(times, f"{leading}_{name}")).partition("\u00a0")
    second = amount(times, f"{beside}_{name}")
    extra = "" if second is None else f"{beside} {duration_ms(second)}"
    shown = label if leading == "p50" else f"{label}, {leading}"
    return Tile(label=shown, href=href, number=number, unit=unit, extra=extra)


def _spark(history: Mapping[str, Any], *, baseline: float | None, verdict: str) -> SafeString | str:
    rows = [row for row in history.get("history") or () if row.get("value") is not None]
    rows = rows[-SPARK_RUNS:]
    if len(rows) < 3:
        return ""
    ids = [row["test_id"] for row in rows]
    changes = [ids.index(name) for name in history.get("change_points") or () if name in ids[1:]]
    values = [row["value"] for row in rows]
    earlier = values[:-1]
    low, high = (figure(bound) for bound in (min(values), max(values)))
    unit = history.get("unit") or ""
    return spark(
        values,
        baseline=baseline or sum(earlier) / len(earlier),
        changes=changes,
        last=DOTS.get(verdict, "dot-a"),
        label=f"{history.get('figure_label')} of the last {len(values)} runs: {low} to {high}"
        f" {unit}.",
    )


def _without_unit(text: str) -> str:
    return text.partition("\u00a0")[0]
