"""arq's poll loop in a hundred lines: what the laws must agree with.

A worker polls, reads the first Q ids of the queue, skips those in progress (s' each) and starts the
others one after another (s each) until max_jobs run; then it sleeps until poll_delay has passed
since the poll began (arq 0.28 worker.py, `_poll_iteration`, `start_jobs`; utils.py, `poll`).
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from runs.analysis.samples import Samples, TaskInstants


@dataclass(kw_only=True)
class SimulatedWorker:
    max_jobs: int
    poll_delay_s: float = 0.5
    read_limit: int | None = None
    phase_s: float = 0.0

    @property
    def page(self) -> int:
        return self.read_limit or max(5 * self.max_jobs, 100)


@dataclass(kw_only=True)
class Simulation:
    """Tasks of given durations, sent at given times, worked off by simulated workers."""

    workers: Sequence[SimulatedWorker]
    durations_s: Sequence[float]
    sent_s: Sequence[float] | None = None
    start_s: float = 0.001
    skip_s: float = 0.0004
    begin_s: float = 0.001
    finish_s: float = 0.001
    lag_s: float = 0.0
    blocking_s: float = 0.0
    started: dict[int, float] = field(default_factory=dict)
    ended: dict[int, float] = field(default_factory=dict)
    by: dict[int, int] = field(default_factory=dict)

    def run(self) -> "Simulation":
        n = len(self.durations_s)
        self._sent = list(self.sent_s) if self.sent_s is not None else [0.0] * n
        self._queue: dict[int, None] = {}
        self._claimed: set[int] = set()
        self._running = [0] * len(self.workers)
        self._order = 0
        self._events: list[tuple[float, int, object]] = []
        for task, at in enumerate(self._sent):
            self._at(at, ("send", task))
        for number, worker in enumerate(self.workers):
            self._at(worker.phase_s, self._loop(number, worker))
        while len(self.ended) < n:
            now, _, event = heapq.heappop(self._events)
            self._happen(now, event)
        return self

    def samples(self, *, burst: bool = True) -> Samples:
        """In whole milliseconds, as arq stamps them."""
        tasks = sorted(self.ended)
        sent = np.array([self._sent[task] for task in tasks])
        return Samples.of(
            TaskInstants(
                sequence=np.array(tasks) + 1,
                intended_s=sent,
                enqueued_s=np.floor(sent * 1000) / 1000,
                started_s=np.floor([self.started[task] * 1000 for task in tasks]) / 1000,
                finished_s=np.floor([self.ended[task] * 1000 for task in tasks]) / 1000,
                worker=[self.by[task] for task in tasks],
                worker_names=tuple(f"w{number}" for number in range(len(self.workers))),
            ),
            burst=burst,
        )

    def _at(self, when: float, event: object) -> None:
        self._order += 1
        heapq.heappush(self._events, (when, self._order, event))

    def _happen(self, now: float, event: object) -> None:
        if isinstance(event, tuple):
            kind, task = event
            if kind == "send":
                self._queue[task] = None
            else:
                del self._queue[task]
                self._running[self.by[task]] -= 1
                self.ended[task] = now - self.finish_s
            return
        following = next(event, None)  # type: ignore[call-overload]
        if following is not None:
            self._at(following, event)

    def _loop(self, number: int, worker: SimulatedWorker) -> Iterator[float]:
        now = worker.phase_s
        while True:
            polled = now
            if self._running[number] < worker.max_jobs:
                for task in list(islice(self._queue, worker.page)):
                    if self._running[number] >= worker.max_jobs:
                        break
                    if task in self._claimed:
                        now += self.skip_s
                    else:
                        self._claimed.add(task)
                        self._running[number] += 1
                        now += self.start_s + self.blocking_s
                        self._start(task, number=number, now=now)
                    yield now
            now = max(now, polled + worker.poll_delay_s) + self.lag_s
            yield now

    def _start(self, task: int, *, number: int, now: float) -> None:
        self.by[task] = number
        self.started[task] = now + self.begin_s
        self._at(now + self.begin_s + self.durations_s[task] + self.finish_s, ("end", task))
