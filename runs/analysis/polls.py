"""When did each worker poll, and what did a poll do? Read from the starts alone.

arq starts tasks one after another right after a poll and sleeps until the next one, so a worker's
starts come in bursts: the first start of a burst marks its poll.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from runs.analysis.samples import Samples

Floats = NDArray[np.float64]
POINTS = 100
BURST_GAP_SHARE = 0.2  # of poll_delay: a longer pause between two starts may end a burst
LEAST_GAP_S = 0.003  # three of the stamps' steps
MOST_UNSEEN = 4
TICK_SHARE = 0.75  # of poll_delay: polls cannot follow each other faster, late stamps aside


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkerPolls:
    """One worker's starts and finishes (by start), the polls seen in them, and its poll_delay."""

    started_s: Floats
    finished_s: Floats
    ticks_s: Floats
    poll_delay_s: float

    @property
    def period_s(self) -> float | None:
        """Median time from one poll to the next: poll_delay and what the loop adds to it.

        Polls that started nothing leave no trace, so up to four periods between two are divided.
        """
        steps = np.diff(self.ticks_s)
        if self.poll_delay_s <= 0:
            return None
        polls = np.maximum(np.rint(steps / self.poll_delay_s), 1)
        near = polls <= MOST_UNSEEN
        return float(np.median(steps[near] / polls[near])) if near.sum() >= 2 else None

    @property
    def in_burst(self) -> NDArray[np.bool_]:
        """Which starts, but the last, are followed by another of the same poll."""
        within: NDArray[np.bool_] = np.diff(self.started_s) < max(
            LEAST_GAP_S, self.poll_delay_s / 2
        )
        return within

    @property
    def serial_gaps_s(self) -> Floats:
        """Times between two starts of one burst: what one start costs the worker."""
        return np.diff(self.started_s)[self.in_burst]


@dataclass(frozen=True, slots=True, kw_only=True)
class PollCycle:
    """Slots in use from one poll to the next, the mean of all polls, in 100 equal parts."""

    period_s: float
    slots_in_use: tuple[float, ...]
    busy_percent: float
    polls: int


def polls_of(started_s: Floats, *, finished_s: Floats, poll_delay_s: float) -> WorkerPolls:
    """The polls seen in one worker's tasks."""
    order = np.argsort(started_s, kind="stable")
    starts = started_s[order]
    return WorkerPolls(
        started_s=starts,
        finished_s=finished_s[order],
        ticks_s=_ticks(starts, poll_delay_s=poll_delay_s),
        poll_delay_s=poll_delay_s,
    )


def worker_polls(samples: Samples, *, poll_delays_s: Mapping[str, float]) -> list[WorkerPolls]:
    """The polls of each worker whose poll_delay is known and that ran at least one task."""
    starts, finishes = samples.start_s, samples.finish_s
    found = []
    for code, name in enumerate(samples.worker_names):
        mine = samples.worker == code
        if name in poll_delays_s and mine.any():
            delay = poll_delays_s[name]
            found.append(polls_of(starts[mine], finished_s=finishes[mine], poll_delay_s=delay))
    return found


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
