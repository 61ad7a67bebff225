"""What a reader must know beside the figures, and how bad data are borne."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made_runs import constants, fleet, paced, samples, summary_of, waves, workload

from runs.analysis.bottleneck import Cliff, bottleneck
from runs.analysis.constants import measure_constants, service_times
from runs.analysis.findings import RunFindings
from runs.analysis.fleet import Fleet
from runs.analysis.notes import notes
from runs.analysis.regime import Regime
from runs.analysis.samples import Samples, Skew, TaskInstants
from runs.analysis.sentences import say
from runs.states import RunStatus

KNOWN = constants(start_s=1, skip_s=0.4, loop_cpu_s=0.95, redis_cpu_s=0.2)


def findings(
    made: Samples, *, of: Fleet | None = None, load: Any = None, **counts: int
) -> RunFindings:
    served = fleet() if of is None else of
    load = load or workload(made.n)
    return RunFindings(
        status=RunStatus.COMPLETED,
        workload=load,
        fleet=served,
        summary=summary_of(made, of=served, load=load, **counts),
        bottleneck=bottleneck(
            served, service=service_times(made) if made.n else None, constants=KNOWN
        ),
    )


def said(run: RunFindings) -> str:
    return " ".join(notes(run))


def test_a_sound_run_needs_no_note() -> None:
    assert notes(findings(samples(waves(40)))) == ()


def test_missing_tasks_are_missing_from_the_percentiles() -> None:
    text = said(findings(samples(waves(40)), lost=30, cancelled=20))
    assert "over the 400 tasks that ended; 50 of 450 are missing" in text


def test_books_that_do_not_balance_are_an_error_of_ours() -> None:
    run = findings(samples(waves(40)))
    books = replace(run.summary.accounting, sent=500)
    assert "do not balance" in said(replace(run, summary=replace(run.summary, accounting=books)))


def test_impossible_instants_are_told() -> None:
    starts = np.append(waves(40), [1.0, float("nan")])
    made = samples(starts, execution_s=np.append(np.full(400, 0.2), [-0.1, 0.2]))
    assert "2 tasks had impossible instants" in said(findings(made))


def test_data_that_disagree_with_themselves_are_told() -> None:
    run = findings(samples(waves(40)))
    assert run.summary.little is not None
    little = replace(run.summary.little, expected=99.0)
    assert "Little's law" in said(replace(run, summary=replace(run.summary, little=little)))


def skewed(offset_s: float, error_s: float, *, wait_s: float = 0.1) -> RunFindings:
    starts = waves(40, first_s=wait_s)
    made = Samples.of(
        TaskInstants(
            sequence=np.arange(400),
            intended_s=np.zeros(400),
            enqueued_s=np.zeros(400),
            started_s=starts,
            finished_s=starts + 0.2,
            worker_names=("w0",),
        ),
        burst=True,
        skews={"w0": Skew(offset_s=offset_s, error_s=error_s)},
    )
    return findings(made)


def test_a_large_skew_is_corrected_aloud() -> None:
    text = said(skewed(2.0, 0.003, wait_s=2.1))
    assert "differ by 2 s; corrected, to within 3 ms" in text


def test_a_skew_larger_than_the_waits_makes_them_doubtful() -> None:
    assert "not to be trusted" in said(skewed(0.5, 0.001, wait_s=0.1))
    assert "uncertain by 5 s" in said(skewed(0.0, 5.0))


def test_workers_that_nobody_knows_are_told() -> None:
    stranger = samples(waves(40), worker=np.arange(400) % 2, worker_names=("w0", "unknown"))
    assert "200 tasks ran on workers that did not describe themselves" in said(findings(stranger))


def test_more_tasks_at_once_than_slots_mean_other_workers() -> None:
    assert "20 tasks ran at once on 10 slots" in said(findings(samples(waves(40, slots=20))))


@pytest.mark.parametrize(("stolen", "is_told"), [(None, False), (0.019, False), (0.07, True)])
def test_a_machine_that_others_were_given_is_told_of(stolen: float | None, is_told: bool) -> None:
    of = fleet(measured={"stolen_share": stolen})
    text = said(findings(samples(waves(40)), of=of))
    assert ("The hypervisor gave 7 % of the workers' machine to others" in text) is is_told


def test_circumstances_are_told() -> None:
    of = fleet(of={"changed": True, "foreign_jobs": 3})
    run = replace(findings(samples(waves(40)), of=of), shares_host=True)
    text = said(run)
    assert "Workers came, went or changed" in text
    assert "3 jobs of others stood on the queue." in text
    assert "share this machine" in text


def test_percentiles_that_cannot_be_are_told() -> None:
    assert "p99 needs more than 50 tasks" in said(findings(samples(waves(5))))
    assert "p50, p95 and p99 need more than 1 task" in said(findings(samples([0.1])))


def test_no_steady_state_is_told() -> None:
    assert "no steady-state throughput" in said(findings(samples(waves(2))))
    sent = np.sqrt(np.arange(2000.0))
    made = samples(sent + 0.1, enqueued_s=sent, execution_s=0.01, burst=False)
    run = findings(made, of=fleet(max_jobs=500), load=paced(45, duration_s=45))
    assert "No end of the warm-up" not in said(run)  # throughput is not what it answers
    assert run.summary.regime is not None
    mixed = replace(run.summary.regime, regime=Regime.MIXED)
    run = replace(run, summary=replace(run.summary, regime=mixed))
    assert "No end of the warm-up" in said(run)


def test_unknown_workers_leave_no_utilisation() -> None:
    text = said(findings(samples(waves(40)), of=fleet(0)))
    assert "utilisation and the poll cycle are unknown" in text
    assert "what limits this queue cannot be computed" in text


def test_nothing_ended_is_one_sentence() -> None:
    text = said(findings(samples(np.empty(0)), lost=10))
    assert "No task ended, so there is no figure of time" in text
    assert "steady" not in text


def test_one_instant_is_no_duration() -> None:
    assert "same instant" in said(findings(samples([0.0], execution_s=0.0)))


def test_an_end_before_the_beginning_is_no_duration() -> None:
    run = findings(samples(waves(40) - 500))
    assert run.summary.timeline is run.summary.overall_throughput_per_s is None
    assert "The last task ended before the first was sent" in said(run)


def test_no_interval_of_waits_near_full_slots_is_told() -> None:
    starts = np.arange(2000) * 0.021
    made = samples(starts, enqueued_s=starts, burst=False)
    assert "Waits and sojourn times have no interval: at 95 %" in said(
        findings(made, load=paced(1 / 0.021, duration_s=42))
    )


def test_starts_that_nothing_explains_are_told() -> None:
    run = findings(samples(waves(40)))
    slow = constants(start_s=6.4, loop_cpu_s=1.4, round_trip_s=0.1)
    assert "Starting a task took 6.4 ms, of which CPU and round trips explain 1.8 ms" in said(
        replace(run, constants=slow)
    )
    for usual in (
        constants(start_s=3.0, loop_cpu_s=1.4, round_trip_s=0.1),
        constants(start_s=6.4, loop_cpu_s=1.4),
        constants(start_s=6.4, loop_cpu_s=1.4, round_trip_s=0.1, blocking_s=5.0),
    ):
        assert "busy with something else" not in said(replace(run, constants=usual))


def test_cliffs_and_boundaries_are_told() -> None:
    run = findings(samples(waves(40)))
    near = replace(
        run.bottleneck,
        cliff=Cliff(slower_s=0.01, throughput_per_s=10.0, factor=0.5),
        chance=Cliff(slower_s=-0.005, throughput_per_s=40.0, factor=2.0),
        at_boundary=True,
    )
    text = said(replace(run, bottleneck=near))
    assert "tasks 10 ms slower would bring throughput down to 50 %" in text
    assert "tasks 5 ms faster would bring throughput up to 200 %" in text
    assert "jump between two values" in text
    assert run.summary.regime is not None
    kept = replace(run.summary.regime, regime=Regime.KEEPING_UP)
    easy = replace(run, bottleneck=near, summary=replace(run.summary, regime=kept))
    assert "jump" not in said(easy)


@pytest.mark.parametrize(
    "made",
    [
        samples(np.empty(0)),
        samples([0.1]),
        samples([0.0], execution_s=0.0),
        samples([0.1, 0.1], execution_s=0.0),
        samples(waves(40), failed=np.ones(400, dtype=bool)),
        samples(np.full(400, 0.3)),
        samples(waves(40), enqueued_s=1e9),
        samples(waves(40), execution_s=1e9),
        samples(waves(40) - 500.0),
        samples([float("nan")] * 30),
        samples(waves(40), pool_wait_s=np.full(400, 1e12)),
        samples(waves(40), worker=np.arange(400) % 3, worker_names=("w0", "w1", "unknown")),
    ],
    ids=[
        "none",
        "one",
        "instant",
        "two instants",
        "all failed",
        "constant",
        "sent in the far future",
        "endless",
        "started long before",
        "no instants",
        "absurd pool waits",
        "strangers",
    ],
)
@pytest.mark.parametrize(
    "of",
    [fleet(0), fleet(), fleet(3, poll_delay_s=0.0), fleet(2, of={"changed": True})],
    ids=["nobody", "one", "no delay", "changed"],
)
@pytest.mark.parametrize("burst", [True, False])
def test_bad_data_are_borne_in_words(made: Samples, of: Fleet, burst: bool) -> None:
    """Never an exception, never a division by zero, never a figure that is no number."""
    load = workload(made.n) if burst else paced(40, duration_s=10)
    summary = summary_of(made, of=of, load=load, lost=3)
    known = measure_constants(made, fleet=of)
    run = RunFindings(
        status=RunStatus.COMPLETED,
        workload=load,
        fleet=of,
        summary=summary,
        bottleneck=bottleneck(
            of,
            service=service_times(made) if made.n else None,
            constants=known,
            offered_rate_per_s=load.offered_rate_per_s,
        ),
    )
    words = say(run)
    texts = [words.headline, words.because or "", *words.gists.values(), *words.notes]
    assert words.headline
    assert not any("nan" in text.lower() or "inf " in text for text in texts)
    assert all(np.isfinite(each.throughput_per_s) for each in run.bottleneck.ceilings)
    for figure in (summary.overall_throughput_per_s, summary.utilisation, summary.wait_ratio):
        assert figure is None or np.isfinite(figure)
