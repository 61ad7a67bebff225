"""The words that every face shows: findings in, sentences out; no face composes text of its own.

Answer, action, evidence, in this order; at most three figures in a sentence; units always.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runs.analysis.findings import RunFindings
from runs.analysis.gists import gists
from runs.analysis.notes import notes
from runs.analysis.numbers import count, number, percent, poll_seconds, rate, seconds
from runs.analysis.regime import RegimeFinding, RegimeReason
from runs.analysis.summary import Summary
from runs.analysis.verdict_words import verdict_clause
from runs.states import RunStatus

SAID_APART = 0.05  # the steady rate and that of the whole run: nearer they are one to a reader
POLL_SHARE = 0.25  # of the average sojourn time: more of it is worth a clause


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a report says. `because`: of the regime. `gists`: one stored fact per section."""

    headline: str
    because: str | None
    gists: Mapping[str, str]
    recommendations: tuple[str, ...]
    notes: tuple[str, ...]


def say(findings: RunFindings) -> Words:
    """All the words about one run."""
    advice = recommendation_sentences(findings)
    because = None if findings.summary.regime is None else regime_because(findings)
    return Words(
        headline=headline(findings),
        because=because,
        gists=gists(findings, advice=advice, because=because or ""),
        recommendations=advice,
        notes=notes(findings),
    )


def headline(findings: RunFindings) -> str:
    """The one sentence: what the run answers, and how that stands to earlier runs."""
    ending = _ending(findings)
    if ending is not None:
        return ending
    clause = ""
    if findings.judgement is not None:
        clause = verdict_clause(findings.judgement, with_interval=True)
    if findings.summary.kept_up:
        return f"{_done_within(findings)}{f': {clause}' if clause else _waiting(findings)}."
    return f"{_throughput(findings)}{f': {clause}' if clause else ''}."


def recommendation_sentences(findings: RunFindings) -> tuple[str, ...]:
    """Every recommendation, the most valuable first; a sound run is told that it is."""
    if findings.recommendations:
        return tuple(each.sentence for each in findings.recommendations)
    summary = findings.summary
    if summary.n == 0 or findings.status is not RunStatus.COMPLETED:
        return ()
    if summary.kept_up and summary.utilisation is not None:
        busy = percent(summary.utilisation)
        return (f"Nothing to change: the queue keeps up with {busy} of its slots busy.",)
    binding = findings.bottleneck.binding
    if summary.saturated and binding is not None:
        if not findings.bottleneck.explained:
            return ("No change is proposed: what limits this queue is not in the ceilings.",)
        limit = rate(binding.throughput_per_s)
        return (f"No single setting is sure to lift it: {binding.name} limits at {limit}/s.",)
    return ("Nothing to change was found in this run.",)


def regime_because(findings: RunFindings) -> str:
    """Why the run answers the one question or the other; "" where it answers none."""
    found = findings.summary.regime
    return "" if found is None else _REGIMES[found.reason](found, findings)


def pressure_because(summary: Summary) -> str:
    """Queue pressure with the numbers behind it."""
    if summary.pressure is None:
        return "Queue pressure is unrated: no task ended, or no slot is known."
    if summary.saturated:
        return f"Queue pressure is {summary.pressure}: more was offered than the queue serves."
    busy = "unknown" if summary.utilisation is None else percent(summary.utilisation)
    waited = number(summary.wait_ratio or 0.0, digits=2)
    return (
        f"Queue pressure is {summary.pressure}: slots in use {busy}, queue wait {waited} times the"
        " execution time and one poll."
    )


def _ending(findings: RunFindings) -> str | None:
    """How a run ended that did not simply complete, or completed nothing."""
    accounting, summary = findings.accounting, findings.summary
    if findings.status is RunStatus.CANCELLED:
        return f"Cancelled after {number(accounting.sent)} of {count(accounting.planned, 'task')}."
    if findings.status is RunStatus.FAILED:
        return (
            f"The run failed after {number(accounting.sent)} of {number(accounting.planned)} tasks."
        )
    missing = accounting.lost + accounting.outstanding
    if findings.status is RunStatus.TIMED_OUT or (missing and summary.n == 0):
        start = "Timed out" if findings.status is RunStatus.TIMED_OUT else "Nothing came back"
        return f"{start}: {number(missing)} of {count(accounting.sent, 'task')} have no result."
    if accounting.completed == 0 and accounting.failed:
        kinds = f" ({findings.failures[0][0]})" if findings.failures else ""
        return f"No task was completed: all {number(accounting.failed)} failed{kinds}."
    if summary.n == 0 or summary.throughput_per_s is None:
        return _no_rate(summary)
    return None


def _no_rate(summary: Summary) -> str:
    """Why tasks that ended give no throughput."""
    ended = f"{count(summary.accounting.finished, 'task')} ended"
    if summary.n == 0 and summary.accounting.finished:
        return f"{ended}, none at an instant that can be: no telling how fast the queue is."
    if summary.duration_s is not None and summary.duration_s < 0:
        return f"{ended}, by their clocks before they were sent: no telling how fast the queue is."
    return f"{ended}: too few to say how fast the queue is."


def _throughput(findings: RunFindings) -> str:
    summary = findings.summary
    best, overall = summary.throughput_per_s or 0.0, summary.overall_throughput_per_s
    said = f"{rate(best)} tasks/s"
    if summary.saturated and not summary.reached_its_limit:
        return f"{said} over the whole run, too short for a steady state"
    if summary.saturated and overall and abs(best / overall - 1) > SAID_APART:
        said += f" under full load ({rate(overall)} over the whole run)"
    reason = None if summary.regime is None else summary.regime.reason
    return f"{said}{_UNSETTLED.get(reason, '')}"


def _done_within(findings: RunFindings) -> str:
    """At 40 tasks/s 95 % are done within 663 ms."""
    summary = findings.summary
    arrived = summary.regime.arrival_rate_per_s if summary.regime else None
    start = f"At {rate(arrived or summary.throughput_per_s or 0.0)} tasks/s"
    if summary.sojourn.p95_s is not None:
        return f"{start} 95 % are done within {seconds(summary.sojourn.p95_s)}"
    return f"{start} the average task is done within {seconds(summary.sojourn.avg_s or 0.0)}"


def _waiting(findings: RunFindings) -> str:
    """; 0.25 s of the average is waiting for the next poll."""
    summary, delay = findings.summary, findings.fleet.poll_delay_s
    wait, sojourn = summary.queue_wait.avg_s or 0.0, summary.sojourn.avg_s or 0.0
    if delay is not None and min(delay / 2, wait) >= POLL_SHARE * sojourn > 0:
        return f"; {poll_seconds(min(delay / 2, wait))} of the average is waiting for the next poll"
    return ""


def _grew(found: RegimeFinding, _: RunFindings) -> str:
    return (
        f"{rate(found.arrival_rate_per_s or 0.0)}/s were offered and"
        f" {rate(found.served_per_s or 0.0)}/s started, so the backlog grew to"
        f" {count(round(found.backlog_late), 'task')}."
    )


def _steady(found: RegimeFinding, _: RunFindings) -> str:
    return (
        f"{rate(found.arrival_rate_per_s or 0.0)}/s were offered, and the backlog did not grow:"
        f" {count(round(found.backlog_late), 'task')} waited at the end of sending."
    )


def _refilled(_: RegimeFinding, findings: RunFindings) -> str:
    sent, slots = findings.accounting.sent, findings.fleet.slots
    held = (
        f", {number(sent / slots, digits=2)} times what {number(slots)} slots hold" if slots else ""
    )
    return f"All {count(sent, 'task')} were sent at once{held}."


def _never_refilled(_: RegimeFinding, findings: RunFindings) -> str:
    return (
        f"{count(findings.accounting.sent, 'task')} at once on"
        f" {count(findings.fleet.slots, 'slot')}: too few to show the most that the queue can do,"
        " and no rate that it keeps up with."
    )


def _long_drain(found: RegimeFinding, _: RunFindings) -> str:
    return (
        f"Sending took {seconds(found.send_span_s)}, starting the rest another"
        f" {seconds(found.start_span_s)}: {count(round(found.backlog_late), 'task')} waited."
    )


def _too_short(found: RegimeFinding, _: RunFindings) -> str:
    return (
        f"Sending took {seconds(found.send_span_s)}, not even 5 polls: too short to tell whether"
        " the queue keeps up."
    )


def _caught_up(found: RegimeFinding, _: RunFindings) -> str:
    return (
        "The queue fell far behind while tasks were sent and then recovered:"
        f" {count(round(found.backlog_late), 'task')} waited at the end of sending."
    )


def _more_offered(found: RegimeFinding, findings: RunFindings) -> str:
    return (
        f"The load offered fills {number(found.offered_load or 0.0)} slots and there are"
        f" {number(findings.fleet.slots)}, but sending ended before the backlog showed it."
    )


_UNSETTLED: Mapping[RegimeReason | None, str] = {
    RegimeReason.NEVER_REFILLED: " from too few tasks to reach the queue's limit",
    RegimeReason.TOO_SHORT: " from too short a run to tell whether the queue keeps up",
    RegimeReason.CAUGHT_UP: " from a load that the queue kept up with only at last",
    RegimeReason.MORE_OFFERED: " from too short a run to reach the queue's limit",
}
_REGIMES = {
    RegimeReason.BACKLOG_GREW: _grew,
    RegimeReason.BACKLOG_STEADY: _steady,
    RegimeReason.REFILLED: _refilled,
    RegimeReason.NEVER_REFILLED: _never_refilled,
    RegimeReason.LONG_DRAIN: _long_drain,
    RegimeReason.TOO_SHORT: _too_short,
    RegimeReason.CAUGHT_UP: _caught_up,
    RegimeReason.MORE_OFFERED: _more_offered,
}
