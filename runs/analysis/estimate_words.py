"""What may be expected of a run that is not sent yet, in plain words, and why it would wait."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runs.analysis.history import FEWEST_RUNS
from runs.analysis.limit_words import fit_of_rate
from runs.analysis.numbers import count, number, rate, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known before a run: its load, who would serve it, what came before.

    `task_time_s` and `capacity_per_s`, the lowest ceiling, are None where no such task has ever
    run. `timeout_s` counts from the last arrival. `repeat`: so many such runs, one after another.
    """

    task_type: str
    queue: str
    tasks: int
    slots: int
    workers: int
    last_offset_s: float
    task_time_s: float | None = None
    capacity_per_s: float | None = None
    limited_by: str = ""
    rate_per_s: float | None = None
    repeat: int = 1
    timeout_s: float = math.inf
    earlier_runs: int = 0
    earlier_per_s: float | None = None
    memory_bytes: int = 0
    memory_free_bytes: int | None = None
    redis_because: str = ""  # why Redis could not be asked
    ahead: str | None = None
    dispatcher_alive: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateWords:
    """The sentence, the facts beside it, and what would keep the run waiting."""

    sentence: str
    seconds: float | None
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def say_estimate(outlook: Outlook) -> EstimateWords:
    """All the words."""
    lasts = _lasts(outlook)
    return EstimateWords(
        sentence=_sentence(outlook, lasts),
        seconds=lasts,
        facts=tuple(_facts(outlook)),
        warnings=tuple(_warnings(outlook)),
    )


def not_yet(problems: Iterable[str]) -> EstimateWords:
    """Of what cannot be asked for there is nothing to expect."""
    return EstimateWords(
        sentence=f"No estimate yet: {next(iter(problems), 'a field is missing')}.",
        seconds=None,
        facts=(),
        warnings=(),
    )


def _lasts(outlook: Outlook) -> float | None:
    """As long as sending takes, or the queue, whichever is longer; one task at the very least."""
    if outlook.rate_per_s is not None:
        return outlook.last_offset_s + (outlook.task_time_s or 0.0)
    if not outlook.capacity_per_s:
        return None
    served = outlook.tasks / outlook.capacity_per_s
    return max(served, outlook.last_offset_s, outlook.task_time_s or 0.0)


def _sentence(outlook: Outlook, lasts: float | None) -> str:
    if outlook.rate_per_s is not None:
        if outlook.capacity_per_s:
            return fit_of_rate(
                outlook.rate_per_s, able_per_s=outlook.capacity_per_s, limit=outlook.limited_by
            )
        return (
            f"{count(outlook.tasks, 'task')} over {seconds(lasts or 0.0)}: whether the queue keeps"
            f" up is known once {outlook.task_type} has run."
        )
    if outlook.task_time_s is None or outlook.capacity_per_s is None or lasts is None:
        return (
            f"{count(outlook.tasks, 'task')} on {count(outlook.slots, 'slot')}: how long that takes"
            f" is known once {outlook.task_type} has run."
        )
    of = f" of about {seconds(outlook.task_time_s)}" if outlook.task_time_s else ""
    each = f", {number(outlook.repeat)} times" if outlook.repeat > 1 else ""
    paced = _paced_at(outlook)
    if paced is not None and paced < outlook.capacity_per_s:
        limit = f"{rate(paced)}/s are sent of {rate(outlook.capacity_per_s)}/s that it can take"
    else:
        limit = f"at most {rate(outlook.capacity_per_s)}/s, limited by {outlook.limited_by}"
    return (
        f"{count(outlook.tasks, 'task')}{of} on {count(outlook.slots, 'slot')}:"
        f" {seconds(float(f'{lasts:.2g}'))}{each}, {limit}."
    )


def _paced_at(outlook: Outlook) -> float | None:
    """Tasks per second of batches with a pause between them; None where all come at once."""
    return outlook.tasks / outlook.last_offset_s if outlook.last_offset_s > 0 else None


def _facts(outlook: Outlook) -> Iterator[tuple[str, str]]:
    if outlook.rate_per_s is None:
        yield "answers with", "throughput, its limit, what to change"
    else:
        yield "answers with", "sojourn time: what a user feels"
    yield "compared with", _compared(outlook)
    needed = f"{number(outlook.memory_bytes / 1e6, digits=2)} MB"
    free = outlook.memory_free_bytes
    room = "" if free is None else f" of {number(free / 1e6, digits=3)} MB free"
    yield "Redis memory", f"{needed}{room}"
    yield "starts", _starts(outlook)


def _compared(outlook: Outlook) -> str:
    if not outlook.earlier_runs:
        return "nothing: the first run of this configuration"
    runs = count(outlook.earlier_runs, "run")
    if outlook.earlier_runs < FEWEST_RUNS:
        return f"{runs}: no baseline yet"
    middle = "" if outlook.earlier_per_s is None else f", {rate(outlook.earlier_per_s)} /s"
    return f"the last {runs}{middle}"


def _starts(outlook: Outlook) -> str:
    if not outlook.dispatcher_alive:
        return "once a dispatcher is running"
    if outlook.ahead is not None:
        return f"after {outlook.ahead} on {outlook.queue}"
    return f"at once, nothing runs on {outlook.queue}"


def _warnings(outlook: Outlook) -> Iterator[str]:
    if outlook.capacity_per_s:
        drained = outlook.tasks / outlook.capacity_per_s
        if drained > outlook.last_offset_s + outlook.timeout_s:
            yield (
                f"It would take {seconds(drained)}, and what has no result"
                f" {seconds(outlook.timeout_s)} after the last task was sent counts as lost."
            )
    if outlook.redis_because:
        yield outlook.redis_because
    elif not outlook.workers:
        yield f"No worker answers on {outlook.queue}: the run would wait for one."
    if not outlook.dispatcher_alive:
        yield "No dispatcher is running: the run would wait until `make up` starts one."
