"""Who gets in where: every endpoint with every kind of caller."""

from collections.abc import Callable
from typing import Any

import pytest
from callers import TASKS
from django.test import Client
from django.urls import URLPattern
from doors import DOORS, Door
from rest_framework.test import APIClient

from runs.api.urls import urlpatterns
from runs.models import LoadTestRun

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")


def knock(client: Any, door: Door, **options: Any) -> Any:
    return client.generic(
        door.method.upper(),
        door.path,
        b"{}" if door.method == "post" else b"",
        content_type="application/json",
        **options,
    )


def refusal(response: Any) -> str:
    document = response.json()
    assert set(document) == {"error", "message", "fields"}
    assert response["Content-Type"] == "application/json"
    assert document["message"]
    return str(document["error"])


def test_no_door_is_forgotten() -> None:
    def addresses(pattern: URLPattern) -> str:
        return TASKS + str(pattern.pattern).removeprefix("v1/tasks/")

    published = {addresses(p) for p in urlpatterns if str(p.pattern).startswith("v1/tasks/")}
    known = {
        door.address.replace(
            "lt_20261123T094501_ffffff",
            "<str:task_id>" if "result" in door.path else "<str:test_id>",
        )
        for door in DOORS
    }
    assert published == known


@every_door
def test_without_a_login_nobody_gets_in(stranger: APIClient, door: Door) -> None:
    response = knock(stranger, door)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert refusal(response) == "not_authenticated"


@every_door
def test_a_wrong_token_is_no_login(stranger: APIClient, door: Door) -> None:
    response = knock(stranger, door, HTTP_AUTHORIZATION="Token of-nobody")
    assert response.status_code == 401
    assert refusal(response) == "authentication_failed"


@every_door
def test_without_its_permission_a_door_stays_shut(
    somebody: Callable[..., APIClient], door: Door
) -> None:
    others = {"view", "launch", "cancel", "pin"} - {door.permission}
    response = knock(somebody(*(f"{other}_loadtestrun" for other in others)), door)
    assert response.status_code == 403
    assert refusal(response) == "permission_denied"
    assert f"runs.{door.permission}_loadtestrun" in response.json()["message"]
    assert not LoadTestRun.objects.exists()


@every_door
def test_its_permission_alone_opens_a_door(somebody: Callable[..., APIClient], door: Door) -> None:
    response = knock(somebody(f"{door.permission}_loadtestrun"), door)
    assert response.status_code == (404 if door.names_a_run else response.status_code)
    assert response.status_code in {200, 202, 404}


@every_door
def test_an_unknown_run_is_not_found(api: APIClient, door: Door) -> None:
    if door.names_a_run:
        assert refusal(knock(api, door)) == "unknown_run"


@every_door
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "trace"])
def test_another_method_is_refused_with_those_there_are(
    api: APIClient, door: Door, method: str
) -> None:
    there = {known.method for known in DOORS if known.path == door.path}
    if method in there:
        return
    response = knock(api, door._replace(method=method))
    assert response.status_code == 405
    assert refusal(response) == "method_not_allowed"
    assert {name.lower() for name in response["Allow"].split(", ")} - {"head"} == there


@every_door
def test_an_unknown_parameter_of_the_query_is_refused_by_name(api: APIClient, door: Door) -> None:
    response = knock(
        api, door._replace(path=f"{door.path}{'&' if '?' in door.path else '?'}page_sice=3")
    )
    assert response.status_code == 400
    assert refusal(response) == "invalid_request"
    assert "page_sice" in response.json()["fields"]
    assert not LoadTestRun.objects.exists()


@every_door
def test_only_json_is_answered(api: APIClient, door: Door) -> None:
    response = knock(api, door, HTTP_ACCEPT="text/html")
    assert response.status_code == 406
    assert refusal(response) == "not_acceptable"


@pytest.mark.parametrize("door", [d for d in DOORS if d.method == "post"], ids=lambda d: d.path)
class TestBodies:
    def test_an_unknown_field_is_refused_by_name(self, api: APIClient, door: Door) -> None:
        response = api.post(door.path, {"num_task": 1}, format="json")
        assert response.status_code == 400
        assert "num_task" in response.json()["fields"]
        assert not LoadTestRun.objects.exists()

    @pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": NaN}', b"[" * 40_000, b'"\\ud800"'])
    def test_malformed_json_is_said_to_be_so(self, api: APIClient, door: Door, body: bytes) -> None:
        response = api.generic("POST", door.path, body, content_type="application/json")
        assert response.status_code == 400
        assert refusal(response) == "malformed_json"

    @pytest.mark.parametrize("body", [b"[]", b"3", b'"text"', b"null"])
    def test_only_an_object_is_a_body(self, api: APIClient, door: Door, body: bytes) -> None:
        response = api.generic("POST", door.path, body, content_type="application/json")
        assert response.status_code == 400
        assert refusal(response) == "invalid_request"

    def test_another_type_of_body_is_refused(self, api: APIClient, door: Door) -> None:
        response = api.generic("POST", door.path, b"a=1", content_type="text/plain")
        assert response.status_code == 415
        assert refusal(response) == "unsupported_media_type"

    def test_a_long_body_is_refused(self, api: APIClient, door: Door) -> None:
        body = b'{"label": "' + b"x" * 70_000 + b'"}'
        response = api.generic("POST", door.path, body, content_type="application/json")
        assert response.status_code == 413
        assert refusal(response) == "body_too_large"

    def test_a_body_in_chunks_is_refused(self, api: APIClient, door: Door) -> None:
        response = api.generic("POST", door.path, b"", HTTP_TRANSFER_ENCODING="chunked")
        assert response.status_code == 411
        assert refusal(response) == "length_required"
        assert not LoadTestRun.objects.exists()


class TestSessions:
    def test_a_session_needs_its_csrf_token(self, api: APIClient) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(api.user)
        path = f"{TASKS}load-test"
        response = browser.post(path, b"{}", content_type="application/json")
        assert response.status_code == 403
        assert refusal(response) == "csrf_failed"

        browser.get("/api/docs/")
        token = browser.cookies["csrftoken"].value
        response = browser.post(
            path, b"{}", content_type="application/json", headers={"X-CSRFToken": token}
        )
        assert response.status_code == 202

    def test_a_session_reads_without_one(self, api: APIClient) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(api.user)
        assert browser.get(f"{TASKS}load-tests").status_code == 200

    def test_somebody_who_was_shut_out_stays_out(self, api: APIClient) -> None:
        api.user.is_active = False
        api.user.save()
        assert api.get(f"{TASKS}load-tests").status_code == 401


class TestAnonymous:
    def test_debug_alone_lets_nobody_in(self, stranger: APIClient, settings: Any) -> None:
        settings.DEBUG = True
        assert stranger.get(f"{TASKS}load-tests").status_code == 401

    def test_the_setting_alone_lets_nobody_in(self, stranger: APIClient, settings: Any) -> None:
        settings.LOADLAB_API_ANONYMOUS = True
        assert stranger.get(f"{TASKS}load-tests").status_code == 401

    def test_both_let_everybody_in(self, stranger: APIClient, settings: Any) -> None:
        settings.DEBUG = settings.LOADLAB_API_ANONYMOUS = True
        assert stranger.get(f"{TASKS}load-tests").status_code == 200
        response = stranger.post(f"{TASKS}load-test", {"task_type": "noop"}, format="json")
        assert response.status_code == 202
        run = LoadTestRun.objects.named(response.json()["test_id"])
        assert run.requested_by is None


class TestThrottles:
    def test_a_user_is_throttled_and_another_is_not(
        self, api: APIClient, somebody: Callable[..., APIClient], settings: Any
    ) -> None:
        settings.LOADLAB_API_RATE = 3
        path = f"{TASKS}load-test-types"
        answers = [api.get(path) for _ in range(7)]  # a minute may end in between
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refusal(refused[0]) == "throttled"
        assert 1 <= int(refused[0]["Retry-After"]) <= 60
        assert somebody("view_loadtestrun").get(path).status_code == 200

    def test_failed_logins_are_throttled_by_address(
        self, stranger: APIClient, settings: Any
    ) -> None:
        settings.LOADLAB_API_ANONYMOUS_RATE = 3
        answers = [
            stranger.get(
                f"{TASKS}load-tests",
                HTTP_AUTHORIZATION="Token wrong",
                HTTP_X_FORWARDED_FOR=f"10.0.0.{n}",  # which anybody may write
            ).status_code
            for n in range(7)
        ]
        assert answers[:3] == [401] * 3
        assert 429 in answers

    def test_no_limit_is_no_count(self, api: APIClient, settings: Any) -> None:
        settings.LOADLAB_API_RATE = 0
        assert {api.get(f"{TASKS}load-test-types").status_code for _ in range(5)} == {200}


class TestElsewhere:
    @pytest.mark.parametrize(
        "path",
        ["/api/", "/api/nothing", f"{TASKS}load-test/", f"{TASKS}load-tests/", "/api/v2/x.html"],
    )
    @pytest.mark.parametrize("method", ["get", "post", "put", "options"])
    def test_an_unknown_address_is_not_found(
        self, stranger: APIClient, path: str, method: str
    ) -> None:
        response = getattr(stranger, method)(path, HTTP_ACCEPT="text/html")
        assert response.status_code == 404
        assert refusal(response) == "not_found"

    def test_a_wrong_host_is_refused_in_the_same_shape(self, stranger: APIClient) -> None:
        response = stranger.get(f"{TASKS}load-tests", HTTP_HOST="evil.example")
        assert response.status_code == 400
        assert refusal(response) == "bad_request"

    @pytest.mark.parametrize("debug", [True, False])
    def test_a_fault_of_ours_tells_nothing_of_the_inside(
        self, api: APIClient, settings: Any, debug: bool, caplog: Any
    ) -> None:
        settings.DEBUG = debug
        del settings.LOADLAB_MAX_TASKS
        api.raise_request_exception = False
        response = api.post(f"{TASKS}load-test", {"num_tasks": 1}, format="json")
        assert response.status_code == 500
        assert refusal(response) == "internal_error"
        assert b"LOADLAB_MAX_TASKS" not in response.content
        assert "LOADLAB_MAX_TASKS" in caplog.text

    def test_no_other_origin_is_let_in(self, api: APIClient) -> None:
        response = api.get(f"{TASKS}load-tests", HTTP_ORIGIN="https://other.example")
        assert not [name for name in response.headers if name.startswith("Access-Control")]

    @pytest.mark.parametrize(
        "run", ["%00", "lt_%F0%9F%98%80", "a" * 500, "lt_'--", "..%2f..", "%20"]
    )
    def test_odd_ids_are_unknown(self, api: APIClient, run: str) -> None:
        for path in (f"load-test-result/{run}", f"load-test/{run}/tasks"):
            assert api.get(TASKS + path).status_code == 404
        assert api.post(f"{TASKS}load-test/{run}/cancel").status_code == 404
        assert api.delete(f"{TASKS}load-test/{run}/baseline").status_code == 404
