"""When did each worker poll, and what did a poll do? Read from the starts alone.

arq starts tasks one after another right after a poll and sleeps until the next one, so a worker's
starts come in bursts: the first start of a burst marks its poll.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from runs.analysis.fleet import Fleet, WorkerSettings
from runs.analysis.samples import Samples

Floats = NDArray[np.float64]
POINTS = 100
BURST_GAP_SHARE = 0.2  # of poll_delay: a longer pause between two starts may end a burst
LEAST_GAP_S = 0.003  # three of the stamps' steps
FEWEST_DIVIDED = 4
UNSEEN_PER_S = 200
SHORT_DELAY_S = 0.1
LONGEST_START_S = 0.25
TICK_SHARE = 0.75  # of poll_delay: polls cannot follow each other faster, late stamps aside


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkerPolls:
    """One worker's starts and finishes (by start), the polls seen in them, and its poll_delay."""

    started_s: Floats
    finished_s: Floats
    ticks_s: Floats
    poll_delay_s: float
    in_burst: NDArray[np.bool_]  # which starts, but the last, another followed in the same walk

    @property
    def period_s(self) -> float | None:
        """Median time from one poll to the next: poll_delay and what the loop adds to it.

        Polls that started nothing leave no trace, so several periods between two are divided, as
        long as polls a millisecond late do not make their number doubtful.
        """
        steps = np.diff(self.ticks_s)
        if self.poll_delay_s <= 0:
            return None
        polls = np.maximum(np.rint(steps / self.poll_delay_s), 1)
        near = polls <= max(FEWEST_DIVIDED, UNSEEN_PER_S * self.poll_delay_s)
        return float(np.median(steps[near] / polls[near])) if near.sum() >= 2 else None

    @property
    def serial_gaps_s(self) -> Floats:
        """Times between two starts of one walk: what one start costs the worker."""
        return np.diff(self.started_s)[self.in_burst]


@dataclass(frozen=True, slots=True, kw_only=True)
class PollCycle:
    """Slots in use from one poll to the next, the mean of all polls, in 100 equal parts."""

    period_s: float
    slots_in_use: tuple[float, ...]
    busy_percent: float
    polls: int


def worker_polls(samples: Samples, *, fleet: Fleet) -> list[WorkerPolls]:
    """The polls of each worker that described itself and ran at least one task."""
    starts, finishes = samples.start_s, samples.finish_s
    known = {worker.worker_id: worker.settings for worker in fleet.workers}
    order = np.argsort(starts, kind="stable")
    waiting = np.empty(samples.n, dtype=np.bool_)
    sent = np.searchsorted(np.sort(samples.enqueued_s), starts[order], side="right")
    waiting[order] = sent > np.arange(1, samples.n + 1)
    found = []
    for code, name in enumerate(samples.worker_names):
        mine = order[samples.worker[order] == code]
        if name in known and mine.size:
            found.append(
                polls_of(
                    starts[mine],
                    finished_s=finishes[mine],
                    settings=known[name],
                    waiting=waiting[mine],
                )
            )
    return found


def polls_of(
    started_s: Floats,
    *,
    finished_s: Floats,
    settings: WorkerSettings,
    waiting: NDArray[np.bool_] | None = None,
) -> WorkerPolls:
    """The polls seen in one worker's tasks, in order of their starts.

    `waiting`: whether tasks were still waiting when each one started.
    """
    delay = settings.poll_delay_s
    gaps = np.diff(started_s)
    in_burst = gaps < max(LEAST_GAP_S, delay / 2)
    if waiting is not None and 0 < delay <= SHORT_DELAY_S:
        # why: between two short polls a slow start looks like a pause; with slots free and tasks
        # waiting there is no pause, for a page takes longer to walk than so short a poll_delay
        running = np.arange(1, started_s.size + 1) - np.searchsorted(
            np.sort(finished_s), started_s, side="right"
        )
        idle = (running <= settings.max_jobs / 2) & waiting
        in_burst |= idle[:-1] & (gaps < LONGEST_START_S)
    return WorkerPolls(
        started_s=started_s,
        finished_s=finished_s,
        ticks_s=_ticks(started_s, poll_delay_s=delay),
        poll_delay_s=delay,
        in_burst=in_burst,
    )


def poll_cycle(
    polls: list[WorkerPolls], *, slots: int, span: tuple[float, float]
) -> PollCycle | None:
    """Every worker's slots in use, folded by its polls within the span, and added up.

    Folded by the polls themselves, not by multiples of poll_delay: each poll comes about a
    millisecond late, which over a long run would smear the fold. None where no worker shows three
    polls.
    """
    folded = [fold for each in polls if (fold := _folded(each, span=span)) is not None]
    if not folded or slots < 1:
        return None
    profile = np.sum([fold for fold, _ in folded], axis=0)
    return PollCycle(
        period_s=max(each.poll_delay_s for each in polls),
        slots_in_use=tuple(round(float(value), 2) for value in profile),
        busy_percent=100 * float(profile.mean()) / slots,
        polls=sum(count for _, count in folded),
    )


def _ticks(starts: Floats, *, poll_delay_s: float) -> Floats:
    """First starts of bursts, at least three quarters of poll_delay apart."""
    if starts.size == 0 or poll_delay_s <= 0:
        return np.empty(0)
    pause = max(LEAST_GAP_S, BURST_GAP_SHARE * poll_delay_s)
    candidates = starts[np.flatnonzero(np.diff(starts, prepend=-np.inf) >= pause)]
    ticks = [float(candidates[0])]
    for at in candidates[1:].tolist():
        if at - ticks[-1] >= TICK_SHARE * poll_delay_s:
            ticks.append(at)
    return np.array(ticks)


def _folded(polls: WorkerPolls, *, span: tuple[float, float]) -> tuple[Floats, int] | None:
    """Mean slots in use in each hundredth between two polls, and over how many polls."""
    ticks = polls.ticks_s[(polls.ticks_s >= span[0]) & (polls.ticks_s <= span[1])]
    if ticks.size < 3:
        return None
    steps = [max(1, round((late - early) / polls.poll_delay_s)) for early, late in pairwise(ticks)]
    numbers = np.concatenate(([0], np.cumsum(steps)))  # polls without a start are counted in
    cycles = int(numbers[-1])
    begun = np.interp(polls.started_s, ticks, numbers)
    ended = np.interp(polls.finished_s, ticks, numbers)
    passed = _passed(begun, cycles=cycles) - _passed(ended, cycles=cycles)
    return passed / cycles, cycles


def _passed(positions: Floats, *, cycles: int) -> Floats:
    """For each hundredth of a cycle, summed over the cycles: how many positions were passed.

    A position, in cycles since the first poll, counts for its own cycle from its place on (in part
    for the hundredth that it falls into) and wholly for every later cycle.
    """
    whole = np.floor(positions)
    place = (positions - whole) * POINTS
    cell = np.minimum(place.astype(np.int64), POINTS - 1)
    later = float(np.sum(cycles - 1 - whole))
    before = np.cumsum(np.bincount(cell + 1, minlength=POINTS + 1))[:POINTS]
    within = np.bincount(cell, weights=1 - (place - cell), minlength=POINTS)
    return np.asarray(later + before + within, dtype=np.float64)
