"""What does arq's loop allow? The laws of one worker and of a fleet, in tasks per second.

From the loop of arq 0.28 (`Worker._poll_iteration`, `Worker.start_jobs`; docs/method.md): a worker
polls every T = max(d, its walk); a poll reads the first Q ids of the queue, skips those in progress
and starts the others one after another; once max_jobs run it sleeps until the next poll. M slots, s
per start, s' per skipped id.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from runs.analysis.constants import Constants, value_of
from runs.analysis.fleet import Fleet, WorkerSettings
from runs.analysis.service import ServiceTimes

Floats = NDArray[np.float64]
_ROUNDS = 60
_SHORTEST_PERIOD_S = 1e-4  # poll_delay may be 0: then only the loop itself keeps polls apart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkerLaws:
    """The laws of one worker whose queue never runs dry."""

    settings: WorkerSettings
    service: ServiceTimes  # slot-holding times: execution and overhead
    constants: Constants
    others_running: float = 0.0  # ids in progress elsewhere, at the head of the page
    is_forecast: bool = False
    poll_walk_s: float = 0.0  # W: how long the starts of one poll take when polling is the limit
    poll_limited: float = 0.0

    @classmethod
    def of(
        cls,
        settings: WorkerSettings,
        *,
        service: ServiceTimes,
        constants: Constants,
        is_forecast: bool = False,
    ) -> "WorkerLaws":
        """`poll_limited` = M / E[H], H = T·⌈(D + u·W)/T⌉: refilled at the first poll after a task.

        Or at once, where the worker is still starting tasks then (`ServiceTimes.mean_slot_s`).
        """
        bare = cls(settings=settings, service=service, constants=constants, is_forecast=is_forecast)
        walk = bare._walk_s(bare.period_s)
        for _ in range(3):  # slots met by the walk make it longer, and that meets a few more
            starts = settings.max_jobs / bare._slot_s(walk) * bare.period_s
            walk = max(walk, starts * bare.start_s)
        walk = min(walk, bare.period_s)  # a longer one makes starting the limit
        rate = settings.max_jobs / bare._slot_s(walk)
        return replace(bare, poll_walk_s=walk, poll_limited=rate)

    @property
    def period_s(self) -> float:
        """poll_delay and what a poll comes late."""
        lag = value_of(self.constants.poll_lag_s)
        return max(self.settings.poll_delay_s + lag, _SHORTEST_PERIOD_S)

    @property
    def start_s(self) -> float:
        """Serial cost of a start; 0 where it is not known."""
        return value_of(self.constants.start_s) + value_of(self.constants.blocking_s)

    @property
    def fills(self) -> bool:
        """Whether a walk ever finds all slots taken: M starts take less time than a task.

        R2 of the model; otherwise (R1) slots come free while the page is walked. An unknown start
        cost counts as none: with it slots fill, and the answer is the lower one. In between (tasks
        of M starts' time, give or take a half) throughput jumps from run to run: a forecast
        promises the lower.
        """
        share = 0.5 if self.is_forecast else 1.0
        return self.service.mean_s > share * self.settings.max_jobs * self.start_s

    @property
    def max_jobs(self) -> float:
        """M / E[D]: slots that never wait for a poll (Little's law)."""
        return self.settings.max_jobs / max(self.service.mean_s, _SHORTEST_PERIOD_S)

    @property
    def page_limited(self) -> float:
        """Q / E[T·⌈(D + u·W)/T⌉]: an id leaves the page when its task is done; Q/d for short ones.

        The walk counts up to one poll_delay: where it takes longer, starting is the limit.
        """
        limit = self.settings.read_limit
        walk = min(limit * self.start_s, self.period_s)
        return limit / self.service.mean_until_poll_s(self.period_s, walk_s=walk)

    @property
    def start_limited(self) -> float:
        """The rate at which walking takes all the time, where the cost of a start is known.

        Every poll skips the J ids in progress before it starts n others: T = max(d, J·s' + n·s).
        Where slots fill, J = M − n of its own and those running elsewhere; where the walk fits
        into poll_delay only 1/s is left as a limit.
        """
        if not self.fills:
            return self._page_walk_rate()
        period, serial = self.walked_period_s, 1 / self.start_s
        fits = period <= self.period_s * 1.001
        return serial if fits else min(serial, self._slot_rate(period))

    @property
    def walked_period_s(self) -> float:
        """T = max(d, J·s' + n·s): how far apart polls are where slots fill."""
        period = self.period_s
        if self._whole_walk_s(period) <= period:
            return period
        for _ in range(_ROUNDS):
            period = (period + max(self.period_s, self._whole_walk_s(period))) / 2
        return period

    @property
    def polls_seen(self) -> float:
        """E[⌈D/T⌉]: so many polls of each worker pass by a task that is queued or in progress.

        The one that starts it among them. No more than M where slots are full: a full worker does
        not read the queue.
        """
        period = self.walked_period_s
        passing = self.service.mean_until_poll_s(period) / period
        return min(passing, float(self.settings.max_jobs))

    @property
    def running(self) -> float:
        """Tasks in progress on average: X·D, all slots at most."""
        rate = self.poll_limited if self.fills else 1 / (self.start_s or _SHORTEST_PERIOD_S)
        return min(rate * self.service.mean_s, self.settings.max_jobs)

    def _slot_s(self, walk_s: float) -> float:
        held = self.service.mean_slot_s(self.period_s, walk_s=min(walk_s, self.period_s))
        return max(held, _SHORTEST_PERIOD_S)

    def _slot_rate(self, period_s: float) -> float:
        """M / E[T·⌈D/T⌉] for polls T apart."""
        return self.settings.max_jobs / self.service.mean_slot_s(period_s)

    def _refilled(self, period_s: float) -> float:
        """n: the slots that one poll refills, those whose tasks end between the same two polls."""
        return self.settings.max_jobs * self.service.largest_share_within(period_s)

    def _walk_s(self, period_s: float) -> float:
        """How long the starts of one poll take: n·s."""
        return self._refilled(period_s) * self.start_s

    def _whole_walk_s(self, period_s: float) -> float:
        """J·s' + n·s."""
        return self._skipping_s(period_s) + self._walk_s(period_s)

    def _skipping_s(self, period_s: float) -> float:
        """How long a poll takes to pass the ids in progress: J·s'."""
        own = self.settings.max_jobs - self._refilled(period_s)
        ids = min(own + self.others_running, self.settings.read_limit)
        return ids * value_of(self.constants.skip_s)

    def _page_walk_rate(self) -> float:
        """1/(s + s'·J/(Q − J)): slots stay free, the page is walked again and again."""
        start, skip = value_of(self.constants.start_s), value_of(self.constants.skip_s)
        rate = 1 / start
        for _ in range(_ROUNDS):
            running = min(rate * self.service.mean_s, 0.9 * self.settings.read_limit)
            rate = 1 / (start + skip * running / (self.settings.read_limit - running))
        return rate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FleetLaws:
    """The laws of all workers of a queue together; workers of equal settings share theirs."""

    workers: tuple[WorkerLaws, ...]
    constants: Constants

    @classmethod
    def of(
        cls,
        fleet: Fleet,
        *,
        service: ServiceTimes,
        constants: Constants,
        is_forecast: bool = False,
    ) -> "FleetLaws":
        """Each worker, with what the others have in progress on the page that it reads."""
        held = service.later(value_of(constants.overhead_s))
        alone = {
            each: WorkerLaws.of(each, service=held, constants=constants, is_forecast=is_forecast)
            for each in set(fleet.settings)
        }
        running = sum(alone[each].running for each in fleet.settings)
        shared = {
            each: replace(laws, others_running=running - laws.running)
            for each, laws in alone.items()
        }
        return cls(workers=tuple(shared[each] for each in fleet.settings), constants=constants)

    def total(self, law: Callable[[WorkerLaws], float]) -> float:
        """A rate of each worker, summed; computed once for those of equal settings."""
        known = {id(each): law(each) for each in {id(each): each for each in self.workers}.values()}
        return sum(known[id(each)] for each in self.workers)

    @property
    def fleet_page(self) -> tuple[float, float]:
        """The least and the most that the page, shared by all workers, lets run.

        Ids in progress anywhere stay on every worker's page, so no more than Q run at once. A place
        is refilled at the next poll of any worker: least where all poll together, most where their
        polls are spread evenly.
        """
        spread = tuple(np.arange(len(self.workers)) / len(self.workers))
        return self.page_rate((0.0,)), self.page_rate(spread, refilled_from=(0.0,))

    def page_rate(
        self, phases: tuple[float, ...], *, refilled_from: tuple[float, ...] | None = None
    ) -> float:
        """Q / E[time until the first poll of any worker after a task] for polls at these phases.

        `refilled_from`: phases that stand for all, where polls are alike (evenly spread ones are).
        """
        worker = max(self.workers, key=lambda each: each.settings.read_limit)
        limit, period = worker.settings.read_limit, worker.period_s
        places = np.unique(np.asarray(phases)) * period
        walk = min(limit * worker.start_s, period)
        held = [
            _held_until_any(worker.service, places_s=places - place, period_s=period, walk_s=walk)
            for place in (places if refilled_from is None else np.asarray(refilled_from) * period)
        ]
        return limit / float(np.mean(held))

    @property
    def skips_per_task(self) -> float:
        """k·E[⌈D/T⌉] − 1: how often a task is passed by polls that cannot start it.

        By its own worker's while it runs, and by every other's. k − 1 for the shortest tasks.
        """
        return self.total(lambda each: each.polls_seen) - 1

    @property
    def start_limited(self) -> float | None:
        """k/(s + (k − 1)·s') where pages are walked all the time, else the sum over the workers."""
        if self.constants.start_s is None:
            return None
        count, skip = len(self.workers), value_of(self.constants.skip_s)
        contended = count / (self.constants.start_s.value + (count - 1) * skip)
        return min(self.total(lambda each: each.start_limited), contended)


def _held_until_any(
    service: ServiceTimes, *, places_s: Floats, period_s: float, walk_s: float
) -> float:
    """Mean time from a poll at 0 until the first poll of any worker after a task it started."""
    offsets = (np.arange(8) + 0.5) / 8 * walk_s
    ends = service.values_s[:, None] + offsets[None, :]
    marks = np.sort(places_s % period_s)
    marks = np.append(marks, marks[0] + period_s)
    whole = np.floor(ends / period_s) * period_s
    following = marks[np.searchsorted(marks, ends - whole - 1e-9)]
    held = np.maximum(whole + following, marks[1])  # a poll cannot refill what it started itself
    return float(service.shares @ held.mean(axis=1))
