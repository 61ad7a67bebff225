"""The pages of one run: live while it is under way, its report when it has ended."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from runs.admin import permissions
from runs.admin.charts.chart import Chart
from runs.admin.charts.timelines import finished_chart
from runs.admin.deeds import CANCEL, JUDGE, PIN, RUN_AGAIN, UNPIN
from runs.admin.doing import run_address
from runs.admin.exports import table_as_csv
from runs.admin.run_report import RunReport, run_report
from runs.analysis.reading import words
from runs.histories import history_of_run
from runs.models import LoadTestRun, TaskMetric
from runs.report import report_document
from runs.states import RunStatus
from runs.watch import watch

SLOWEST = 5
LIVE_TEMPLATE = "admin/runs/run_running.html"
FRAGMENT_TEMPLATE = "admin/runs/_live.html"
REPORT_TEMPLATE = "admin/runs/run_finished.html"

Admin = "ModelAdmin[LoadTestRun]"


@require_safe
def run_page(request: HttpRequest, *, run: LoadTestRun, model_admin: Any) -> HttpResponse:
    """The page of a run."""
    context = {**model_admin.admin_site.each_context(request), **_about(request, run)}
    if run.report is None:
        context |= _live(run)
        return TemplateResponse(request, LIVE_TEMPLATE, context)
    document, history = report_document(run), history_of_run(run)
    context |= {
        "document": document,
        "history": history,
        "report": _report(run, document, history=history),
        "slowest": list(TaskMetric.objects.filter(run=run).slowest()[:SLOWEST]),
    }
    return TemplateResponse(request, REPORT_TEMPLATE, context)


@require_safe
def live_fragment(request: HttpRequest, *, run: LoadTestRun) -> HttpResponse:
    """What changes while a run is under way; a page whose run has ended is told to load again."""
    if run.report is not None:
        return HttpResponse(headers={"HX-Refresh": "true"})
    response = TemplateResponse(request, FRAGMENT_TEMPLATE, {**_about(request, run), **_live(run)})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def chart_csv(request: HttpRequest, *, run: LoadTestRun, name: str) -> HttpResponse:
    """The figures behind one chart of the report."""
    document = watch(run).document if run.report is None else report_document(run)
    report = _report(run, document, history=history_of_run(run))
    charts: list[Chart | None] = [report.chart, report.poll, report.history_chart]
    for chart in [*charts, *report.distributions]:
        if chart is not None and chart.id == name and chart.table is not None:
            table = chart.table
            return table_as_csv(table.head, table.rows, name=f"{run.test_id}-{name}")
    if name == "resources" and report.resources_table is not None:
        table = report.resources_table
        return table_as_csv(table.head, table.rows, name=f"{run.test_id}-{name}")
    raise Http404(f"{run.test_id} has no chart {name!r}.")


@require_safe
def try_page(request: HttpRequest, *, run: LoadTestRun, model_admin: Any) -> HttpResponse:
    """How the recommended change is proved: by a command, since its workers are started for it."""
    permissions.require(request, permissions.LAUNCH)
    document = report_document(run)
    change = ((document.get("analysis") or {}).get("bottleneck") or {}).get("change")
    if run.report is None or not change:
        raise Http404(f"{run.test_id} recommends no change.")
    return TemplateResponse(
        request,
        "admin/runs/try.html",
        {
            **model_admin.admin_site.each_context(request),
            **_about(request, run),
            "document": document,
            "change": change,
            "variable": f"LOADLAB_QUEUE_{run.target_queue}_{words(change, 'setting')}".upper(),
        },
    )


def _about(request: HttpRequest, run: LoadTestRun) -> dict[str, Any]:
    """Whose run of what, and what may be done with it."""
    configuration = run.configuration
    return {
        "run": run,
        "configuration": configuration,
        "title": f"{configuration.task_type} on {run.target_queue}",
        "address": run_address(run),
        "by": "" if run.requested_by is None else run.requested_by.get_username(),
        "is_pinned": configuration.pinned_run_id == run.pk,
        "may": {
            "launch": permissions.may(request, RUN_AGAIN.permission),
            "cancel": permissions.may(request, CANCEL.permission),
            "pin": permissions.may(request, PIN.permission)
            and run.status == RunStatus.COMPLETED
            and configuration.pinned_run_id != run.pk,
            "unpin": permissions.may(request, UNPIN.permission)
            and configuration.pinned_run_id == run.pk,
            "judge": permissions.may(request, JUDGE.permission) and run.report is not None,
        },
    }


def _live(run: LoadTestRun) -> dict[str, Any]:
    live = watch(run)
    line = live.document["analysis"]["timeline"] or {}
    return {
        "live": live,
        "chart": finished_chart(
            live.document, sent_s=line.get("sending_s"), until_s=live.expected_s
        ),
    }


def _report(run: LoadTestRun, document: dict[str, Any], *, history: dict[str, Any]) -> RunReport:
    sent = run.sent_at and run.started_at and (run.sent_at - run.started_at).total_seconds()
    return run_report(document, history=history, sent_s=sent or None)
