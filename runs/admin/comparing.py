"""The compare page: what one group of runs is beside another, figure by figure."""

from collections.abc import Mapping, Sequence
from statistics import median_low
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from runs.admin import permissions
from runs.admin.charts.chart import Chart
from runs.admin.charts.comparisons import LETTERS, strip_chart, two_timelines_chart, values_of
from runs.admin.charts.distributions import two_distributions_chart
from runs.admin.exports import table_as_csv
from runs.admin.wording import NONE, by_name, figure, interval, joined, plain, setting, share
from runs.analysis.reading import part, value, words
from runs.compare import compare
from runs.errors import LoadLabError
from runs.experiments import CHANGEABLE
from runs.models import LoadTestRun

MOST = 10
_ALWAYS = ("slots", "processes", "host_class", "revision")


@require_safe
def compare_page(request: HttpRequest, *, site: Any) -> HttpResponse:
    """`?runs=a,b,…`: the others against the first."""
    permissions.require(request, permissions.VIEW)
    references = [each.strip() for each in request.GET.get("runs", "").split(",") if each.strip()]
    context = {**site.each_context(request), "title": "Compare", "references": references}
    try:
        document = compare(references=references[:MOST])
    except LoadLabError as error:
        context["refusal"] = str(error)
        return TemplateResponse(request, "admin/runs/compare.html", context, status=400)
    context |= _contents(request, document)
    csv = request.GET.get("csv")
    for chart in context["charts"]:
        if csv and chart.id == csv and chart.table is not None:
            return table_as_csv(chart.table.head, chart.table.rows, name=f"compare-{csv}")
    return TemplateResponse(request, "admin/runs/compare.html", context)


def _contents(request: HttpRequest, document: Mapping[str, Any]) -> dict[str, Any]:
    sides, comparisons = document["sides"], document["comparisons"]
    first = comparisons[0]
    figures = part(first, "figures")
    answer = next(iter(figures), "overall_throughput")
    shown = figures.get(answer) or {}
    letters = [(LETTERS[place], side) for place, side in enumerate(sides)]
    strip = strip_chart(
        [(letter, values_of(side, name=answer)) for letter, side in letters],
        label=words(shown, "label") or "throughput",
        unit=words(shown, "unit") or "/s",
    )
    reports = _median_reports(letters[:2], name=answer)
    distributions = two_distributions_chart(reports, name="execution_time_ms")
    timelines = two_timelines_chart(reports)
    charts: list[Chart] = [each for each in (strip, distributions, timelines) if each is not None]
    runs = [run["test_id"] for side in sides for run in side["runs"]]
    return {
        "title": f"Compare {' and '.join(letter for letter, _ in letters)}",
        "letters": letters,
        "workload": part(sides[0], "configuration"),
        "blocks": [
            {
                "before": LETTERS[0],
                "now": LETTERS[place],
                "headline": joined(words(each, "headline")),
                "verdict": words(each, "verdict"),
                "changed": [str(_shown(one)) for one in each.get("changed") or ()],
                "rows": _rows(each),
            }
            for place, each in enumerate(comparisons, start=1)
        ],
        "strip": strip,
        "distributions": distributions,
        "timelines": timelines,
        "charts": charts,
        "each": _each_run(letters),
        "environment": _environment(letters),
        "variable": _variable(first, sides),
        "pinnable": _pinnable(request, sides),
        "page": f"?runs={','.join(side['name'] for side in sides)}",
        "runs_count": len(runs),
    }


def _rows(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a figure; a share changes by points, the others by per cent."""
    rows = []
    for name, each in part(comparison, "figures").items():
        points = words(each, "unit") == "%"
        change, bounds = value(each, "change"), value(each, "interval")
        rows.append(
            {
                "label": words(each, "label"),
                "before": by_name(name, value(each, "before")),
                "value": by_name(name, value(each, "value")),
                "change": _points(change) if points else share(change),
                "interval": _point_bounds(bounds) if points else interval(bounds),
                "verdict": words(each, "verdict"),
                "because": joined(words(each, "because")),
                "n": f"{value(each, 'n_before')} and {value(each, 'n')}",
            }
        )
    return rows


def _points(change: object) -> str:
    return NONE if change is None else f"{figure(change)} points".replace("-", "−")


def _point_bounds(bounds: object) -> str:
    if not isinstance(bounds, list) or len(bounds) != 2:
        return ""
    return f"{bounds[0]:+.2f} to {bounds[1]:+.2f}".replace("-", "−")


def _shown(difference: Mapping[str, Any]) -> str:
    name = str(difference.get("field", "")).rpartition(".")[2].removesuffix("_s")
    return f"{name} {plain(difference.get('from'))} → {plain(difference.get('to'))}"


def _median_reports(
    letters: Sequence[tuple[str, Mapping[str, Any]]], *, name: str
) -> list[tuple[str, Any]]:
    """The report of each side's middle run, by the figure that is compared; one query."""
    chosen = {}
    for letter, side in letters:
        known = {run["test_id"]: run["values"].get(name) for run in side["runs"]}
        ranked = {test_id: each for test_id, each in known.items() if each is not None} or known
        middle = median_low([each or 0.0 for each in ranked.values()])
        chosen[letter] = next(i for i, each in ranked.items() if (each or 0.0) == middle)
    reports = dict(
        LoadTestRun.objects.filter(test_id__in=chosen.values()).values_list("test_id", "report")
    )
    return [(letter, reports.get(test_id)) for letter, test_id in chosen.items()]


def _each_run(letters: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Every run in the order in which they ran, which their ids tell."""
    rows = [{"letter": letter, **run} for letter, side in letters for run in side["runs"]]
    return sorted(rows, key=lambda row: row["test_id"])


def _environment(letters: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Settings by side; those that differ first."""
    flat = [_flat(part(side, "environment")) for _, side in letters]
    names = sorted({name for each in flat for name in each})
    rows = [
        {
            "name": name.removesuffix("_s"),
            "values": [setting(name, each.get(name)) for each in flat],
            "differs": len({repr(each.get(name)) for each in flat}) > 1,
        }
        for name in names
    ]
    return sorted(rows, key=lambda row: not row["differs"])


def _flat(environment: Mapping[str, Any]) -> dict[str, Any]:
    settings = environment.get("arq_settings")
    first = settings[0] if isinstance(settings, list) and settings else settings
    found = {name: environment.get(name) for name in _ALWAYS}
    found |= dict(first) if isinstance(first, Mapping) else {}
    return found | dict(part(environment, "versions"))


def _variable(comparison: Mapping[str, Any], sides: Sequence[Mapping[str, Any]]) -> str:
    """The variable that makes the one changed setting last, where B is better by it."""
    changed = [
        each
        for each in comparison.get("changed") or ()
        if str(each.get("field", "")).startswith(("arq_settings.", "processes"))
    ]
    if words(comparison, "verdict") != "improved" or len(changed) != 1:
        return ""
    name = str(changed[0]["field"]).rpartition(".")[2].removesuffix("_s")
    queue = words(sides[0], "configuration", "target_queue").upper()
    variable = CHANGEABLE.get(name)
    return f"LOADLAB_QUEUE_{queue}_{variable}={figure(changed[0]['to'])}" if variable else ""


def _pinnable(request: HttpRequest, sides: Sequence[Mapping[str, Any]]) -> str:
    """The last run of B, for whoever may pin it."""
    completed = [run["test_id"] for run in sides[1]["runs"] if run["status"] == "completed"]
    return completed[-1] if completed and permissions.may(request, permissions.PIN) else ""
