"""What must a reader know beside the figures: what is missing, and what the data cannot bear?"""

from collections.abc import Iterator

from runs.analysis.constants import START_TRIPS
from runs.analysis.findings import RunFindings
from runs.analysis.numbers import count, listed, number, percent, seconds
from runs.analysis.samples import STAMP_S
from runs.analysis.summary import Summary
from runs.analysis.within_run import MOST_UTILISATION

LEAST_STOLEN = 0.02  # of the machine: less is within what runs differ by anyway
LARGE_SKEW_S = 0.1  # smaller clock differences are corrected without a word
MOST_UNKNOWN = 2.0  # a start that takes longer than this times what is known of it is starved
TRUSTED_SKEW = 0.2  # of the average wait: a less certain correction makes waits doubtful


def notes(findings: RunFindings) -> tuple[str, ...]:
    """All notes, the weightiest first; each one sentence."""
    return (
        *_accounts(findings),
        *_clocks(findings.summary),
        *_workers(findings),
        *_missing_figures(findings),
        *findings.bottleneck.missing,
        *_starved(findings),
        *_boundary(findings),
    )


def _accounts(findings: RunFindings) -> Iterator[str]:
    accounting, summary = findings.accounting, findings.summary
    if not accounting.balanced:
        yield "The books do not balance: tasks sent are not those accounted for."
    absent = accounting.lost + accounting.cancelled + accounting.outstanding
    if absent and summary.n:
        yield (
            f"Percentiles and timeline are over the {count(summary.n, 'task')} that ended;"
            f" {number(absent)} of {number(accounting.sent)} are missing from them."
        )
    if summary.discarded:
        yield (
            f"{count(summary.discarded, 'task')} had impossible instants (an end before the"
            " start, or later than the run lasted) and count in no figure of time."
        )
    if summary.little is not None and not summary.little.agrees:
        yield (
            f"The data disagree with themselves: {number(summary.little.counted, digits=3)} tasks"
            " were in the system on average, throughput times duration gives"
            f" {number(summary.little.expected, digits=3)} (Little's law)."
        )


def _clocks(summary: Summary) -> Iterator[str]:
    wait = summary.queue_wait.avg_s
    if abs(summary.skew_s) >= LARGE_SKEW_S:
        yield (
            f"The clocks of sender and worker differ by {seconds(summary.skew_s)}; corrected,"
            f" to within {seconds(summary.skew_error_s)}."
        )
    if summary.negative_waits:
        yield (
            f"{count(summary.negative_waits, 'task')} seem to have started before they were sent:"
            " the clocks differ by more than was measured, so queue waits are not to be trusted."
        )
    elif wait is not None and summary.skew_error_s > max(TRUSTED_SKEW * wait, STAMP_S):
        yield (
            f"Queue waits are uncertain by {seconds(summary.skew_error_s)}, the accuracy of the"
            f" clocks, against an average of {seconds(wait)}."
        )


def _workers(findings: RunFindings) -> Iterator[str]:
    fleet, summary = findings.fleet, findings.summary
    known = {worker.worker_id for worker in fleet.workers}
    strange = sum(n for name, n in summary.workers_seen.items() if name not in known)
    if fleet.workers and strange:
        yield (
            f"{count(strange, 'task')} ran on workers that did not describe themselves: slots and"
            " ceilings are of the others only."
        )
    elif fleet.workers and summary.peak_in_flight > fleet.slots:
        yield (
            f"{number(summary.peak_in_flight)} tasks ran at once on {number(fleet.slots)} slots:"
            " other workers serve this queue too, or workers changed during the run."
        )
    if fleet.changed:
        yield "Workers came, went or changed their settings during the run."
    if fleet.foreign_jobs:
        yield f"{count(fleet.foreign_jobs, 'job')} of others stood on the queue."
    if fleet.stolen_share is not None and fleet.stolen_share >= LEAST_STOLEN:
        yield (
            f"The hypervisor gave {percent(fleet.stolen_share)} of the workers' machine to others"
            " during the run: it can do more than was measured."
        )
    if findings.shares_host:
        yield "worker, Redis and database share this machine"


def _missing_figures(findings: RunFindings) -> Iterator[str]:
    summary = findings.summary
    if summary.n == 0:
        yield "No task ended, so there is no figure of time, no throughput and no regime."
        return
    if summary.duration_s is not None and summary.duration_s < 0:
        yield (
            "The last task ended before the first was sent, by their clocks: there is no"
            " throughput and no timeline."
        )
    elif summary.duration_s == 0:
        yield "All tasks bear the same instant, so there is no throughput."
    yield from _percentiles(summary)
    yield from _steady(summary)
    yield from _slots(findings)


def _percentiles(summary: Summary) -> Iterator[str]:
    times = summary.execution
    named = (("p50", times.p50_s), ("p95", times.p95_s), ("p99", times.p99_s))
    unknown = [label for label, value in named if value is None]
    if unknown:
        yield (
            f"{listed(unknown)} {'needs' if len(unknown) == 1 else 'need'} more than"
            f" {count(summary.n, 'task')}: fewer than one task is expected beyond."
        )


def _steady(summary: Summary) -> Iterator[str]:
    if summary.steady is None:
        yield (
            "There is no steady-state throughput: the span without warm-up and drain holds fewer"
            " than two rounds of polls."
        )
    elif not summary.settled and not summary.kept_up:
        yield "No end of the warm-up was found within the first half of sending: nothing was cut."


def _slots(findings: RunFindings) -> Iterator[str]:
    summary = findings.summary
    if not findings.fleet.workers:
        yield "No worker described itself, so utilisation and the poll cycle are unknown."
    elif summary.poll_cycle is None:
        yield "There is no poll cycle: too few polls that started tasks could be told apart."
    if summary.kept_up and (summary.utilisation or 0.0) > MOST_UTILISATION:
        yield (
            f"Waits and sojourn times have no interval: at {percent(summary.utilisation or 0)} of"
            " the slots a single run cannot give one."
        )


def _starved(findings: RunFindings) -> Iterator[str]:
    """Starts that take far longer than their own CPU and round trips: others have the machine."""
    constants = findings.constants
    start, cpu, trip = constants.start_s, constants.loop_cpu_s, constants.round_trip_s
    if start is None or cpu is None or trip is None or constants.blocking_s is not None:
        return
    known = START_TRIPS * trip.value + cpu.value
    if start.value > MOST_UNKNOWN * known:
        yield (
            f"Starting a task took {seconds(start.value)}, of which CPU and round trips explain"
            f" {seconds(known)}: the workers' machine is busy with something else."
        )


def _boundary(findings: RunFindings) -> Iterator[str]:
    """How near the capacity jumps; of no concern to a queue that keeps up."""
    if findings.summary.kept_up:
        return
    cliff, chance = findings.bottleneck.cliff, findings.bottleneck.chance
    if cliff is not None:
        yield (
            f"A cliff is near: tasks {seconds(cliff.slower_s)} slower would bring throughput down"
            f" to {percent(cliff.factor)}."
        )
    if chance is not None:
        yield (
            f"A step is near: tasks {seconds(-chance.slower_s)} faster would bring throughput up"
            f" to {percent(chance.factor)}."
        )
    if findings.bottleneck.at_boundary:
        yield (
            "Starting a task in every slot takes about as long as a task: throughput may jump"
            " between two values from run to run."
        )
