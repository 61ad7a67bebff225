"""What the outbox leaves in a real Redis: a state that comes late takes nothing back."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from workers.celery import outbox, results
from workers.celery.envelope import Channels
from workers.celery.events import Events
from workers.celery.outbox import Mirrored, Outbox
from workers.celery.states import State

LONG_AGO, NOW = 1_700_000_000.0, 1_800_000_000.0
EVENTS = Events(hostname="host:1:abc", queue="load_test", software={})


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def box() -> Outbox:
    return Outbox(channels=Channels(key_prefix="app:"), hostname="host:1:abc", results_ttl_s=60)


def a_state(status: State, *, at: float) -> Mirrored:
    """A final state reached at `at`, or a passing one of an attempt that began then."""
    is_final = status in {State.SUCCESS, State.FAILURE, State.REVOKED}
    document = results.document("j", status=status, result=None, finished_ms=int(at * 1000))
    return Mirrored(document=document, began=None if is_final else results.instant(at))


async def mirrored(client: Redis) -> str:
    raw = await client.get("app:celery-task-meta-j")
    assert raw is not None
    return str(json.loads(raw)["status"])


@contextlib.asynccontextmanager
async def sending(box: Outbox, redis: Redis) -> AsyncIterator[None]:
    """The task that a worker sends with."""
    task = asyncio.create_task(box.deliver(redis))
    yield
    task.cancel()
    await asyncio.wait([task])


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not look():
            await asyncio.sleep(0.01)


def told_in(message: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(base64.b64decode(json.loads(message)["body"]))
    return found


@pytest.mark.parametrize("final", [State.SUCCESS, State.FAILURE, State.REVOKED])
@pytest.mark.parametrize("late", [State.STARTED, State.RETRY])
async def test_a_worker_that_was_cut_off_does_not_take_back_what_another_has_finished(
    client: Redis, box: Outbox, final: State, late: State
) -> None:
    for status, at in ((State.STARTED, LONG_AGO), (final, NOW), (late, LONG_AGO)):
        box.keep("j", a_state(status, at=at))
        await box.flush(client)
    assert await mirrored(client) == final
    assert 0 < await client.ttl("app:celery-task-meta-j") <= 60
    assert box.is_empty


async def test_an_id_that_is_used_again_begins_again(client: Redis, box: Outbox) -> None:
    for status, at in ((State.SUCCESS, LONG_AGO), (State.STARTED, NOW)):
        box.keep("j", a_state(status, at=at))
        await box.flush(client)
    assert await mirrored(client) == State.STARTED


async def test_what_a_stranger_has_written_there_is_no_obstacle(client: Redis, box: Outbox) -> None:
    for strange in (b"", b"no json", b"[]", b'{"date_done": 7}', b"[" * 5_000):
        await client.set("app:celery-task-meta-j", strange)
        box.keep("j", a_state(State.STARTED, at=NOW))
        await box.flush(client)
        assert await mirrored(client) == State.STARTED


async def test_every_state_is_published_for_clients_that_wait(client: Redis, box: Outbox) -> None:
    async with client.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe("app:celery-task-meta-j")
        await heard.get_message(timeout=1)
        for status in (State.STARTED, State.SUCCESS):
            box.keep("j", a_state(status, at=NOW))
            await box.flush(client)
            message = await heard.get_message(timeout=5)
            assert message is not None
            assert json.loads(message["data"])["status"] == status


async def test_a_redis_that_refuses_to_publish_costs_events_which_are_counted(
    client: Redis, redis_url: str, box: Outbox
) -> None:
    user: Any = client
    await user.execute_command(
        *("ACL", "SETUSER", "mute", "on", ">word"),
        *("resetkeys", "resetchannels", "+@all", "~*", "&none"),
    )
    async with (
        Redis.from_url(redis_url, username="mute", password="word") as mute,
        sending(box, mute),
    ):
        for number in range(3):
            box.tell(EVENTS.started(str(number)))
        await until(lambda: box.lost == 3)
    assert (box.told, box.is_empty) == (0, True)
    await user.execute_command("ACL", "DELUSER", "mute")


async def test_a_buffer_that_is_full_keeps_the_newest_and_tells_them_in_the_end(
    client: Redis, box: Outbox
) -> None:
    for number in range(outbox.CAPACITY + 7):
        box.tell(EVENTS.started(str(number)))
    assert box.lost == 7
    heard: list[str] = []
    async with client.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.psubscribe("app:/0.celeryev/*")
        await channel.get_message(timeout=1)
        async with sending(box, client):
            await until(lambda: box.is_empty)
        while message := await channel.get_message(timeout=1):
            heard += [event["uuid"] for event in told_in(message["data"])]
    assert heard == [str(number) for number in range(7, outbox.CAPACITY + 7)]
    assert (box.told, box.lost) == (outbox.CAPACITY, 7)
