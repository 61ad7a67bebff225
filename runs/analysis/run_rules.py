"""What do the tasks and the load of a run themselves recommend? One small function per rule.

A rule returns None without its evidence.
"""

import math

from runs.analysis.advice import Evidence, Recommendation, Value
from runs.analysis.bottleneck import Bottleneck
from runs.analysis.ceiling import CeilingName
from runs.analysis.numbers import count, number, percent, poll_seconds, seconds
from runs.arrivals import ArrivalModel

MOST_FAILED = 0.01  # of the tasks: the best efficiency rating ends there
MOST_RETRIED = 0.01
NEAR_TIMEOUT = 0.8  # of job_timeout
FEWEST_POLLS = 20  # a saturated run over fewer of them depends on where it met the first
LEAST_RUN_S = 10.0
RELEASE_AFTER_S = 10.0  # arq keeps a killed worker's tasks for the longest timeout and this


def lost_tasks(evidence: Evidence) -> Recommendation | None:
    """Tasks without a result: a killed worker holds its own for job_timeout and 10 s more."""
    accounting = evidence.summary.accounting
    if accounting.lost == 0:
        return None
    held = [each.job_timeout_s for each in evidence.fleet.settings if each.job_timeout_s]
    action = "Find out what became of the lost tasks"
    reason = "they were sent and no result came before the run's timeout"
    if held:
        action = "Give the run more time, or job_timeout less"
        reason = (
            "a worker that is killed holds its tasks for job_timeout and 10 s more:"
            f" {seconds(max(held) + RELEASE_AFTER_S)}"
        )
    return Recommendation(
        name="lost_tasks",
        action=action,
        reason=reason,
        evidence=f"{number(accounting.lost)} of {count(accounting.sent, 'task')} lost",
        value=Value.TASKS_MISSING,
    )


def failures(evidence: Evidence) -> Recommendation | None:
    """Failing tasks often end early, so throughput flatters."""
    share, accounting = evidence.summary.accounting.failed_share, evidence.summary.accounting
    if share is None or share < MOST_FAILED:
        return None
    return Recommendation(
        name="failures",
        action="Mend what fails before reading the other figures",
        reason="a task that fails early makes the queue look faster than it is",
        evidence=f"{percent(share)} of {count(accounting.finished, 'task')} failed",
        value=Value.TASKS_MISSING,
    )


def timeouts(evidence: Evidence) -> Recommendation | None:
    """Executions near job_timeout: arq fails what exceeds it, and does not try again."""
    limits = [each.job_timeout_s for each in evidence.fleet.settings if each.job_timeout_s]
    longest = evidence.summary.execution.max_s
    if not limits or longest is None or longest < NEAR_TIMEOUT * min(limits):
        return None
    return Recommendation(
        name="job_timeout",
        action="Raise job_timeout, or set a longer one for this function",
        reason="arq fails a task that exceeds it and does not try it again",
        evidence=f"the longest took {seconds(longest)}, job_timeout is {seconds(min(limits))}",
        value=Value.TASKS_MISSING,
    )


def retries(evidence: Evidence) -> Recommendation | None:
    """Each attempt costs a slot and all six round trips again."""
    accounting = evidence.summary.accounting
    attempts = accounting.finished + accounting.retries
    if attempts == 0 or accounting.retries < MOST_RETRIED * attempts:
        return None
    share = accounting.retries / attempts
    return Recommendation(
        name="retries",
        action="Lessen the retries",
        reason="every attempt costs a slot and its round trips again",
        evidence=f"{percent(share)} of {count(attempts, 'attempt')} were repeats",
        value=Value.MORE_THROUGHPUT,
        expected_gain=share / (1 - share) if share < 1 else None,
    )


def blocking(evidence: Evidence) -> Recommendation | None:
    """Work inside the event loop: one task at a time, whatever max_jobs says."""
    blocked = evidence.constants.blocking_s
    if blocked is None:
        return None
    return Recommendation(
        name="event_loop",
        action="Move the tasks' own work out of the event loop, into a process pool",
        reason="while a task computes or blocks, its worker does nothing else",
        evidence=f"{seconds(blocked.value)} of every task block the loop; {blocked.source}",
        value=Value.MORE_THROUGHPUT,
        expected_gain=_gain_without(CeilingName.EVENT_LOOP, bottleneck=evidence.bottleneck),
    )


def batch_size(evidence: Evidence) -> Recommendation | None:
    """Batches larger than the slots make their own queue, at a rate that would need none."""
    workload, fleet, summary = evidence.workload, evidence.fleet, evidence.summary
    paced = workload.arrival is ArrivalModel.BATCHES and workload.delay_s > 0
    if not paced or not summary.kept_up or not 0 < fleet.slots < workload.batch_size:
        return None
    smaller = fleet.slots
    delay = workload.delay_s * smaller / workload.batch_size
    return Recommendation(
        name="batch_size",
        action=f"Send {number(smaller)} tasks every {poll_seconds(delay)}",
        reason="the same rate without a queue that the batches themselves make",
        evidence=f"batches of {number(workload.batch_size)} on {number(fleet.slots)} slots",
        value=Value.BETTER_TEST,
    )


def too_few(evidence: Evidence) -> Recommendation | None:
    """A run over a few polls depends on where in a poll_delay it began."""
    summary, delay = evidence.summary, evidence.fleet.poll_delay_s or 0.0
    duration, throughput = summary.duration_s, summary.overall_throughput_per_s
    if summary.n == 0 or duration is None or duration <= 0 or summary.kept_up:
        return None
    long_enough = max(FEWEST_POLLS * delay, LEAST_RUN_S if summary.steady is None else 0.0)
    if duration >= long_enough:
        return None
    wanted = 1.5 * long_enough * throughput if throughput else 2.0 * summary.n
    return Recommendation(
        name="too_few_tasks",
        action=f"Send at least {number(_round_up(wanted))} tasks",
        reason="so short a run depends on where between two polls it began",
        evidence=f"{count(summary.n, 'task')} in {seconds(duration)}, a poll every"
        f" {poll_seconds(delay)}",
        value=Value.BETTER_TEST,
    )


def _gain_without(name: CeilingName, *, bottleneck: Bottleneck) -> float | None:
    """How far the next ceiling is above this one, where this one binds."""
    binding = bottleneck.binding
    if binding is None or binding.name is not name or len(bottleneck.ceilings) < 2:
        return None
    return bottleneck.ceilings[1].throughput_per_s / binding.throughput_per_s - 1


def _round_up(value: float) -> int:
    """To one significant digit: what a person would type."""
    step = int(10 ** math.floor(math.log10(max(value, 1))))
    return math.ceil(value / step) * step
