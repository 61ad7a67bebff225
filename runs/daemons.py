"""Who runs the use cases when nobody waits: dispatcher and collector, for any stored run."""

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import psycopg
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection

from runs.collect import collect
from runs.dispatch import dispatch
from runs.models import Daemon, LoadTestRun
from runs.models.announcing import CHANNEL
from runs.models.daemon import DaemonRole
from runs.outages import POSTGRES, in_database, outlast_redis
from workers.client import QueueClient

POLL_S = 2.0  # behind LISTEN, for what a lost connection did not hear
BEAT_S = 5.0
RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
SIGN_OFF_S = 3.0

logger = logging.getLogger("loadlab")

Claim = Callable[..., "LoadTestRun | None"]
UseCase = Callable[..., Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Service:
    """One daemon: how it claims a run and what it does with it."""

    role: DaemonRole
    claim: Claim
    use_case: UseCase
    owner: str
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    held: set[int] = field(default_factory=set)
    failures: dict[int, int] = field(default_factory=dict)  # in a row, of each run in hand


def new_owner() -> str:
    """A name for this process that no other has: `host:pid:random`."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


async def dispatch_forever() -> None:
    """Send every run that may be sent, several queues at once, until SIGTERM or SIGINT."""
    await _serve(
        Service(
            role=DaemonRole.DISPATCHER,
            claim=LoadTestRun.objects.claim_to_dispatch,
            use_case=dispatch,
            owner=new_owner(),
        )
    )


async def collect_forever() -> None:
    """Collect and evaluate every run under way until SIGTERM or SIGINT."""
    await _serve(
        Service(
            role=DaemonRole.COLLECTOR,
            claim=LoadTestRun.objects.claim_to_collect,
            use_case=collect,
            owner=new_owner(),
        )
    )


async def _serve(service: Service) -> None:
    main = asyncio.create_task(_work(service))
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        # why both: a process started in the background inherits SIGINT ignored
        loop.add_signal_handler(signum, main.cancel)
    try:
        await main
    except asyncio.CancelledError:
        logger.info("%s_stopped owner=%s", service.role.value, service.owner)


async def _work(service: Service) -> None:
    logger.info("%s_started owner=%s", service.role.value, service.owner)
    async with AsyncExitStack() as at_the_end:
        at_the_end.push_async_callback(_sign_off_soon, service)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_beat(service))
            tasks.create_task(_listen(service))
            client = await outlast_redis(QueueClient.open)
            at_the_end.push_async_callback(client.close)
            while True:
                # why cleared first: a launch while we claim may be too late for that claim
                service.woken.clear()
                await _claim_all(service, client=client, tasks=tasks)
                with suppress(TimeoutError):
                    await asyncio.wait_for(service.woken.wait(), POLL_S)


async def _claim_all(service: Service, *, client: QueueClient, tasks: asyncio.TaskGroup) -> None:
    """Take every run that is free; the runs already in hand are renewed by their use case."""
    while True:
        run = await in_database(service.claim, owner=service.owner, without=frozenset(service.held))
        if run is None:
            return
        logger.info("%s_claimed test_id=%s", service.role.value, run.test_id)
        service.held.add(run.pk)
        tasks.create_task(_carry_out(service, run, client=client))


async def _carry_out(service: Service, run: LoadTestRun, *, client: QueueClient) -> None:
    """One run; whatever goes wrong with it must not take the daemon along."""
    try:
        await service.use_case(run, client=client.apart(), owner=service.owner)
        service.failures.pop(run.pk, None)
    except Exception:
        logger.exception("%s_failed test_id=%s", service.role.value, run.test_id)
        failed = service.failures.get(run.pk, 0)
        service.failures[run.pk] = failed + 1
        await asyncio.sleep(min(LONGEST_RETRY_S, RETRY_S * 2**failed))
    finally:
        service.held.discard(run.pk)
        service.woken.set()


async def _beat(service: Service) -> None:
    """Say that this daemon is alive."""
    while True:
        await in_database(
            Daemon.objects.beat,
            owner=service.owner,
            role=service.role,
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        await asyncio.sleep(BEAT_S)


async def _listen(service: Service) -> None:
    """Wake the claiming within milliseconds of a launch; the slow poll covers what this misses."""
    while True:
        try:
            # why not in_database: knowing the parameters does not mean that the server answers
            parameters = await sync_to_async(connection.get_connection_params)()
            parameters.pop("cursor_factory", None)
            async with await psycopg.AsyncConnection.connect(
                **parameters, autocommit=True
            ) as listener:
                await listener.execute(f"LISTEN {CHANNEL}")
                POSTGRES.over()
                service.woken.set()
                async for _ in listener.notifies():
                    service.woken.set()
        except (psycopg.OperationalError, OperationalError) as error:
            POSTGRES.met(error)
        await asyncio.sleep(RETRY_S)


async def _sign_off_soon(service: Service) -> None:
    """Sign off, unless PostgreSQL is away: a daemon that is stopped ends all the same."""
    with suppress(TimeoutError):
        await asyncio.wait_for(in_database(_sign_off, service), SIGN_OFF_S)


def _sign_off(service: Service) -> None:
    """Let every run in hand go, so that the next daemon need not wait for the leases to end."""
    for run in LoadTestRun.objects.filter(**{service.role.value: service.owner}):
        run.release(service.role, owner=service.owner)
    Daemon.objects.filter(owner=service.owner).delete()
    Daemon.objects.sweep()
