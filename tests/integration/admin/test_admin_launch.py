"""The launch page: what it starts, what it refuses at its place, what it warns of."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from factories import a_configuration
from people import text_of

from runs.models import LoadTestConfiguration, LoadTestRun

ADD = "admin:runs_loadtestrun_add"


def sent(**changes: Any) -> dict[str, Any]:
    return {
        "question": "fast",
        "num_tasks": "25",
        "task_type": "sleep",
        "sleep--duration_ms": "40",
        "target_queue": "load_test",
        "batch_size": "5",
        "delay_ms": "10",
        **changes,
    }


def test_a_burst_is_launched_with_the_parameters_of_its_own_type_only(boss: Any) -> None:
    response = boss.post(reverse(ADD), sent(**{"io_simulation--api_ms": "nonsense"}))
    run = LoadTestRun.objects.select_related("configuration").get()
    assert response["Location"] == reverse("admin:runs_loadtestrun_change", args=[run.test_id])
    configuration = run.configuration
    assert (configuration.num_tasks, configuration.batch_size, configuration.delay_ms) == (
        25,
        5,
        10,
    )
    assert configuration.parameters["duration_ms"] == 40
    assert configuration.rate_per_s is None
    assert run.requested_by.get_username() == "boss"
    assert LogEntry.objects.get().object_id == str(run.pk)


def test_a_rate_is_launched_and_the_fields_of_the_other_question_do_not_matter(boss: Any) -> None:
    boss.post(
        reverse(ADD),
        sent(question="rate", rate_per_s="12,5", duration_s="4", arrival="poisson", num_tasks="x"),
    )
    configuration = LoadTestConfiguration.objects.get()
    assert (configuration.rate_per_s, configuration.duration_s) == (12.5, 4)
    assert (configuration.arrival, configuration.num_tasks) == ("poisson", 50)


def test_repeats_are_shown_as_a_group(boss: Any) -> None:
    response = boss.post(reverse(ADD), sent(repeat="3"), follow=True)
    group = LoadTestRun.objects.values_list("group_id", flat=True).distinct().get()
    assert response.redirect_chain[-1][0].endswith(f"?group={group}")
    assert text_of(response).count('class="field-run"') == 3


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("num_tasks", "16O", "Give a whole number above 0, like 1000. You typed &quot;16O&quot;."),
        ("num_tasks", "0", "must be a whole number from 1 to"),
        (
            "sleep--duration_ms",
            "12ms",
            "Give a number from 0 to 600000 ms. You typed &quot;12ms&quot;.",
        ),
        ("thresholds", "p95_of_nothing<5", "p95_of_nothing"),
        ("timeout_s", "-3", "must be above 0"),
        ("label", "x" * 201, "at most 200 printable characters"),
        ("repeat", "1000", "from 1 to 100"),
        ("batch_size", "<script>alert(1)</script>", "&lt;script&gt;alert(1)"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    boss: Any, field: str, typed: str, sentence: str
) -> None:
    response = boss.post(reverse(ADD), sent(**{field: typed}))
    assert response.status_code == 400
    page = text_of(response)
    place = page.index(f'id="id_{field}-error"')
    assert sentence in page[place : place + 600]
    assert f'aria-describedby="id_{field}_error"' in page or 'aria-invalid="true"' in page
    assert response.context["form"][field].value() == typed
    assert response.context["form"]["delay_ms"].value() == "10"
    assert "<script>alert" not in page
    assert not LoadTestRun.objects.exists()


def test_a_missing_rate_is_asked_for(boss: Any) -> None:
    response = boss.post(reverse(ADD), sent(question="rate", duration_s="5"))
    assert response.context["form"].errors["rate_per_s"] == ["Give a number above 0, like 40."]


def test_an_unknown_queue_or_type_is_refused(boss: Any) -> None:
    for field in ("target_queue", "task_type", "question"):
        response = boss.post(reverse(ADD), sent(**{field: "mars"}))
        assert response.status_code == 400
        assert field in response.context["form"].errors


def test_the_form_starts_from_a_preset_a_run_or_a_configuration(
    boss: Any, finished: Callable[..., Any]
) -> None:
    run = finished(num_tasks=170, batch_size=17, delay_ms=5.0)
    like = boss.get(reverse(ADD), {"like": run.test_id}).context["form"]
    assert [like[name].value() for name in ("num_tasks", "batch_size", "delay_ms")] == [
        *("170", "17", "5"),
    ]
    small = boss.get(reverse(ADD), {"preset": "small"}).context["form"]
    assert (small["task_type"].value(), small["num_tasks"].value()) == ("cpu_intensive", "50")
    saved = a_configuration(
        num_tasks=40, arrival="constant", rate_per_s=8.0, duration_s=5.0, batch_size=1
    )
    rate = boss.get(reverse(ADD), {"configuration": saved.pk}).context["form"]
    assert (rate["question"].value(), rate["rate_per_s"].value()) == ("rate", "8")
    gone = boss.get(reverse(ADD), {"like": "lt_20200101T000000_000000"})
    assert "There is no load test" in text_of(gone)


def test_a_workload_is_saved_under_its_label_without_being_run(boss: Any) -> None:
    response = boss.post(reverse(ADD), sent(label="nightly", save="1"))
    saved = LoadTestConfiguration.objects.get()
    assert saved.name == "nightly"
    assert response["Location"] == reverse(
        "admin:runs_loadtestconfiguration_change", args=[saved.pk]
    )
    assert not LoadTestRun.objects.exists()


def test_too_many_waiting_runs_are_refused_above_the_form(boss: Any, settings: Any) -> None:
    settings.LOADLAB_MAX_WAITING = 1
    boss.post(reverse(ADD), sent())
    response = boss.post(reverse(ADD), sent())
    assert response.status_code == 400
    assert "LOADLAB_MAX_WAITING" in text_of(response)


def test_it_warns_where_nobody_would_serve_the_run_and_launches_all_the_same(
    boss: Any, redis_url: str
) -> None:
    page = text_of(boss.get(reverse(ADD)))
    assert "no worker answers; a run would wait" in page
    assert "No dispatcher is running" in page
    assert boss.post(reverse(ADD), sent()).status_code == 302


def test_the_estimate_follows_the_form(boss: Any, finished: Callable[..., Any]) -> None:
    finished()
    where = reverse("admin:runs_loadtestrun_estimate")
    first = text_of(boss.get(where, sent(task_type="io_simulation", num_tasks="1000")))
    other = text_of(boss.get(where, sent(task_type="io_simulation", num_tasks="2000")))
    assert "1000\u00a0tasks" in first
    assert "2000\u00a0tasks" in other
    wrong = text_of(boss.get(where, sent(num_tasks="many")))
    assert "1000" not in wrong
    assert "estimate" in wrong


def test_every_task_type_has_its_fields_with_units_and_defaults(boss: Any) -> None:
    page = text_of(boss.get(reverse(ADD)))
    for name, value, unit in (
        ("sleep--duration_ms", "100", "ms"),
        ("failure_testing--failure_rate", "0.1", "share of the tasks that fail"),
        ("io_simulation--network_calls", "4", "calls"),
    ):
        place = page.index(f'name="{name}"')
        assert f'value="{value}"' in page[place - 100 : place + 200]
        assert unit in page[place : place + 400]
