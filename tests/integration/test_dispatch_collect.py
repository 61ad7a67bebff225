"""Sent once, collected once, accounted for: with a real Redis server and real arq workers."""

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async
from redis.asyncio import Redis

from runs.collect import collect
from runs.dispatch import check_it_fits, dispatch
from runs.errors import TooBigForRedis
from runs.models import LoadTestRun
from runs.spec import Spec
from runs.start import cancel_run, start_runs
from runs.states import RunStatus
from workers.client import Batch, Cursor, QueueClient, ServerInfo
from workers.running import local_workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("orm_thread")]

ME = "this test"


async def started(**spec: object) -> LoadTestRun:
    """A run that this test dispatches and collects."""
    runs = await sync_to_async(start_runs)(spec=Spec(**spec), held_by=ME)  # type: ignore[arg-type]
    claimed = await sync_to_async(LoadTestRun.objects.claim_to_dispatch)(owner=ME)
    assert claimed == runs[0]
    return claimed


async def collected(run: LoadTestRun, client: QueueClient) -> LoadTestRun:
    claimed = await sync_to_async(LoadTestRun.objects.claim_to_collect)(owner=ME, only=run.pk)
    assert claimed == run
    await collect(claimed, client=client, owner=ME)
    await sync_to_async(claimed.refresh_from_db)()
    return claimed


async def executions_of(redis_url: str) -> list[int]:
    async with Redis.from_url(redis_url) as redis:
        return sorted(int(count) for count in (await redis.hgetall("executions")).values())


async def traces_of(run: LoadTestRun, redis_url: str) -> list[bytes]:
    """Every key that names the run, and its ids wherever a key lists ids."""
    async with Redis.from_url(redis_url) as redis:
        keys = [key for key in await redis.keys("*") if run.test_id.encode() in key]
        for zset in (b"arq:queue:load_test", b"arq:abort"):
            keys += [m for m in await redis.zrange(zset, 0, -1) if run.test_id.encode() in m]
        return keys


async def test_every_task_runs_once_and_has_its_row(redis_url: str, counting_tasks: str) -> None:
    async with QueueClient.connect() as client, local_workers("load_test", 1):
        run = await started(task_type=counting_tasks, num_tasks=120, batch_size=7)
        await dispatch(run, client=client, owner=ME)
        run = await collected(run, client)

    assert (run.status, run.completed_count, run.outstanding_count) == ("completed", 120, 0)
    rows = await sync_to_async(
        lambda: list(run.tasks.order_by("sequence").values_list("task_id", "metrics"))
    )()
    assert rows == [
        (f"{run.test_id}-{sequence:07d}", {"executions": 1}) for sequence in range(1, 121)
    ]
    assert await executions_of(redis_url) == [1] * 120
    assert await traces_of(run, redis_url) == []


async def test_a_dispatcher_that_begins_again_sends_nothing_twice(
    redis_url: str, counting_tasks: str
) -> None:
    async with QueueClient.connect() as client, local_workers("load_test", 1):
        run = await started(task_type=counting_tasks, num_tasks=100, batch_size=10)
        first_half = await sync_to_async(lambda: run.configuration.arrivals)()
        await client.open_cursor(run.test_id, ttl_s=60)
        batch = Batch(
            test_id=run.test_id,
            queue="load_test",
            first=1,
            count=first_half.tasks // 2,
            function=counting_tasks,
            kwargs={"hold_ms": 0},
            enqueued_ms=int(time.time() * 1000),
            expires_ms=60_000,
            cursor_ttl_s=60,
        )
        await client.send_batch(batch)
        # why waited for: arq deletes the body of a job that has run, which is what fools others
        while len(await executions_of(redis_url)) < 50:
            await asyncio.sleep(0.05)
        await client.send_batch(batch)
        await dispatch(run, client=client, owner=ME)
        run = await collected(run, client)

    assert run.completed_count == 100
    assert await executions_of(redis_url) == [1] * 100


async def test_a_cancelled_run_leaves_nothing_and_its_books_balance(
    redis_url: str, counting_tasks: str
) -> None:
    async with QueueClient.connect() as client, local_workers("load_test", 1):
        run = await started(
            task_type=counting_tasks, num_tasks=400, parameters={"hold_ms": "20000"}
        )
        await dispatch(run, client=client, owner=ME)
        while not await executions_of(redis_url):
            await asyncio.sleep(0.05)
        await sync_to_async(cancel_run)(test_id=run.test_id)
        run = await collected(run, client)

    assert run.status == RunStatus.CANCELLED
    assert (run.sent_count, run.cancelled_count, run.completed_count) == (400, 400, 0)
    assert await sync_to_async(run.tasks.filter(state="cancelled").count)() == 400
    assert await traces_of(run, redis_url) == []
    assert max(await executions_of(redis_url)) == 1


async def test_a_run_cancelled_while_it_is_sent_goes_no_further(redis_url: str) -> None:
    async with QueueClient.connect() as client:
        run = await started(task_type="noop", num_tasks=1000, batch_size=10, delay_ms=50)
        sending = asyncio.create_task(dispatch(run, client=client, owner=ME))
        while not isinstance(cursor := await client.cursor(run.test_id), int) or cursor < 20:
            await asyncio.sleep(0.02)
        await sync_to_async(cancel_run)(test_id=run.test_id)
        run = await collected(run, client)
        await sending

    assert run.status == RunStatus.CANCELLED
    assert 20 <= run.sent_count < 1000
    assert run.cancelled_count == run.sent_count
    assert await traces_of(run, redis_url) == []


async def test_without_a_worker_the_tasks_are_lost_at_the_timeout(redis_url: str) -> None:
    async with QueueClient.connect() as client:
        run = await started(task_type="noop", num_tasks=30, timeout_s=1.0)
        await dispatch(run, client=client, owner=ME)
        run = await collected(run, client)

    assert (run.status, run.lost_count) == (RunStatus.TIMED_OUT, 30)
    assert await sync_to_async(run.tasks.filter(state="lost").count)() == 30
    assert await traces_of(run, redis_url) == []


async def test_what_redis_forgot_is_lost_and_not_waited_for(redis_url: str) -> None:
    async with QueueClient.connect() as client:
        run = await started(task_type="noop", num_tasks=30, timeout_s=600)
        await dispatch(run, client=client, owner=ME)
        async with Redis.from_url(redis_url) as redis:
            await redis.flushall()
        run = await collected(run, client)

    assert (run.status, run.lost_count) == (RunStatus.COMPLETED, 30)
    assert "30 tasks left Redis without a result" in run.notes[0]


async def test_a_result_that_cannot_be_believed_is_a_failed_task(redis_url: str) -> None:
    async with QueueClient.connect() as client:
        run = await started(task_type="noop", num_tasks=2)
        await dispatch(run, client=client, owner=ME)
        async with Redis.from_url(redis_url) as redis:
            await redis.delete("arq:queue:load_test")
            for sequence, raw in ((1, b"\x80\x04garbage"), (2, b"\xc1")):
                await redis.set(f"arq:result:{run.test_id}-{sequence:07d}", raw)
        run = await collected(run, client)

    assert (run.status, run.failed_count) == (RunStatus.COMPLETED, 2)
    errors = await sync_to_async(lambda: set(run.tasks.values_list("error_type", flat=True)))()
    assert errors == {"loadlab.UndecodableResult"}


async def test_a_sender_whose_run_is_over_asks_before_it_sends(redis_url: str) -> None:
    async with QueueClient.connect() as client:
        run = await started(task_type="noop", num_tasks=50)
        await sync_to_async(LoadTestRun.objects.filter(pk=run.pk).update)(status="timed_out")
        await dispatch(run, client=client, owner=ME)
        assert await client.cursor(run.test_id) is Cursor.MISSING
        assert (await client.depth("load_test")).queued == 0


async def test_one_queue_never_touches_another(redis_url: str) -> None:
    async with QueueClient.connect() as client, local_workers("media", 1):
        run = await started(task_type="noop", num_tasks=20, target_queue="media")
        await dispatch(run, client=client, owner=ME)
        run = await collected(run, client)
        async with Redis.from_url(redis_url) as redis:
            others = [k for k in await redis.keys("*") if b"load_test" in k or b"system" in k]
    assert run.completed_count == 20
    assert others == []


def test_a_run_that_would_not_fit_is_refused_with_the_figures() -> None:
    full = server(maxmemory=10_000_000, used_memory=9_000_000)
    with pytest.raises(TooBigForRedis, match=r"2000 tasks need about 1\.0 MB.*0\.5 MB.*1000 tasks"):
        check_it_fits(full, num_tasks=2000)
    check_it_fits(full, num_tasks=1000)
    check_it_fits(server(maxmemory=0), num_tasks=1_000_000)


def test_an_evicting_redis_is_refused() -> None:
    with pytest.raises(TooBigForRedis, match="allkeys-lru"):
        check_it_fits(server(maxmemory_policy="allkeys-lru"), num_tasks=1)


async def test_the_dispatch_of_a_run_that_does_not_fit_fails_it(redis_url: str) -> None:
    async with QueueClient.connect() as client, Redis.from_url(redis_url) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            run = await started(task_type="noop", num_tasks=5)
            await dispatch(run, client=client, owner=ME)
        finally:
            await redis.config_set("maxmemory-policy", "noeviction")
        await sync_to_async(run.refresh_from_db)()
    assert run.status == RunStatus.FAILED
    assert "evicts" in run.headline


def server(**changes: object) -> ServerInfo:
    plain: dict[str, object] = {
        "version": "9.1",
        "kind": "valkey",
        "maxmemory": 0,
        "maxmemory_policy": "noeviction",
        "used_memory": 0,
        "used_cpu_s": 0.0,
        "uptime_s": 1.0,
        "total_commands": 1,
    }
    return ServerInfo(**(plain | changes))  # type: ignore[arg-type]
