"""Sending, watching and taking back tasks on a real Valkey, with real arq workers."""

import asyncio
import time
from dataclasses import replace

import pytest
import redis
from arq.connections import ArqRedis
from redis.exceptions import WatchError
from working import RUN, batch, executions, ids, until, work_off, working

from workers import codec
from workers.client import Cursor, QueueClient
from workers.codec import ErrorKind, TaskResult, Undecodable
from workers.errors import RedisUnreachable
from workers.settings import Target, queue_key

# why: arq itself calls redis-py's deprecated close()
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


async def keys(client: QueueClient) -> set[str]:
    """Everything in Redis; a test may ask what the product may not."""
    return {key.decode() for key in await client._ask("KEYS", "*")}


async def test_a_batch_stands_on_the_queue_in_order(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    assert await client.send_batch(batch(1, 12)) == 12
    assert (await client.glance("load_test", test_id="lt_1")).head == ids(1, 1)[0]
    assert await client._ask("ZRANGE", queue_key("load_test"), 0, -1) == [
        task.encode() for task in ids(1, 12)
    ]
    assert await client.queued("load_test", [*ids(12, 13)]) == [True, False]
    assert 0 < await client._ask("PTTL", f"arq:job:{ids(1, 1)[0]}") <= 600_000


async def test_what_is_sent_again_runs_once(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 20))
    await work_off()
    # the sender did not hear of it: it sends the same again, then goes on from before the end
    assert await client.send_batch(batch(1, 20)) == 20
    assert await client.send_batch(batch(11, 20)) == 30
    await work_off()
    assert await executions(client, ids(1, 30)) == [1] * 30
    assert all(result for result in await client.results(ids(1, 30)))


async def test_two_senders_at_once_send_each_task_once(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    async with QueueClient.connect() as other:
        await asyncio.gather(
            *(
                one.send_batch(batch(first, 25))
                for first in range(1, 200, 25)
                for one in (client, other)
            )
        )
    await work_off()
    assert await executions(client, ids(1, 200)) == [1] * 200


async def test_a_closed_cursor_refuses_and_nothing_is_written(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.close_cursor(RUN)
    before = await keys(client)
    assert await client.send_batch(batch(1, 10)) is Cursor.CLOSED
    assert await client.cursor(RUN) is Cursor.CLOSED
    await client.open_cursor(RUN, ttl_s=60)
    assert await client.cursor(RUN) is Cursor.CLOSED
    assert await keys(client) == before


async def test_a_missing_cursor_refuses_until_it_is_opened_again(client: QueueClient) -> None:
    assert await client.cursor(RUN) is Cursor.MISSING
    assert await client.send_batch(batch(1, 10)) is Cursor.MISSING
    assert await keys(client) == set()
    # Redis has lost its data, PostgreSQL remembers that 7 were sent
    await client.open_cursor(RUN, at=7, ttl_s=60)
    assert await client.send_batch(batch(1, 10)) == 10
    assert await client.queued("load_test", ids(1, 10)) == [False] * 7 + [True] * 3


async def test_an_open_cursor_is_not_moved(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 5))
    await client.open_cursor(RUN, at=0, ttl_s=60)
    assert await client.cursor(RUN) == 5
    await client.forget_run(RUN)
    assert await client.cursor(RUN) is Cursor.MISSING


async def test_a_redis_that_forgot_the_scripts_is_told_again(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    for first in (1, 11):
        await client._ask("SCRIPT FLUSH")
        assert await client.send_batch(batch(first, 10)) == first + 9
    await client._ask("SCRIPT FLUSH")
    assert await client.cancel("load_test", ids(1, 20)) == ids(1, 20)


@pytest.mark.parametrize(("first", "size"), [(0, 10), (1, 0), (1, 501)])
def test_a_batch_is_bounded(first: int, size: int) -> None:
    with pytest.raises(ValueError, match="1 to 500"):
        batch(first, size)


async def test_results_are_read_one_by_one(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 2))
    await client.send_batch(batch(3, 1, function="unheard_of"))
    await work_off()
    await client._ask("SET", f"arq:result:{ids(4, 4)[0]}", b"\x80\x04K\x01.")  # a planted pickle
    good, also_good, unknown, planted, absent = await client.results(ids(1, 5))
    assert isinstance(good, TaskResult)
    assert isinstance(also_good, TaskResult)
    assert good.success
    assert good.worker
    assert 0 < good.enqueued_ms <= good.started_ms <= good.finished_ms
    assert isinstance(unknown, TaskResult)
    assert unknown.error is not None
    assert unknown.error.kind is ErrorKind.NOT_FOUND
    assert isinstance(planted, Undecodable)
    assert absent is None
    await client.discard(ids(1, 4))
    assert await client.results(ids(1, 4)) == [None] * 4
    assert await client.results([]) == []


async def test_cancel_takes_waiting_tasks_off_and_aborts_running_ones(
    client: QueueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOADLAB_QUEUE_LOAD_TEST_MAX_JOBS", "2")
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 10, function="count_slowly"))
    async with working():

        async def both_run() -> bool:
            return sum(await executions(client, ids(1, 10))) == 2

        await until(both_run)
        await client.close_cursor(RUN)
        assert await client.cancel("load_test", ids(1, 10)) == ids(3, 10)

        async def both_ended() -> bool:
            return all(await client.results(ids(1, 2)))

        await until(both_ended)
    aborted = await client.results(ids(1, 2))
    assert all(isinstance(result, TaskResult) and result.aborted for result in aborted)
    assert await executions(client, ids(1, 10)) == [1, 1] + [0] * 8
    assert (await client.depth("load_test")).queued == 0


async def test_a_worker_about_to_start_a_cancelled_task_lets_go(
    client: QueueClient, redis_url: str
) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 1))
    (task,) = ids(1, 1)
    with redis.Redis.from_url(redis_url) as worker, worker.pipeline() as claim:
        claim.watch(f"arq:in-progress:{task}")  # what arq does before it starts a job
        assert await client.cancel("load_test", [task]) == [task]
        claim.multi()
        claim.psetex(f"arq:in-progress:{task}", 60_000, b"1")
        with pytest.raises(WatchError):
            claim.execute()


async def test_purge_leaves_no_key_of_a_run(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 3, function="noop"))
    await work_off()
    await client.send_batch(batch(4, 600 - 3 - 100, function="noop"))
    await client._ask("SET", f"arq:in-progress:{ids(4, 4)[0]}", "1")
    await client.cancel("load_test", ids(4, 5))
    await client.purge("load_test", ids(1, 600))
    await client.forget_run(RUN)
    assert await keys(client) == set()


async def test_a_run_touches_its_own_queue_alone(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 5, queue="system"))
    before = await keys(client)
    await client._ask("SET", "loadlab:lt_other:sent", 0)
    other = batch(1, 5, queue="media", function="noop")
    await client.send_batch(replace(other, test_id="lt_other"))
    await work_off(queue="media")
    await client.purge("media", [f"lt_other-{n:07d}" for n in range(1, 6)])
    await client.forget_run("lt_other")
    assert await keys(client) == before
    assert await client.queued("system", ids(1, 5)) == [True] * 5


async def test_depth_tells_waiting_running_and_deferred(client: QueueClient) -> None:
    assert (await client.glance("load_test", test_id="lt_1")).head is None
    assert (await client.depth("load_test")).queued == 0
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 6))
    await client._ask("SET", f"arq:in-progress:{ids(2, 2)[0]}", "1")
    later = int(time.time() * 1000) + 60_000
    await client._ask("ZADD", queue_key("load_test"), later, "lt_later-0000001")
    depth = await client.depth("load_test")
    assert (depth.queued, depth.due, depth.deferred, depth.running) == (7, 6, 1, 1)


async def test_a_queue_whose_visible_head_all_runs_has_an_unknown_number_running(
    client: QueueClient,
) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    for first in (1, 501):
        await client.send_batch(batch(first, 500))
    await client._ask(
        "MSET", *(x for task in ids(1, 500) for x in (f"arq:in-progress:{task}", "1"))
    )
    assert (await client.depth("load_test")).running is None


async def test_foreign_jobs_are_counted_but_not_our_own_cron(client: QueueClient) -> None:
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 3))
    arq: ArqRedis = ArqRedis.from_url(await asyncio.to_thread(_url))  # type: ignore[assignment]
    arq.job_serializer = codec.dumps
    for job_id in ("somebodys", "cron:somebodys:1", "loadlab:health_check:1795459496000"):
        await arq.enqueue_job("noop", _job_id=job_id, _queue_name=queue_key("load_test"))
    await arq.aclose()
    assert await client.foreign("load_test", test_id=RUN) == 2
    assert await client.foreign("load_test", test_id="lt_another") == 5
    assert await client.foreign("media", test_id=RUN) == 0


def _url() -> str:
    from workers.settings import redis_url

    return redis_url()


async def test_the_server_says_what_it_is(client: QueueClient) -> None:
    await client.clock_offset()
    before = await client.server_info()
    sent = client.commands_sent
    assert before.kind == "valkey"
    assert before.version.count(".") == 2
    assert before.maxmemory_policy == "noeviction"
    assert before.used_memory > 0
    await client.open_cursor(RUN, ttl_s=60)
    await client.send_batch(batch(1, 40))
    await client.cancel("load_test", ids(1, 40))
    await client.depth("load_test")
    await client.purge("load_test", ids(1, 40))
    after = await client.server_info()
    # what we say we sent is what Redis counted, commands inside scripts included
    assert after.total_commands - before.total_commands == client.commands_sent - sent


async def test_clocks_of_one_machine_agree(client: QueueClient) -> None:
    offset = await client.clock_offset()
    assert abs(offset.offset_s) <= offset.error_s + 0.001


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret@127.0.0.1:1/3",
        "unix:///nowhere/at-all.sock",
        "redis://no-such-host.invalid",
    ],
)
async def test_an_unreachable_redis_is_named_without_its_password(url: str) -> None:
    with pytest.raises(RedisUnreachable) as refusal:
        async with QueueClient.connect(Target(redis_url=url)):
            pass
    sentence = str(refusal.value)
    assert "s3cret" not in sentence
    assert sentence.startswith("Redis at ")
    assert "set REDIS_URL" in sentence


async def test_a_port_that_answers_nothing_is_given_up_within_seconds() -> None:
    gone = asyncio.Event()

    async def hear_and_say_nothing(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(hear_and_say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with pytest.raises(RedisUnreachable, match="no answer within 5 s"):
            async with (
                asyncio.timeout(20),
                QueueClient.connect(Target(redis_url=f"redis://127.0.0.1:{port}")),
            ):
                pass
        await gone.wait()
    finally:
        server.close()
