"""What does a worker do when a Celery client speaks to it? Answers on kombu's pidbox.

It inspects and, where `LOADLAB_CELERY_CONTROL=1` allows it, revokes. Nothing else that Celery knows
has a meaning for arq, so everything else is answered with an error that says so: silence would look
like success, because clients do not wait for these.
"""

import asyncio
import fnmatch
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from arq.jobs import Deserializer
from redis.asyncio import Redis

from workers.celery import envelope, inspection, revocation
from workers.celery.envelope import Channels, Command
from workers.celery.options import CONTROL
from workers.celery.watch import Watch

ANSWER_WITHIN_S = 0.8  # a client waits one second
REPLY_TTL_S = 60  # a client that has gone leaves its list behind
LISTEN_S = 5.0
PAUSE_S = 1.0

logger = logging.getLogger("loadlab.workers")

Reply = Any
Answer = Callable[["Control", dict[str, Any]], Awaitable[Reply]]


@dataclass(slots=True, kw_only=True)
class Control:
    """The pidbox of one worker process."""

    redis: Redis
    watch: Watch
    channels: Channels
    deserializer: Deserializer | None = None
    since: float = field(default_factory=time.monotonic)

    async def listen(self) -> None:
        """Answer commands, for ever; after an outage listen again."""
        while True:
            try:
                await self._listen_until_cut_off()
            except Exception as failure:  # noqa: BLE001 - nothing here may end the worker
                logger.info("celery_control_cut_off error=%r", failure)
            await asyncio.sleep(PAUSE_S)

    async def _listen_until_cut_off(self) -> None:
        async with self.redis.pubsub(ignore_subscribe_messages=True) as mailbox:
            await mailbox.subscribe(self.channels.commands)
            while True:
                message = await mailbox.get_message(timeout=LISTEN_S)
                if message is None:
                    await mailbox.ping()  # why: a half-open connection would be silent for ever
                elif message["type"] == "message":
                    await self._receive(message["data"])

    async def _receive(self, raw: bytes) -> None:
        command = envelope.read_command(raw)
        if command is None:
            return
        self.watch.events.clock.adjust(command.clock)
        if not self._is_meant(command):
            return
        reply = await self.answer(command)
        # why nothing for None: Celery's heartbeat has no answer either
        if reply is not None and command.reply_to and command.ticket:
            await self._send(reply, to=command)

    async def answer(self, command: Command) -> Reply:
        """What this worker answers, whatever goes wrong."""
        answer = ANSWERS.get(command.method, _unsupported)
        arguments = {**(command.arguments or {}), "__method__": command.method}
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await answer(self, arguments)
        except Exception as failure:  # noqa: BLE001 - a command must never end the worker
            return {"error": f"{command.method} failed: {type(failure).__name__}: {failure}"}

    def _is_meant(self, command: Command) -> bool:
        hostname = self.watch.serving.hostname
        if command.destination:
            return hostname in command.destination
        if command.pattern and command.matcher:
            # why only globs: a stranger's regular expression could keep the event loop busy
            return command.matcher == "glob" and fnmatch.fnmatchcase(hostname, command.pattern)
        return True

    async def _send(self, reply: Reply, *, to: Command) -> None:
        """Push a reply on the list that its client reads."""
        routing_key = (to.reply_to or {}).get("routing_key", "")
        message = envelope.pack(
            envelope.to_json({self.watch.serving.hostname: reply}),
            exchange=envelope.REPLIES,
            routing_key=routing_key,
            headers={"ticket": to.ticket, "clock": self.watch.events.clock.forward()},
        )
        client: Any = self.redis  # why Any: redis-py types a command as "awaitable or not"
        # why not the set's members: a client that was killed leaves its binding behind for ever
        if not await client.sismember(self.channels.reply_bindings, envelope.binding(routing_key)):
            return
        queue = self.channels.queue(envelope.reply_queue(routing_key))
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.lpush(queue, message)
            pipe.expire(queue, REPLY_TTL_S)
            await pipe.execute()


async def _ping(_: Control, __: dict[str, Any]) -> Reply:
    return {"ok": "pong"}


async def _stats(control: Control, _: dict[str, Any]) -> Reply:
    uptime_s = time.monotonic() - control.since
    return await inspection.stats(control.redis, watch=control.watch, uptime_s=uptime_s)


async def _active(control: Control, _: dict[str, Any]) -> Reply:
    return inspection.active(control.watch)


async def _reserved(_: Control, __: dict[str, Any]) -> Reply:
    return []  # an arq worker starts what it takes


async def _scheduled(control: Control, _: dict[str, Any]) -> Reply:
    return await inspection.scheduled(
        control.redis, watch=control.watch, deserializer=control.deserializer
    )


async def _registered(control: Control, _: dict[str, Any]) -> Reply:
    return list(control.watch.serving.functions)


async def _active_queues(control: Control, _: dict[str, Any]) -> Reply:
    return inspection.active_queues(control.watch.serving)


async def _revoked(control: Control, _: dict[str, Any]) -> Reply:
    return list(control.watch.revoked)


async def _conf(control: Control, _: dict[str, Any]) -> Reply:
    return inspection.conf(control.watch)


async def _query_task(control: Control, arguments: dict[str, Any]) -> Reply:
    return inspection.query(control.watch, _ids(arguments.get("ids")))


async def _enable_events(control: Control, _: dict[str, Any]) -> Reply:
    return _switch_events(control.watch, on=True)


async def _disable_events(control: Control, _: dict[str, Any]) -> Reply:
    return _switch_events(control.watch, on=False)


async def _heartbeat(control: Control, _: dict[str, Any]) -> Reply:
    control.watch.beat()


async def _revoke(control: Control, arguments: dict[str, Any]) -> Reply:
    watch = control.watch
    if not watch.options.control:
        return {"error": f"revoke is off for this worker: set {CONTROL}=1"}
    if not watch.serving.allow_abort_jobs:
        return {"error": "revoke needs allow_abort_jobs = True in the worker's arq settings"}
    fates = await revocation.revoke(
        control.redis,
        _ids(arguments.get("task_id")),
        queue_key=watch.serving.queue_key,
        terminate=bool(arguments.get("terminate")),
    )
    ended = {revocation.Fate.TERMINATED, revocation.Fate.REVOKED}
    watch.remember_revoked([job_id for job_id, fate in fates.items() if fate in ended])
    return {"ok": revocation.in_words(fates, queue=watch.serving.queue)}


async def _terminate(control: Control, arguments: dict[str, Any]) -> Reply:
    return await _revoke(control, arguments | {"terminate": True})


async def _unsupported(_: Control, arguments: dict[str, Any]) -> Reply:
    return {"error": f"unsupported by arq: {str(arguments['__method__'])[:100]}"}


def _switch_events(watch: Watch, *, on: bool) -> Reply:
    if not watch.options.events:
        return {"error": "events are off for this worker: set LOADLAB_CELERY_EVENTS=1"}
    word = "enabled" if on else "disabled"
    already = "already " if watch.telling is on else ""
    watch.telling = on
    return {"ok": f"task events {already}{word}"}


def _ids(given: object) -> list[str]:
    """Task ids as clients send them: one, or a list."""
    listed = given if isinstance(given, list) else [given]
    return [task_id for task_id in listed if isinstance(task_id, str)]


ANSWERS: dict[str, Answer] = {
    "ping": _ping,
    "stats": _stats,
    "active": _active,
    "dump_active": _active,
    "reserved": _reserved,
    "dump_reserved": _reserved,
    "scheduled": _scheduled,
    "dump_schedule": _scheduled,
    "registered": _registered,
    "dump_tasks": _registered,
    "active_queues": _active_queues,
    "revoked": _revoked,
    "dump_revoked": _revoked,
    "conf": _conf,
    "dump_conf": _conf,
    "query_task": _query_task,
    "enable_events": _enable_events,
    "disable_events": _disable_events,
    "heartbeat": _heartbeat,
    "revoke": _revoke,
    "terminate": _terminate,
}
