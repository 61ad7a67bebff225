"""Which arq settings should be others? One small function per rule.

A rule returns None without its evidence.
"""

from runs.analysis.advice import Evidence, Recommendation, Value
from runs.analysis.numbers import number, poll_seconds, rate, seconds, setting_value, times

POLL_SHARE = 0.25  # of the average sojourn time spent waiting for the next poll
SHORT_POLL_S = 0.05
RESULT_BYTES = 316  # a kept result of an empty task, as measured in Redis 7
MUCH_MEMORY = 500e6


def proposed_change(evidence: Evidence) -> Recommendation | None:
    """The bottleneck's change, where the run was limited by the queue and not by its load.

    poll_delay, queue_read_limit, max_jobs, processes or pool_processes: the laws say which.
    """
    change, binding = evidence.bottleneck.change, evidence.bottleneck.binding
    if change is None or binding is None or not _changes(evidence, change.setting):
        return None
    predicted = rate(change.predicted_throughput_per_s)
    return Recommendation(
        name=change.setting,
        action=f"Change {change.setting} {setting_value(change.old)} → {setting_value(change.new)}",
        reason=f"predicted {predicted}/s ({times(1 + change.gain)}), {change.cost}",
        evidence=f"{binding.name} limits at {rate(binding.throughput_per_s)}/s",
        value=Value.MORE_THROUGHPUT,
        expected_gain=change.gain,
        brief=True,
    )


def shared_page(evidence: Evidence) -> Recommendation | None:
    """k·M > Q: slots that no poll can ever fill, since ids in progress stay on every page."""
    fleet, limit = evidence.fleet, evidence.fleet.read_limit
    if limit is None or fleet.slots <= limit or _changes(evidence, "queue_read_limit"):
        return None
    return Recommendation(
        name="fleet_queue_read_limit",
        action=f"Raise queue_read_limit above {number(fleet.slots)}",
        reason="tasks in progress stay on the page that every worker reads, so no more can run",
        evidence=f"{number(fleet.slots)} slots, queue_read_limit {number(limit)}",
        value=Value.SAFETY,
    )


def poll_wait(evidence: Evidence) -> Recommendation | None:
    """Where the queue keeps up, half a poll_delay is part of every sojourn time."""
    summary, delay = evidence.summary, evidence.fleet.poll_delay_s
    sojourn = summary.sojourn.avg_s
    if not summary.kept_up or delay is None or delay <= SHORT_POLL_S or not sojourn:
        return None
    if delay / 2 < POLL_SHARE * sojourn or _changes(evidence, "poll_delay"):
        return None
    saved = (delay - SHORT_POLL_S) / 2
    return Recommendation(
        name="poll_delay",
        action=f"Change poll_delay {setting_value(delay)} → {setting_value(SHORT_POLL_S)}",
        reason=f"the average task is done {seconds(saved)} sooner",
        evidence=f"{poll_seconds(delay / 2)} of {seconds(sojourn)} is waiting for the next poll",
        value=Value.SHORTER_WAIT,
    )


def keep_result(evidence: Evidence) -> Recommendation | None:
    """Results fill Redis: throughput × keep_result × 316 bytes at least."""
    kept = max((each.keep_result_s for each in evidence.fleet.settings), default=0.0)
    throughput = evidence.summary.throughput_per_s
    if throughput is None or throughput * kept * RESULT_BYTES < MUCH_MEMORY:
        return None
    memory = throughput * kept * RESULT_BYTES / 1e6
    return Recommendation(
        name="keep_result",
        action="Shorten keep_result",
        reason=f"at this rate kept results fill {number(memory)} MB of Redis and more",
        evidence=f"{rate(throughput)}/s, kept for {seconds(kept)}, {RESULT_BYTES} bytes each",
        value=Value.SAFETY,
    )


def keep_result_forever(evidence: Evidence) -> Recommendation | None:
    """arq 0.28 sets an expiry of 0 for a task that it fails itself, which Redis refuses."""
    if not any(each.keep_result_forever for each in evidence.fleet.settings):
        return None
    return Recommendation(
        name="keep_result_forever",
        action="Set keep_result instead of keep_result_forever",
        reason="an expired task, or one of an unknown function, ends a worker that has it",
        evidence="keep_result_forever is on; arq issue 531",
        value=Value.SAFETY,
    )


def retry_on_error(evidence: Evidence) -> Recommendation | None:
    """Without OSError among the errors retried a worker ends when Redis is away for 2 s."""
    if not any(each.retries_os_errors is False for each in evidence.fleet.settings):
        return None
    return Recommendation(
        name="retry_on_error",
        action="Add OSError to retry_on_error of the workers' Redis settings, with a Retry",
        reason="without it a worker ends when Redis is away for two seconds",
        evidence="the workers' settings",
        value=Value.SAFETY,
    )


def _changes(evidence: Evidence, setting_name: str) -> bool:
    change = evidence.bottleneck.change
    return change is not None and change.setting == setting_name and evidence.summary.saturated
