"""How a deed is done from a page: asked first, then carried out, logged and said."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin, helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from runs.admin import permissions
from runs.admin.deeds import Deed, carry_out
from runs.again import MOST_AT_ONCE, TooManyAtOnce, refuse_more_than
from runs.models import LoadTestRun

Action = Callable[[Any, HttpRequest, "QuerySet[LoadTestRun]"], HttpResponse | None]
CONFIRMED = "confirmed"


def action_of(deed: Deed) -> Action:
    """The deed as an action of the run list."""

    def action(
        model_admin: Any, request: HttpRequest, queryset: "QuerySet[LoadTestRun]"
    ) -> HttpResponse | None:
        chosen = queryset.order_by("pk").select_related("configuration")
        runs = list(chosen.defer("report", "fleet", "observed")[: MOST_AT_ONCE + 1])
        try:
            refuse_more_than(MOST_AT_ONCE, given=len(runs))
        except TooManyAtOnce as error:
            messages.error(request, str(error))
            return None
        if CONFIRMED not in request.POST:
            return ask(request, deed, runs=runs, model_admin=model_admin, as_action=True)
        do(request, deed, runs=runs, model_admin=model_admin)
        return None

    action.__name__ = deed.name
    action.short_description = deed.label  # type: ignore[attr-defined]
    asked_as = permissions.ASKED_AS[deed.permission]
    action.allowed_permissions = [asked_as]  # type: ignore[attr-defined]
    return action


def deed_view(
    request: HttpRequest, *, deed: Deed, run: LoadTestRun, model_admin: "ModelAdmin[LoadTestRun]"
) -> HttpResponse:
    """The deed from the page of a run: GET asks, POST does it."""
    permissions.require(request, deed.permission)
    if request.method != "POST":
        return ask(request, deed, runs=[run], model_admin=model_admin, as_action=False)
    done = do(request, deed, runs=[run], model_admin=model_admin)
    shown = done[0] if deed.starts and done else run
    return HttpResponseRedirect(run_address(shown))


def ask(
    request: HttpRequest,
    deed: Deed,
    *,
    runs: Sequence[LoadTestRun],
    model_admin: "ModelAdmin[LoadTestRun]",
    as_action: bool,
) -> HttpResponse:
    """The page that says what is about to happen."""
    back = reverse("admin:runs_loadtestrun_changelist") if as_action else run_address(runs[0])
    return TemplateResponse(
        request,
        "admin/runs/confirm.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": deed.label,
            "deed": deed,
            "runs": runs,
            "as_action": as_action,
            "back": back,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        },
    )


def do(
    request: HttpRequest,
    deed: Deed,
    *,
    runs: Sequence[LoadTestRun],
    model_admin: "ModelAdmin[LoadTestRun]",
) -> list[LoadTestRun]:
    """Carry it out, log it, and say what became of it."""
    outcome = carry_out(deed, test_ids=[run.test_id for run in runs], user=request.user)
    for run in outcome.done:
        log = model_admin.log_addition if deed.starts else model_admin.log_change
        log(request, run, deed.logged)
    if outcome.done:
        named = ", ".join(run.test_id for run in outcome.done[:3])
        more = f" and {len(outcome.done) - 3} more" if len(outcome.done) > 3 else ""
        messages.success(request, f"{deed.label}: {named}{more}.")
    for sentence in outcome.refused:
        messages.error(request, sentence)
    return outcome.done


def run_address(run: LoadTestRun) -> str:
    """Where a run's page is."""
    return reverse("admin:runs_loadtestrun_change", args=[run.test_id])
