"""What does each folded section say with its lid closed? One stored fact per section."""

from collections.abc import Sequence

from runs.analysis.ceiling import CeilingName
from runs.analysis.findings import RunFindings
from runs.analysis.limit_words import limited_by
from runs.analysis.numbers import count, number, percent, rate, seconds
from runs.analysis.verdict_words import verdict_clause

SUGGESTED_RATE = 2 / 3  # of what the queue can take: it keeps up, and is not idle


def gists(findings: RunFindings, *, advice: Sequence[str], because: str) -> dict[str, str]:
    """{section: sentence}; a section of which nothing is known has none."""
    judgement = findings.judgement
    said = {
        "answer": _answer(findings),
        "bottleneck": limited_by(findings.bottleneck, reached=findings.summary.reached_its_limit),
        "recommendations": advice[0] if advice else "",
        "baseline": "" if judgement is None else judgement.because,
        "regime": because,
        "task_metrics": _times(findings),
        "distribution": _spread(findings),
        "queue_wait": _waits(findings),
        "timeline": _timeline(findings),
        "poll_cycle": _poll_cycle(findings),
        "failures": _failures(findings),
        "accounting": _accounting(findings),
        "metrics": _metrics(findings),
        "environment": _environment(findings),
    }
    return {section: sentence for section, sentence in said.items() if sentence}


def _answer(findings: RunFindings) -> str:
    """60 tasks/s, the same as your last 8 runs. poll_delay is the limit."""
    summary, binding = findings.summary, findings.bottleneck.binding
    if not summary.saturated or summary.throughput_per_s is None:
        return ""
    clause = ""
    if findings.judgement is not None:
        clause = verdict_clause(findings.judgement, with_interval=False)
    known = binding is not None and findings.bottleneck.explained
    known = known and summary.reached_its_limit
    limit = f" {binding.name} is the limit." if binding is not None and known else ""
    compared = f", {clause}" if clause else ""
    return f"{rate(summary.throughput_per_s)} tasks/s{compared}.{limit}"


def _times(findings: RunFindings) -> str:
    """p50 171 ms, p95 251 ms, p99 294 ms, n 1000"""
    times = findings.summary.execution
    named = (("p50", times.p50_s), ("p95", times.p95_s), ("p99", times.p99_s))
    known = [f"{name} {seconds(value)}" for name, value in named if value is not None]
    if not known and times.avg_s is not None:
        known = [f"average {seconds(times.avg_s)}"]
    return f"Run time {', '.join(known)}, n {number(times.n)}." if known else ""


def _spread(findings: RunFindings) -> str:
    times = findings.summary.execution
    if times.min_s is None or times.max_s is None:
        return ""
    least, most = seconds(times.min_s), seconds(times.max_s)
    return f"Every task took {least}." if least == most else f"From {least} to {most}."


def _waits(findings: RunFindings) -> str:
    """Why waits are not judged, with a rate at which they would be; or the waits."""
    summary = findings.summary
    if summary.saturated and summary.throughput_per_s is not None:
        suggested = number(SUGGESTED_RATE * summary.throughput_per_s, digits=2)
        offered = summary.regime.arrival_rate_per_s if summary.regime else None
        load = "everything was sent at once" if offered is None else f"{rate(offered)}/s offered"
        return f"not judged: {load}, more than it can take. Try --rate {suggested}/s"
    wait = summary.queue_wait
    if summary.negative_waits:
        return "not judged: by the clocks, tasks started before they were sent"
    if wait.p50_s is None or wait.p95_s is None:
        return ""
    return f"Queue wait p50 {seconds(wait.p50_s)}, p95 {seconds(wait.p95_s)}, n {number(wait.n)}."


def _timeline(findings: RunFindings) -> str:
    found, line = findings.summary.regime, findings.summary.timeline
    duration = findings.summary.duration_s
    if found is None or line is None or duration is None:
        return ""
    rest = max(0.0, duration - found.send_span_s)
    sending = f"Sending {seconds(found.send_span_s)}, draining"
    if found.arrival_rate_per_s is None:
        sending = "Sent at once, drained in"
    return f"{sending} {seconds(rest)}; up to {number(max(line.backlog))} tasks waited."


def _poll_cycle(findings: RunFindings) -> str:
    """Tasks take 0.17 s, then their slot idles until the next poll."""
    cycle, mean = findings.summary.poll_cycle, findings.summary.execution.avg_s
    if cycle is None or mean is None:
        return ""
    busy = f"Slots are in use {percent(cycle.busy_percent / 100)} of the time"
    binding = findings.bottleneck.binding
    if binding is not None and binding.name is CeilingName.POLL_DELAY:
        return f"{busy}: tasks take {seconds(mean)}, then their slot idles until the next poll."
    return f"{busy}, the mean of {count(cycle.polls, 'poll')}."


def _failures(findings: RunFindings) -> str:
    accounting, share = findings.accounting, findings.accounting.failed_share
    if share is None:
        return ""
    if accounting.failed == 0:
        return f"None of {count(accounting.finished, 'task')} failed."
    kind = f", most often {findings.failures[0][0]}" if findings.failures else ""
    counts = f"{number(accounting.failed)} of {number(accounting.finished)}"
    return f"{percent(share)} failed, {counts}{kind}."


def _accounting(findings: RunFindings) -> str:
    """1000 sent: 998 completed, 2 failed."""
    accounting = findings.accounting
    parts = [
        f"{number(n)} {name}"
        for n, name in (
            (accounting.completed, "completed"),
            (accounting.failed, "failed"),
            (accounting.cancelled, "cancelled"),
            (accounting.lost, "lost"),
            (accounting.outstanding, "outstanding"),
        )
        if n
    ]
    return f"{number(accounting.sent)} sent: {', '.join(parts) or 'none came back'}."


def _metrics(findings: RunFindings) -> str:
    summary = findings.summary
    if summary.overall_throughput_per_s is None or summary.duration_s is None:
        return ""
    overall = number(summary.overall_throughput_per_s, digits=3)
    steady = ""
    if summary.steady_throughput_per_s is not None:
        steady = (
            f", {number(summary.steady_throughput_per_s, digits=3)}/s without warm-up and drain"
        )
    return f"{overall}/s completed over {seconds(summary.duration_s)}{steady}."


def _environment(findings: RunFindings) -> str:
    """1 worker, 30 slots."""
    fleet = findings.fleet
    if not fleet.workers:
        return "No worker described itself."
    return f"{count(fleet.processes, 'worker')}, {count(fleet.slots, 'slot')}."
