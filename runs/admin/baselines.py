"""The baseline report: how every configuration stands to its own history, regressed first."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from runs.admin import permissions
from runs.admin.charts.histories import spark
from runs.admin.exports import table_as_csv
from runs.admin.run_tiles import DOTS
from runs.admin.wording import NONE, change, duration_ms, interval, joined, rate, tail
from runs.analysis.overview_words import Standing, listed_changes, say_baselines, say_since
from runs.histories import Ranked, ranked_configurations, rows_of

PAGE = 25
PAGE_NAME = "page"
ORDER = ("regressed", "inconclusive", "improved", "unchanged", "incomparable", "no_baseline")
_COLUMNS = (
    *("configuration", "workload", "queue", "verdict", "figure", "unit", "last", "baseline"),
    *("change", "last_run", "since", "pinned"),
)


@require_safe
def baselines_page(request: HttpRequest, *, site: Any) -> HttpResponse:
    """A row a configuration; `?csv=1` all of them as a table."""
    permissions.require(request, permissions.VIEW)
    ranked = ranked_configurations()
    if "csv" in request.GET:
        return table_as_csv(_COLUMNS, map(_cells, rows_of(ranked.ids)), name="baselines")
    number = _page_number(request, ranked)
    rows = rows_of(ranked.ids[(number - 1) * PAGE : number * PAGE])
    worst = rows if number == 1 else rows_of(ranked.ids[:1])
    said = say_baselines([standing(row) for row in worst], of=ranked.verdicts)
    return TemplateResponse(
        request,
        "admin/runs/baselines.html",
        {
            **site.each_context(request),
            "title": "Baselines",
            "say": said,
            "ranked": ranked,
            "verdicts": [
                (verdict, ranked.verdicts[verdict])
                for verdict in ORDER
                if verdict in ranked.verdicts
            ],
            "rows": [_shown(row) for row in rows],
            "compare": _pair_to_compare(worst[0]) if worst and said.action else "",
            "now": timezone.now(),
            "before": number - 1,
            "behind": number + 1 if number * PAGE < ranked.total else 0,
        },
    )


def standing(row: dict[str, Any]) -> Standing:
    """A row as the sentence takes it."""
    ratio = row["ratio"]
    write = _writer(row)
    return Standing(
        name=row["name"] or f"{row['in_words']} on {row['queue']}",
        verdict=row["verdict"],
        change=None if ratio is None else ratio - 1,
        since=row["since_at"] if _changed_so(row) else None,
        value=write(row["last_figure"]),
        baseline="" if row["baseline"] is None else write(row["baseline"]),
        changed=listed_changes(row["changed"]),
    )


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its sparkline and its figures written."""
    write = _writer(row)
    known = [each for each in row["history"] if each["value"] is not None]
    ids = [each["test_id"] for each in known]
    last = write(row["last_figure"])
    workload = joined(f"{row['in_words']} on {row['queue']}")
    return {
        **row,
        "title": row["name"] or workload,
        "workload": workload if row["name"] else "",
        "last": last,
        "base": NONE if row["baseline"] is None else write(row["baseline"]),
        "change": "" if row["ratio"] is None else change(row["ratio"]),
        "interval": interval(row["ratio_interval"], of_ratio=True),
        "because": tail(row["because"] or "") if row["ratio"] is not None else row["because"],
        "since": say_since(row["since_verdict"], at=row["since_at"], last=row["verdict"])
        if row["since_at"]
        else "",
        "spark": spark(
            [each["value"] for each in known],
            baseline=row["baseline"],
            changes=[ids.index(each) for each in row["change_points"] if each in ids[1:]],
            last=DOTS.get(row["verdict"], "dot-a"),
            width=168,
            height=32,
            label=f"{len(known)} runs, last {last}",
        )
        if len(known) > 1
        else "",
        "runs": len(known),
    }


def _changed_so(row: dict[str, Any]) -> bool:
    """Whether the last change point went the way that the verdict goes."""
    return bool(row["since_verdict"]) and row["since_verdict"] == row["verdict"]


def _writer(row: dict[str, Any]) -> Any:
    return rate if row["unit"] == "/s" else duration_ms


def _pair_to_compare(row: dict[str, Any]) -> str:
    """The last run before the change and the last of all; the one before where none is known."""
    ids = [each["test_id"] for each in row["history"]]
    if len(ids) < 2:
        return ""
    known = _changed_so(row) and row["since_run"] in ids[1:]
    changed = ids.index(row["since_run"]) if known else len(ids) - 1
    return f"{ids[changed - 1]},{ids[-1]}"


def _page_number(request: HttpRequest, ranked: Ranked) -> int:
    """Which page was asked for; the first where it is none. One page is a slice of known ids."""
    asked = request.GET.get(PAGE_NAME, "1")
    number = int(asked) if asked.isdecimal() and len(asked) < 7 else 1
    return number if 1 <= number <= max(1, -(-ranked.total // PAGE)) else 1


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    return (
        *(row["name"], row["in_words"], row["queue"], row["verdict"], row["figure_label"]),
        *(row["unit"], row["last_figure"], row["baseline"], row["ratio"], row["last_run"]),
        *(row["since"], row["pinned_run"]),
    )
