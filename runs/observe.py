"""Use case: look at queue, workers and Redis about once a second while a run is under way."""

import socket
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from runs.models import FleetSample, LoadTestRun
from runs.outages import in_database
from workers.client import Depth, QueueClient, ServerInfo
from workers.fleet import Beat, WorkerReport
from workers.settings import redis_address

LOOK_EVERY_S = 1.0
REMEMBER_EVERY_S = 5.0
BEATS_KEPT = 60
LOCAL = ("/", "localhost", "127.", "[::1]", "::1")
SILENT_AFTER_S = 3.0  # workers beat every second; their keys outlive them for longer


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
    _beats: dict[str, tuple[float, float]] = field(default_factory=dict)
    _seen: dict[str, deque[Beat]] = field(default_factory=dict)
    _looked: float = 0.0
    _remembered: float = 0.0
    _redis_cpu: tuple[float, float] | None = None
    _foreign_most: int = 0

    @property
    def nobody_works(self) -> bool:
        """Whether no worker has been heard of on the queue for some seconds."""
        return self.workers_alive == 0 and time.monotonic() - self._began > SILENT_AFTER_S

    async def look(self) -> None:
        """Sample once a second; asked more often it does nothing."""
        if time.monotonic() - self._looked >= LOOK_EVERY_S:
            await self._look(keep=False)

    async def look_once_more(self) -> None:
        """The last look, so that what the workers' heartbeats counted covers the whole run."""
        await self._look(keep=True)

    async def _look(self, *, keep: bool) -> None:
        self._looked = time.monotonic()
        queue, test_id = self.run.target_queue, self.run.test_id
        fleet = [worker for worker in await self.client.fleet(queue) if self._is_heard(worker)]
        depth = await self.client.depth(queue)
        server = await self.client.server_info()
        foreign = await self.client.foreign(queue, test_id=test_id)
        self._note_fleet(fleet)
        sample = self._sample(fleet=fleet, depth=depth, server=server, foreign=foreign)
        await in_database(sample.save)
        if foreign > self._foreign_most:
            self._foreign_most = foreign
            await in_database(self.run.observe, foreign_jobs_during=foreign)
        if fleet and (keep or time.monotonic() - self._remembered > REMEMBER_EVERY_S):
            self._remembered = time.monotonic()
            await in_database(
                self.run.remember_fleet, [self._described(worker) for worker in fleet]
            )
        if keep:
            await in_database(
                self.run.observe,
                shares_host=self._shares_host(fleet),
                observer_cpu_s=time.process_time() - self._cpu_at_start,
                redis_cpu_s_at_end=server.used_cpu_s,
                redis_commands_at_end=server.total_commands,
                redis_uptime_s_at_end=server.uptime_s,
                observer_commands=self.client.commands_sent,
            )

    def _shares_host(self, fleet: list[WorkerReport]) -> bool | None:
        """Whether workers, Redis, database and this collector are on one machine."""
        if not fleet:
            return None
        hosts = {worker.description.host for worker in fleet}
        database = str(connection.settings_dict["HOST"])
        addresses = (redis_address(), database)
        return hosts == {socket.gethostname()} and all(
            address.startswith(LOCAL) for address in addresses
        )

    def _note_fleet(self, fleet: list[WorkerReport]) -> None:
        self.workers_alive = len(fleet)
        self.jobs_running = sum(worker.beat.jobs_running for worker in fleet)
        limits = [worker.description.settings.queue_read_limit for worker in fleet]
        self.read_limit = max(limits, default=self.read_limit)

    def _is_heard(self, worker: WorkerReport) -> bool:
        """Whether its heartbeat has moved lately, by our clock: the worker's may be wrong."""
        worker_id, now = worker.description.worker_id, time.monotonic()
        beat, since = self._beats.get(worker_id, (None, now))
        if worker.beat.at != beat:
            since = now
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

    def _sample(
        self, *, fleet: list[WorkerReport], depth: Depth, server: ServerInfo, foreign: int
    ) -> FleetSample:
        beats = [worker.beat for worker in fleet]
        return FleetSample(
            run=self.run,
            at=datetime.now(tz=UTC),
            queued=depth.queued,
            running=self.jobs_running,
            foreign_jobs=foreign,
            workers=len(fleet),
            worker_cpu_percent=sum(beat.cpu_percent for beat in beats) if beats else None,
            worker_rss_mb=sum(beat.rss_bytes for beat in beats) / 1e6 if beats else None,
            redis_cpu_percent=self._redis_cpu_percent(server.used_cpu_s),
        )

    def _redis_cpu_percent(self, used_cpu_s: float) -> float | None:
        """Of one core, since the last look; None at the first look and after Redis restarted."""
        now, before = time.monotonic(), self._redis_cpu
        self._redis_cpu = (now, used_cpu_s)
        if before is None or used_cpu_s < before[1] or now <= before[0]:
            return None
        return 100 * (used_cpu_s - before[1]) / (now - before[0])
