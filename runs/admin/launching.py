"""The launch page: a form and an estimate that follows it; it starts runs or saves a workload."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from runs.admin import permissions
from runs.admin.doing import run_address
from runs.admin.launch_form import LaunchForm, initial_of
from runs.admin.queues import queues_context
from runs.again import save_configuration, spec_of_configuration, spec_of_run
from runs.errors import LoadLabError
from runs.estimate import RedisNow, estimate
from runs.models import LoadTestConfiguration, LoadTestRun
from runs.spec import Spec, validate
from runs.start import start_runs
from workers.errors import TaskModuleError

PRESETS = {
    "small": Spec(task_type="cpu_intensive", num_tasks=50),
    "medium": Spec(task_type="io_simulation", num_tasks=200),
    "large": Spec(task_type="memory_operations", num_tasks=1000),
}
PRESET_NAMES = (("small", "50 cpu"), ("medium", "200 io"), ("large", "1000 memory"))
SAVE = "save"


def launch_page(request: HttpRequest, *, model_admin: Any) -> HttpResponse:
    """GET shows the form, filled in like a preset, a run or a configuration; POST launches."""
    permissions.require(request, permissions.LAUNCH)
    like = _like(request)
    try:
        if request.method == "POST":
            form = LaunchForm(request.POST)
            if form.is_valid() and form.spec is not None:
                done = _carry_out(request, form, model_admin=model_admin)
                if done is not None:
                    return done
        else:
            form = LaunchForm(initial=initial_of(like["spec"]))
    except TaskModuleError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:index"))
    return _shown(request, form, like=like, model_admin=model_admin)


@require_safe
def estimate_fragment(request: HttpRequest) -> HttpResponse:
    """What may be expected of the form as it stands."""
    permissions.require(request, permissions.LAUNCH)
    form = LaunchForm(request.GET)
    context = _estimated(form.spec if form.is_valid() else None)
    response = TemplateResponse(request, "admin/runs/_estimate.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _carry_out(request: HttpRequest, form: LaunchForm, *, model_admin: Any) -> HttpResponse | None:
    """Start or save; what is refused stands above the form."""
    assert form.spec is not None  # noqa: S101 - a valid form has one; this tells mypy
    try:
        if SAVE in request.POST:
            saved = save_configuration(spec=form.spec, name=form.spec.label)
            model_admin.log_change(request, saved, "Saved.")
            messages.success(request, f"Saved: {saved}.")
            address = reverse("admin:runs_loadtestconfiguration_change", args=[saved.pk])
            return HttpResponseRedirect(address)
        runs = start_runs(spec=form.spec, requested_by=request.user)
    except LoadLabError as error:
        form.add_error(None, str(error))
        return None
    for run in runs:
        model_admin.log_addition(request, run, "Launched.")
    if len(runs) == 1:
        return HttpResponseRedirect(run_address(runs[0]))
    listed = reverse("admin:runs_loadtestrun_changelist")
    return HttpResponseRedirect(f"{listed}?group={runs[0].group_id}")


def _shown(
    request: HttpRequest, form: LaunchForm, *, like: dict[str, Any], model_admin: Any
) -> HttpResponse:
    queues = queues_context(ceilings=False)
    spec = form.spec if form.is_bound else like["spec"]
    away = next((each["because"] for each in queues["queues"] if not each["reachable"]), "")
    redis = RedisNow(because=away) if away else None
    status = 400 if form.is_bound and form.errors else 200
    return TemplateResponse(
        request,
        "admin/runs/launch.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": "Launch a load test",
            "form": form,
            "types": list(form.type_rows()),
            "chosen_type": form["task_type"].value(),
            "chosen_queue": form["target_queue"].value(),
            "question": form["question"].value(),
            "like": like,
            "presets": PRESET_NAMES,
            "queues": queues["queues"],
            "advanced_open": _has_advanced_error(form),
            **_estimated(spec, redis=redis),
        },
        status=status,
    )


def _estimated(spec: Spec | None, *, redis: RedisNow | None = None) -> dict[str, Any]:
    if spec is None:
        return {"estimate": None}
    try:
        return {"estimate": estimate(spec, redis=redis), "spec": spec}
    except LoadLabError as error:
        return {"estimate": None, "refusal": str(error)}


def _like(request: HttpRequest) -> dict[str, Any]:
    """What the form starts from: a preset, a run, a configuration, or the defaults."""
    run_id, preset = request.GET.get("like", ""), request.GET.get("preset", "")
    number = request.GET.get("configuration", "")
    spec, name = Spec(), ""
    try:
        if run_id:
            spec, name = spec_of_run(LoadTestRun.objects.named(run_id)), run_id
        elif number.isdecimal() and len(number) < 19:
            found = LoadTestConfiguration.objects.filter(pk=int(number)).first()
            spec = spec if found is None else spec_of_configuration(found)
        elif preset in PRESETS:
            spec = PRESETS[preset]
        spec = validate(spec)
    except LoadLabError as error:  # no such run; or its queue or task type is no more
        messages.warning(request, str(error))
        spec = validate(Spec())
    return {"spec": spec, "run": name, "preset": preset}


def _has_advanced_error(form: LaunchForm) -> bool:
    advanced = ("batch_size", "delay_ms", "seed", "timeout_s", "repeat", "label", "thresholds")
    return form.is_bound and any(name in form.errors for name in advanced)
