"""Use case: look at queue, workers and Redis once a second while a run is under way."""

import math
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection
from django.utils import timezone

from runs.models import FleetSample, LoadTestRun
from runs.outages import in_database
from runs.shared_clock import SharedClock
from workers.client import Depth, QueueClient, ServerInfo
from workers.fleet import Beat, WorkerReport
from workers.heartbeat import COMMANDS_PER_BEAT
from workers.settings import redis_address

LOOK_EVERY_S = 1.0
SEEN_AT = 0.5  # of every second since the run's start: the middle of the timeline's bins
REMEMBER_EVERY_S = 5.0
BEATS_KEPT = 60
LEAST_CPU_SPAN_S = 0.2  # Redis's CPU over less than that is noise
LOCAL = ("/", "localhost", "127.", "[::1]", "::1")
SILENT_AFTER_S = 3.0  # workers beat every second; their keys outlive them for longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look has found."""

    fleet: list[WorkerReport]
    depth: Depth
    server: ServerInfo
    foreign: int


@dataclass(slots=True, kw_only=True)
class Observer:
    """What one collector sees of a run's surroundings, and what it keeps of it."""

    run: LoadTestRun
    client: QueueClient
    workers_alive: int = 0
    jobs_running: int = 0
    read_limit: int = 0
    _began: float = field(default_factory=time.monotonic)
    _cpu_at_start: float = field(default_factory=time.process_time)
    _commands_before: int = field(init=False)
    _beats_counted: int = 0
    _clock: SharedClock | None = None
    _beats: dict[str, tuple[float, float]] = field(default_factory=dict)
    _seen: dict[str, deque[Beat]] = field(default_factory=dict)
    _next_look: float = 0.0
    _remembered: float = 0.0
    _redis_cpu: tuple[float, float] | None = None
    _foreign_most: int = 0

    def __post_init__(self) -> None:
        before = self.run.observed  # by who collected it before us
        self._commands_before = before.get("collector_commands", 0) - self.client.commands_sent
        self._beats_counted = before.get("heartbeat_commands", 0) // COMMANDS_PER_BEAT
        self._foreign_most = before.get("foreign_jobs_during", 0)

    @property
    def nobody_works(self) -> bool:
        """Whether no worker has been heard of on the queue for some seconds."""
        return self.workers_alive == 0 and time.monotonic() - self._began > SILENT_AFTER_S

    def now(self) -> datetime:
        """By the clock that the run's tasks are stamped with; by ours until that one was read."""
        return timezone.now() if self._clock is None else self._clock.now()

    async def look(self) -> None:
        """Sample once a second; asked more often it does nothing."""
        if time.monotonic() >= self._next_look:
            await self._look(at_the_end=False)

    async def look_once_more(self) -> None:
        """The last look, so that what the workers' heartbeats counted covers the whole run."""
        await self._look(at_the_end=True)

    async def _look(self, *, at_the_end: bool) -> None:
        if self._clock is None:
            self._clock = SharedClock.of(await self.client.clock_offset())
        self._next_look = self._look_after(self._clock)
        seen = await self._see()
        self.workers_alive = len(seen.fleet)
        self.jobs_running = sum(worker.beat.jobs_running for worker in seen.fleet)
        limits = [worker.description.settings.queue_read_limit for worker in seen.fleet]
        self.read_limit = max(limits, default=self.read_limit)
        await in_database(_store, self._sample(seen, clock=self._clock))
        facts = self._facts(seen)
        if at_the_end:
            facts |= self._last_facts(seen, clock=self._clock)
        if facts:
            await in_database(self.run.observe, **facts)
        if at_the_end or time.monotonic() - self._remembered > REMEMBER_EVERY_S:
            self._remembered = time.monotonic()
            described = [self._described(worker) for worker in seen.fleet]
            await in_database(self.run.remember_fleet, described)

    def _look_after(self, clock: SharedClock) -> float:
        """When to look next, by the monotonic clock: in the middle of a second of the run."""
        now = time.monotonic()
        if self.run.started_at is None:
            return now + LOOK_EVERY_S
        since_start = now - clock.monotonic_s(self.run.started_at)
        seconds = math.floor(since_start / LOOK_EVERY_S + 1 - SEEN_AT) + SEEN_AT
        return now + seconds * LOOK_EVERY_S - since_start

    async def _see(self) -> Sight:
        queue = self.run.target_queue
        fleet = [worker for worker in await self.client.fleet(queue) if self._is_heard(worker)]
        return Sight(
            fleet=fleet,
            depth=await self.client.depth(queue),
            server=await self.client.server_info(),
            foreign=await self.client.foreign(queue, test_id=self.run.test_id),
        )

    def _facts(self, seen: Sight) -> dict[str, Any]:
        """What has changed since the last look and is kept of the run."""
        facts: dict[str, Any] = {}
        if seen.foreign > self._foreign_most:
            self._foreign_most = facts["foreign_jobs_during"] = seen.foreign
        if time.monotonic() - self._remembered > REMEMBER_EVERY_S:
            # why not at the end only: a collector that is killed has asked Redis all the same
            facts |= self._commands()
        return facts

    def _commands(self) -> dict[str, Any]:
        return {
            "collector_commands": self._commands_before + self.client.commands_sent,
            "heartbeat_commands": self._beats_counted * COMMANDS_PER_BEAT,
        }

    def _last_facts(self, seen: Sight, *, clock: SharedClock) -> dict[str, Any]:
        facts = self._commands() | {
            "shares_host": self._shares_host(seen.fleet),
            "observer_cpu_s": time.process_time() - self._cpu_at_start,
            "observed_s": time.monotonic() - self._began,
        }
        started_at = self.run.started_at
        lasted_s = 0.0 if started_at is None else time.monotonic() - clock.monotonic_s(started_at)
        if seen.server.uptime_s > lasted_s - 1:  # Redis tells its uptime in whole seconds
            # why not after a restart: what it had counted until then is gone
            facts |= {
                "redis_cpu_s_at_end": seen.server.used_cpu_s,
                "redis_commands_at_end": seen.server.total_commands,
            }
        return facts

    def _shares_host(self, fleet: list[WorkerReport]) -> bool | None:
        """Whether workers, Redis, database and this collector are on one machine."""
        if not fleet:
            return None
        hosts = {worker.description.host for worker in fleet}
        # why "/": without a host libpq takes a socket, as the embedded server has one
        database = str(connection.settings_dict["HOST"]) or "/"
        # no host: libpq's own default, a socket of this machine, as with the embedded server
        is_local = not database or database.startswith(LOCAL)
        redis_is_local = redis_address().startswith(LOCAL)
        return is_local and redis_is_local and hosts == {socket.gethostname()}

    def _is_heard(self, worker: WorkerReport) -> bool:
        """Whether its heartbeat has moved lately, by our clock: the worker's may be wrong."""
        worker_id, now = worker.description.worker_id, time.monotonic()
        beat, since = self._beats.get(worker_id, (None, now))
        if worker.beat.at != beat:
            since = now
            self._beats_counted += 1
            self._seen.setdefault(worker_id, deque(maxlen=BEATS_KEPT)).append(worker.beat)
        self._beats[worker_id] = (worker.beat.at, since)
        return now - since <= SILENT_AFTER_S

    def _described(self, worker: WorkerReport) -> dict[str, Any]:
        seen = self._seen[worker.description.worker_id]
        return {
            **msgspec.to_builtins(worker.description),
            "beat": msgspec.to_builtins(worker.beat),
            "round_trips_s": [beat.round_trip_s for beat in seen],
            "worst_loop_lag_s": max(beat.loop_lag_s for beat in seen),
        }

    def _sample(self, seen: Sight, *, clock: SharedClock) -> FleetSample:
        beats = [worker.beat for worker in seen.fleet]
        return FleetSample(
            run=self.run,
            at=clock.now(),
            queued=seen.depth.queued,
            running=self.jobs_running,
            foreign_jobs=seen.foreign,
            workers=len(beats),
            worker_cpu_percent=sum(beat.cpu_percent for beat in beats) if beats else None,
            worker_rss_mb=sum(beat.rss_bytes for beat in beats) / 1e6 if beats else None,
            redis_cpu_percent=self._redis_cpu_percent(seen.server.used_cpu_s),
        )

    def _redis_cpu_percent(self, used_cpu_s: float) -> float | None:
        """Of one core, since the last look; None at the first look and after Redis restarted."""
        now, before = time.monotonic(), self._redis_cpu
        if before is not None and now - before[0] < LEAST_CPU_SPAN_S:
            return None
        self._redis_cpu = (now, used_cpu_s)
        if before is None or used_cpu_s < before[1]:
            return None
        return 100 * (used_cpu_s - before[1]) / (now - before[0])


def _store(sample: FleetSample) -> None:
    # why conflicts are ignored: it may have been stored before PostgreSQL's answer was lost
    FleetSample.objects.bulk_create([sample], ignore_conflicts=True)
