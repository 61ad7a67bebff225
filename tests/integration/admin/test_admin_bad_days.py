"""Bad days: a Redis that says nothing, two cancels in one moment, results made of rubbish."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, connections
from django.urls import reverse
from factories import a_run
from people import BOSS, client_of, text_of
from redis import Redis

from runs.collect import collect
from runs.dispatch import dispatch
from runs.errors import NotAllowedNow
from runs.models import LoadTestRun
from runs.spec import Spec
from runs.start import cancel_run, start_runs
from runs.states import RunStatus
from workers.client import QueueClient

ME = "this test"
SCRIPT = b"<script>alert('x')</script>"


@pytest.fixture
def redis_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its connections are accepted by the system, and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("REDIS_URL", f"redis://{address}/0")
        yield address


@pytest.mark.django_db
def test_pages_open_beside_a_redis_that_says_nothing(redis_that_says_nothing: str) -> None:
    boss = client_of(BOSS)
    for name, sentence in (
        ("index", "Redis is away"),
        ("queues", "Redis has not answered within"),
        ("runs_loadtestrun_add", "Redis is away; a run would wait"),
    ):
        response = boss.get(reverse(f"admin:{name}"))
        assert response.status_code == 200
        assert sentence in text_of(response), name


@pytest.mark.django_db(transaction=True)
def test_two_who_cancel_in_the_same_moment_make_one_cancel() -> None:
    for _ in range(5):
        run = a_run(status=RunStatus.PENDING)
        together = threading.Barrier(2)

        def cancel(test_id: str = run.test_id, together: threading.Barrier = together) -> str:
            together.wait(10)
            try:
                return str(cancel_run(test_id=test_id).status)
            except NotAllowedNow as error:
                return str(error)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            said = [each.result() for each in (pool.submit(cancel), pool.submit(cancel))]
        run.refresh_from_db()
        assert run.status == RunStatus.CANCELLED
        assert run.report["status"] == "cancelled"
        assert "cancelled" in said
        assert all(each == "cancelled" or "nothing to cancel" in each for each in said)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "raw",
    [
        *(b"\xff\xfe" + SCRIPT, b"\x80\x04\x95" + SCRIPT, SCRIPT, b"\xc1", b""),
        b"\x81\xa1t\xa4\xff\xfe\xfd\xfc",  # a map with text that is no UTF-8
        b"x" * 5_000_000,
    ],
    ids=["utf-16", "pickle", "script", "no-msgpack", "nothing", "wrong-utf-8", "5-mb"],
)
def test_rubbish_in_redis_is_a_failed_task_with_a_harmless_page(raw: bytes, redis_url: str) -> None:
    run = _sent()
    with Redis.from_url(redis_url) as redis:
        redis.delete("arq:queue:load_test")
        redis.set(f"arq:result:{run.test_id}-0000001", raw)
    _collected(run)
    boss = client_of(BOSS)
    for name, argument in (
        ("runs_taskmetric_change", f"{run.test_id}-0000001"),
        ("runs_taskresult_change", f"{run.test_id}-0000001"),
        ("runs_loadtestrun_change", run.test_id),
    ):
        page = text_of(boss.get(reverse(f"admin:{name}", args=[argument])))
        assert "UndecodableResult" in page
        assert "<script>alert" not in page
        assert len(page) < 200_000


def _sent() -> LoadTestRun:
    (run,) = start_runs(spec=Spec(task_type="noop", num_tasks=1), held_by=ME)
    claimed = LoadTestRun.objects.claim_to_dispatch(owner=ME)
    assert claimed == run
    _with_a_client(dispatch, claimed)
    return run


def _collected(run: LoadTestRun) -> None:
    claimed = LoadTestRun.objects.claim_to_collect(owner=ME, only=run.pk)
    assert claimed == run
    _with_a_client(collect, claimed)


def _with_a_client(step: object, run: LoadTestRun) -> None:
    async def carry_out() -> None:
        async with QueueClient.connect() as client:
            await step(run, client=client, owner=ME)  # type: ignore[operator]

    async_to_sync(carry_out)()
    connection.close()
