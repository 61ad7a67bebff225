"""What is said of many: queues now, configurations with their verdicts, tests under way.

Each gives one sentence and, where there is something to do, one action with its reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runs.analysis.numbers import count, number, rate, seconds
from runs.analysis.verdicts import Verdict

NAMED = 2  # in one sentence; the table has the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A sentence, and perhaps what to do and why."""

    headline: str
    action: str = ""
    command: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueNow:
    """One queue as far as a sentence needs it."""

    name: str
    reachable: bool
    because: str = ""
    waiting: int = 0
    workers: int = 0
    oldest_s: float | None = None
    served_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One configuration's last verdict; `change` a share, `since` when it changed."""

    name: str
    verdict: str
    change: float | None = None
    since: datetime | None = None
    value: str = ""
    baseline: str = ""
    changed: str = ""


def say_queues(queues: Sequence[QueueNow]) -> Say:
    """load_test has about 10 s of work waiting. media has 12 tasks and no worker."""
    away = next((queue for queue in queues if not queue.reachable), None)
    if away is not None:
        return Say(
            headline="Redis does not answer: queues and workers cannot be seen.",
            action="Start Redis, or set REDIS_URL to where it is",
            reason=away.because,
        )
    unserved = [queue for queue in queues if queue.waiting and not queue.workers]
    busy = [queue for queue in queues if queue.waiting and queue.workers]
    said = [_work_waiting(queue) for queue in busy[:NAMED]]
    said += [f"{each.name} has {count(each.waiting, 'task')} and no worker." for each in unserved]
    if not said:
        workers = sum(queue.workers for queue in queues)
        said = [
            f"Nothing waits: {count(workers, 'worker')} ready."
            if workers
            else "Nothing waits, and no worker answers."
        ]
    idle = [] if unserved else [queue for queue in queues if not queue.workers]
    asked = unserved or (idle if len(idle) == len(queues) else [])
    return Say(headline=" ".join(said[: NAMED + 1]), **(_start(asked[0]) if asked else {}))


def say_baselines(standings: Sequence[Standing], *, of: Mapping[str, int]) -> Say:
    """1 of 8 configurations is worse than it was: nightly cpu, 12 % since 19 Nov.

    `standings`: the first of the report, regressed first; `of`: how many have which verdict.
    """
    total, worse_count = sum(of.values()), of.get(Verdict.REGRESSED, 0)
    if not total:
        return Say(
            headline="No run has ended yet.",
            reason="A configuration gets a row with its first run, and a baseline with its third.",
        )
    worse = [each for each in standings if each.verdict == Verdict.REGRESSED]
    if worse:
        verb, were = ("is", "it was") if worse_count == 1 else ("are", "they were")
        named = "; ".join(_by_how_much(each) for each in worse[:NAMED])
        against = f"{worse[0].value} against {worse[0].baseline}" if worse[0].baseline else ""
        reasons = [each for each in (against, worse[0].changed) if each]
        return Say(
            headline=f"{number(worse_count)} of {count(total, 'configuration')} {verb} worse than"
            f" {were}: {named}.",
            action=f"Compare the last run of {worse[0].name} with the one before"
            f"{' it changed' if worse[0].since else ''}",
            reason=f"{'; '.join(reasons)}." if reasons else "",
        )
    if of.get(Verdict.NO_BASELINE, 0) == total:
        return Say(headline=f"No baseline yet for {count(total, 'configuration')}.")
    better = of.get(Verdict.IMPROVED, 0)
    gains = f" {number(better)} {'is' if better == 1 else 'are'} better than before."
    return Say(headline=f"No configuration is worse than it was.{gains if better else ''}")


def say_tests(running: int, *, waiting: int, standings: Sequence[Standing]) -> Say:
    """1 test is running, 1 waits. nightly cpu is 12 % worse since 19 Nov."""
    tests = f"{count(running, 'test')} {'is' if running == 1 else 'are'} running"
    said = tests if running else "No test is running"
    if waiting:
        said += f", {number(waiting)} {'waits' if waiting == 1 else 'wait'}"
    worse = [each for each in standings if each.verdict == Verdict.REGRESSED]
    if not worse:
        return Say(headline=f"{said}.")
    first = worse[0]
    against = f"{first.value} against {first.baseline}" if first.baseline else first.value
    return Say(
        headline=f"{said}. {_is_worse(first)}.",
        action=f"See since which run {first.name} is worse",
        reason=f"{against}{f', {first.changed}' if first.changed else ''}.",
    )


def say_since(verdict: str | None, *, at: datetime, last: str | None = None) -> str:
    """better since 10 Nov; where the last run was judged the other way: better from 10 Nov until it

    `verdict`: of the change, `last`: of the last run.
    """
    word = {Verdict.IMPROVED.value: "better", Verdict.REGRESSED.value: "worse"}.get(verdict or "")
    if {verdict, last} == {Verdict.IMPROVED.value, Verdict.REGRESSED.value}:
        return f"{word} from {day(at)} until the run before"
    return f"{word or 'different'} since {day(at)}"


def day(at: datetime) -> str:
    """19 Nov"""
    return f"{at.day} {at:%b}"


def listed_changes(changed: Sequence[Mapping[str, object]]) -> str:
    """revision 4be1c0d → 9d2f31a; arq 0.27 → 0.28"""
    return "; ".join(
        f"{each.get('field')} {each.get('from')} → {each.get('to')}" for each in changed
    )


def _work_waiting(queue: QueueNow) -> str:
    lasts = queue.waiting / queue.served_per_s if queue.served_per_s else 0.0
    if lasts < 1 or not queue.served_per_s:
        return f"{queue.name} has {count(queue.waiting, 'task')} waiting."
    return (
        f"{queue.name} has about {seconds(float(f'{lasts:.1g}'))} of work waiting,"
        f" at {rate(queue.served_per_s)}/s."
    )


def _start(queue: QueueNow) -> dict[str, str]:
    waited = (
        f"The oldest task has waited {seconds(queue.oldest_s)}."
        if queue.oldest_s
        else "None answers now."
    )
    return {
        "action": f"Start a worker for {queue.name}",
        "command": f"manage.py runworker_loadtest --queue {queue.name}",
        "reason": waited,
    }


def _by_how_much(each: Standing) -> str:
    amount = "" if each.change is None else f", {number(abs(100 * each.change), digits=2)} %"
    since = "" if each.since is None else f" since {day(each.since)}"
    return f"{each.name}{amount}{since}"


def _is_worse(each: Standing) -> str:
    amount = "" if each.change is None else f"{number(abs(100 * each.change), digits=2)} % "
    since = "" if each.since is None else f" since {day(each.since)}"
    return f"{each.name} is {amount}worse{since}"
