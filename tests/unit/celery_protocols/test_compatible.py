"""One line over a settings class: arq reads what it needs, and the class stays what it was."""

import os
import subprocess
import sys
from typing import Any, ClassVar

import pytest
from arq import cron, func
from arq.worker import Function, get_kwargs

from loadlab import celery_compatible
from workers.celery.compatible import compatible_if_wanted
from workers.celery.serving import Serving
from workers.queues.serving import settings_class


async def add(ctx: dict[Any, Any], x: int, y: int) -> int:
    """Adds."""
    return x + y


def a_class(**attributes: Any) -> type:
    return type("WorkerSettings", (), {"functions": [add], **attributes})


async def hook(ctx: dict[Any, Any]) -> None:
    ctx.setdefault("called", []).append("theirs")


def test_arq_finds_everything_in_the_class_itself() -> None:
    given = a_class(queue_name="q", on_job_start=hook, after_job_end=hook)
    decorated = celery_compatible(given)
    assert decorated is given
    found = get_kwargs(decorated)  # type: ignore[arg-type]
    assert {"on_startup", "on_shutdown", "after_job_end", "job_serializer"} <= set(found)
    assert found["on_job_start"] is hook
    assert found["queue_name"] == "q"


async def test_functions_keep_names_settings_and_signatures() -> None:
    named = func(add, name="sum", timeout=5, keep_result=7, max_tries=2)
    decorated = celery_compatible(a_class(functions=(add, named), cron_jobs=[cron(add, minute=1)]))
    first, second = decorated.functions  # type: ignore[attr-defined]
    assert isinstance(first, Function)
    assert (first.name, second.name) == ("add", "sum")
    assert (second.timeout_s, second.keep_result_s, second.max_tries) == (5, 7, 2)
    assert first.coroutine.__doc__ == "Adds."
    assert await first.coroutine({}, 1, y=2) == 3
    (job,) = decorated.cron_jobs  # type: ignore[attr-defined]
    assert (job.name, job.minute) == ("cron:add", 1)


async def test_a_function_given_by_its_path_is_imported_when_it_runs() -> None:
    decorated = celery_compatible(a_class(functions=["no_such_module.later", f"{__name__}.add"]))
    later, here = decorated.functions  # type: ignore[attr-defined]
    assert later.name == "no_such_module.later"
    assert await here.coroutine({}, 1, 2) == 3
    with pytest.raises(ImportError):
        await later.coroutine({})


async def test_hooks_of_the_class_are_still_called() -> None:
    decorated = celery_compatible(a_class(after_job_end=hook, on_shutdown=hook))
    ctx: dict[Any, Any] = {"job_id": "j"}
    await decorated.after_job_end(ctx)  # type: ignore[attr-defined]
    await decorated.on_shutdown(ctx)  # type: ignore[attr-defined]
    assert ctx["called"] == ["theirs", "theirs"]


def test_control_allows_aborting_unless_the_class_forbids_it() -> None:
    assert celery_compatible(control=True)(a_class()).allow_abort_jobs is True  # type: ignore[attr-defined]
    forbidding = celery_compatible(control=True)(a_class(allow_abort_jobs=False))
    assert forbidding.allow_abort_jobs is False  # type: ignore[attr-defined]
    assert "allow_abort_jobs" not in vars(celery_compatible(a_class()))


def test_switched_off_the_class_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOADLAB_CELERY_EVENTS", "0")
    given = a_class()
    before = dict(vars(given))
    assert dict(vars(celery_compatible(given))) == before
    assert dict(vars(compatible_if_wanted(given))) == before


def test_our_own_queues_have_it_only_where_a_variable_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = settings_class("load_test")
    assert not hasattr(plain, "after_job_end")
    for variable in ("EVENTS", "CONTROL", "RESULTS"):
        with monkeypatch.context() as patched:
            patched.setenv(f"LOADLAB_CELERY_{variable}", "1")
            assert hasattr(settings_class("load_test"), "after_job_end")


@pytest.mark.parametrize(
    ("switched", "loaded"),
    [
        ({}, False),
        ({"LOADLAB_CELERY_EVENTS_SAMPLE": "0.1"}, False),
        ({"LOADLAB_CELERY_EVENTS": "1"}, True),
    ],
)
def test_switched_off_none_of_this_code_is_loaded(switched: dict[str, str], loaded: bool) -> None:
    script = (
        "import sys, workers.queues.load_test as queue; print(any("
        "name.startswith('workers.celery') for name in sys.modules), hasattr("
        "queue.WorkerSettings, 'after_job_end'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **switched},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(loaded), str(loaded)]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("arq:queue:load_test", "load_test"),
        ("arq:queue", "arq(arq:queue)"),
        ("mine", "arq(mine)"),
    ],
)
def test_a_queue_is_never_named_as_its_redis_key(key: str, name: str) -> None:
    assert Serving.of({"queue_name": key}, functions={}).queue == name
    assert name != key


class Inherited:
    functions: ClassVar[list[Any]] = [add]
    max_jobs = 3


def test_what_is_inherited_counts_as_little_as_for_arq() -> None:
    child = type("WorkerSettings", (Inherited,), {})
    assert celery_compatible(child).functions == []  # type: ignore[attr-defined]
