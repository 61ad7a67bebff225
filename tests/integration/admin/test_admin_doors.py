"""Who gets in where: every address of the admin, by GET and by POST, with every kind of person."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin import helpers
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from people import BOSS, NOBODY, PERMITTED, VIEWER, client_of, text_of

# What whoever may look at runs is shown; everything else is refused
SEEN = {
    *("index", "app_list", "jsi18n", "compare", "baselines", "queues"),
    *("password_change", "password_change_done", "login", "logout"),
    *("runs_loadtestrun_changelist", "runs_loadtestrun_change", "runs_loadtestrun_history"),
    *("runs_loadtestrun_live", "runs_loadtestrun_chart"),
    *("runs_loadtestrun_json", "runs_loadtestrun_csv"),
    *("runs_taskmetric_changelist", "runs_taskmetric_change", "runs_taskmetric_history"),
    *("runs_loadtestconfiguration_changelist", "runs_loadtestconfiguration_change"),
    "runs_loadtestconfiguration_history",
    *("runs_taskresult_changelist", "runs_taskresult_change", "runs_taskresult_history"),
}
# Nobody does these by hand, whatever they may
CLOSED = {
    *("runs_loadtestrun_delete", "runs_taskmetric_add", "runs_taskmetric_delete"),
    *("runs_loadtestconfiguration_add", "runs_loadtestconfiguration_delete"),
    *("runs_taskresult_add", "runs_taskresult_delete"),
}
OPEN = {"login"}


def names() -> list[str]:
    """Every named address of the admin."""
    return sorted({name for name in _names(get_resolver()) if name != "view_on_site"})


def _names(resolver: URLResolver, inside: bool = False) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        ours = inside or getattr(pattern, "namespace", None) == "admin"
        if isinstance(pattern, URLResolver):
            yield from _names(pattern, ours)
        elif isinstance(pattern, URLPattern) and ours and pattern.name:
            yield pattern.name


@pytest.fixture
def address(finished: Callable[..., Any]) -> Callable[[str], str]:
    """Where a name leads, with a run, a task, a configuration and a person to be shown."""
    run = finished()
    task = run.tasks.order_by("sequence").first()
    person = client_of(BOSS).session["_auth_user_id"]
    objects = {
        "user": person,
        "loadtestrun": run.test_id,
        "taskmetric": task.pk,
        "taskresult": task.pk,
        "loadtestconfiguration": run.configuration_id,
    }

    def lead(name: str) -> str:
        model = name.split("_")[1] if name.count("_") > 1 else ""
        for arguments in (
            {},
            {"app_label": "runs"},
            {"test_id": run.test_id},
            {"test_id": run.test_id, "name": "finished"},
            {"object_id": run.pk if name == "runs_loadtestrun_history" else objects.get(model, 1)},
            {"id": person},
        ):
            try:
                found = reverse(f"admin:{name}", kwargs=arguments)
            except NoReverseMatch:
                continue
            return found + (
                f"?{urlencode({'runs': f'{run.test_id},{run.test_id}'})}" * (name == "compare")
            )
        raise AssertionError(f"{name} leads nowhere")

    return lead


def test_every_address_is_walked(address: Callable[[str], str]) -> None:
    """None is left out, and every name that this file lists is one."""
    known = names()
    assert len(known) > 50
    assert set(known) >= SEEN | CLOSED | OPEN
    assert all(address(name).startswith("/admin/") for name in known)


def test_a_stranger_gets_the_login_page_and_nothing_else(address: Callable[[str], str]) -> None:
    stranger = client_of(NOBODY)
    for name in set(names()) - OPEN:
        for method in ("get", "post"):
            response = getattr(stranger, method)(address(name))
            assert response.status_code == 302, name
            where = response["Location"]
            assert where.startswith("/admin/login/") or (name == "logout" and where == "/admin/")


def test_staff_who_may_only_look_see_runs_and_are_refused_all_else(
    address: Callable[[str], str],
) -> None:
    viewer = client_of(VIEWER)
    for name in names():
        seen = viewer.get(address(name)).status_code
        if name in SEEN:
            # 302: who is logged in needs no login page; 405: nobody is logged out by a link
            assert seen in {"login": {302}, "logout": {405}}.get(name, {200}), name
        else:
            # 302: what is not there leads back to the index, before anybody's rights are asked
            assert seen == 403 or (seen == 302 and not name.startswith("runs_")), name
            posted = viewer.post(address(name), {"confirmed": "yes"}).status_code
            assert posted in {302, 403, 405} if seen == 302 else posted in {403, 405}, name


def test_who_may_do_everything_gets_everywhere_but_where_nobody_does(
    address: Callable[[str], str],
) -> None:
    boss = client_of(BOSS)
    for name in names():
        status = boss.get(address(name)).status_code
        if name in CLOSED:
            assert status == 403, name
        elif name == "autocomplete":
            assert status == 403  # asked about no field
        else:
            # 302: what is not there, such as a token, leads back to the index and says so
            assert status in {200, 302} or (name == "logout" and status == 405), name


def test_who_only_looks_is_offered_nothing_to_do(
    viewer: Any, address: Callable[[str], str]
) -> None:
    """No launch, no action, no button, on any page."""
    for name in sorted(SEEN - {"login", "logout", "password_change", "password_change_done"}):
        response = viewer.get(address(name))
        if "text/html" not in response.get("Content-Type", ""):
            continue
        page = text_of(response)
        for offer in ("/add/", "/run_again/", "/pin/", "/cancel/", "/judge/", "/try/"):
            assert f'href="/admin/runs/loadtestrun{offer}' not in page, name
            assert not (offer != "/add/" and offer in page), f"{name} offers {offer}"
        assert "Launch a load test" not in page, name
        for action in ("run_again", "run_selected", "pin", "cancel", "judge", "terminate"):
            assert f'value="{action}' not in page, name


@pytest.mark.parametrize("action", ["run_again", "pin", "cancel", "judge"])
def test_an_action_posted_by_hand_does_nothing_without_its_permission(
    action: str, viewer: Any, finished: Callable[..., Any]
) -> None:
    from runs.models import LoadTestRun

    run = finished()
    before = LoadTestRun.objects.values_list(
        "pk", "status", "headline", "configuration__pinned_run"
    )
    seen = list(before)
    chosen = {helpers.ACTION_CHECKBOX_NAME: [run.pk], "action": action, "confirmed": "yes"}
    viewer.post(reverse("admin:runs_loadtestrun_changelist"), chosen)
    viewer.post(reverse("admin:runs_loadtestrun_changelist"), {**chosen, "index": "0"})
    assert list(before.all()) == seen


def test_permissions_without_superuser_are_enough(finished: Callable[..., Any]) -> None:
    run = finished()
    client = client_of(PERMITTED)
    page = text_of(client.get(reverse("admin:runs_loadtestrun_change", args=[run.test_id])))
    for offer in ("/run_again/", "/pin/", "/judge/", "/try/"):
        assert offer in page
    assert client.get(reverse("admin:runs_loadtestrun_add")).status_code == 200
