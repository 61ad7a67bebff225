"""What people read, word for word."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made_runs import constants, fleet, paced, samples, summary_of, waves, workload
from simulated_worker import SimulatedWorker, Simulation

from runs.analysis.advice import Evidence
from runs.analysis.bottleneck import bottleneck
from runs.analysis.ceiling import Ceiling, CeilingName, Input
from runs.analysis.constants import Constants, service_times
from runs.analysis.findings import RunFindings
from runs.analysis.fleet import Fleet
from runs.analysis.history import BaselineKind
from runs.analysis.judgement import Judgement, no_baseline
from runs.analysis.limit_words import (
    change_sentence,
    fit_sentence,
    limited_by,
    promised,
    promised_at_rate,
)
from runs.analysis.recommendations import recommend
from runs.analysis.regime import RegimeReason
from runs.analysis.samples import Samples
from runs.analysis.sentences import Words, headline, pressure_because, regime_because, say
from runs.analysis.verdicts import Verdict
from runs.analysis.workload import Workload
from runs.states import RunStatus

KNOWN = constants(
    start_s=1, skip_s=0.4, overhead_s=3, loop_cpu_s=0.95, redis_cpu_s=0.2, shared_cpu_s=0.4
)
PAGE = CeilingName.FLEET_QUEUE_READ_LIMIT
SAFE = {"keep_result_s": 60.0, "retries_os_errors": True, "job_timeout_s": 600.0}


def findings(
    made: Samples,
    *,
    of: Fleet | None = None,
    load: Workload | None = None,
    known: Constants = KNOWN,
    status: RunStatus = RunStatus.COMPLETED,
    judgement: Judgement | None = None,
    failures: tuple[tuple[str, int], ...] = (),
    **counts: int,
) -> RunFindings:
    served = fleet(max_jobs=30, **SAFE) if of is None else of
    load = load or workload(made.n)
    summary = summary_of(made, of=served, load=load, **counts)
    limit = bottleneck(
        served,
        service=service_times(made) if made.n else None,
        constants=known,
        offered_rate_per_s=load.offered_rate_per_s,
    )
    advice = recommend(
        Evidence(summary=summary, bottleneck=limit, workload=load, fleet=served, constants=known)
    )
    return RunFindings(
        status=status,
        workload=load,
        fleet=served,
        summary=summary,
        bottleneck=limit,
        recommendations=advice,
        judgement=judgement,
        failures=failures,
    )


def saturated(**changed: Any) -> RunFindings:
    return findings(samples(waves(34, slots=30)), **changed)


def kept_up(rate: float = 40, *, poll_delay_s: float = 0.5, **changed: Any) -> RunFindings:
    n = round(rate * 60)
    run = Simulation(
        workers=[SimulatedWorker(max_jobs=30, poll_delay_s=poll_delay_s, phase_s=0.02)],
        durations_s=[0.17] * n,
        sent_s=(np.arange(n) / rate).tolist(),
    ).run()
    of = fleet(max_jobs=30, poll_delay_s=poll_delay_s, **SAFE)
    return findings(run.samples(burst=False), of=of, load=paced(rate, duration_s=60), **changed)


def test_a_saturated_run_leads_with_its_throughput() -> None:
    words = say(saturated(judgement=no_baseline(0)))
    assert words.headline == "60 tasks/s."
    assert words.gists["answer"] == "60 tasks/s. poll_delay is the limit."
    assert words.gists["bottleneck"] == (
        "Limited by poll_delay: free slots are refilled only every 0.5 s."
    )
    assert words.gists["baseline"] == "No baseline yet: run this twice more, or pin this run."
    assert words.gists["queue_wait"] == (
        "not judged: everything was sent at once, more than it can take. Try --rate 40/s"
    )
    assert words.recommendations[0].startswith("Change poll_delay 0.5 → 0.05: predicted 1")
    assert words.because == "All 1020 tasks were sent at once, 34 times what 30 slots hold."


def test_a_run_that_keeps_up_leads_with_its_sojourn_time() -> None:
    words = say(kept_up())
    assert words.headline.startswith("At 40 tasks/s 95 % are done within 6")
    assert words.headline.endswith("; 0.25 s of the average is waiting for the next poll.")
    assert words.gists["bottleneck"] == (
        "Limited by arrivals: 40/s were offered, 67 % of the 60/s that poll_delay would allow."
    )
    assert words.gists["queue_wait"].startswith("Queue wait p50 2")
    assert "answer" not in words.gists
    quick = say(kept_up(poll_delay_s=0.05))
    assert quick.headline.startswith("At 40 tasks/s 95 % are done within 2")
    assert "poll" not in quick.headline
    assert quick.recommendations == (
        "Nothing to change: the queue keeps up with 23 % of its slots busy.",
    )


def test_too_few_tasks_for_a_percentile_have_an_average() -> None:
    sent = np.arange(15) / 2
    made = samples(sent + 0.02, enqueued_s=sent, burst=False)
    said = headline(findings(made, load=paced(2, duration_s=7.5)))
    assert said.startswith("At 2 tasks/s the average task is done within 220 ms")


def test_a_run_that_settles_nothing_says_so() -> None:
    words = say(findings(samples(waves(1, slots=30))))
    assert words.headline.endswith("tasks/s from too few tasks to reach the queue's limit.")
    assert words.because is not None
    assert words.because.startswith("30 tasks at once on 30 slots: too few")
    assert words.gists["bottleneck"].startswith("Would be limited by poll_delay at 60/s: ")


@pytest.mark.parametrize(
    ("reason", "start"),
    [
        (RegimeReason.BACKLOG_GREW, "400/s were offered and 60/s started, so the backlog grew to"),
        (RegimeReason.BACKLOG_STEADY, "400/s were offered, and the backlog did not grow: 851"),
        (RegimeReason.REFILLED, "All 1020 tasks were sent at once, 34 times"),
        (RegimeReason.NEVER_REFILLED, "1020 tasks at once on 30 slots"),
        (RegimeReason.LONG_DRAIN, "Sending took 2.5 s, starting the rest another 14.3 s: 851"),
        (RegimeReason.TOO_SHORT, "Sending took 2.5 s, not even 5 polls"),
        (RegimeReason.CAUGHT_UP, "The queue fell far behind while tasks were sent"),
        (RegimeReason.MORE_OFFERED, "The load offered fills 70 slots and there are 30"),
    ],
)
def test_every_reason_of_a_regime_has_its_sentence(reason: RegimeReason, start: str) -> None:
    run = saturated()
    assert run.summary.regime is not None
    regime = replace(
        run.summary.regime,
        reason=reason,
        arrival_rate_per_s=400.0,
        served_per_s=60.0,
        backlog_late=851.0,
        send_span_s=2.5,
        start_span_s=14.3,
        offered_load=70.0,
    )
    said = regime_because(replace(run, summary=replace(run.summary, regime=regime)))
    assert said.startswith(start)
    assert said.endswith(".")


def test_an_offered_rate_is_told_to_one_who_sent_faster_than_the_queue() -> None:
    run = saturated()
    assert run.summary.regime is not None
    regime = replace(run.summary.regime, arrival_rate_per_s=400.0)
    words = say(replace(run, summary=replace(run.summary, regime=regime)))
    assert words.gists["queue_wait"] == (
        "not judged: 400/s offered, more than it can take. Try --rate 40/s"
    )


def a_ceiling(name: CeilingName, **inputs: float) -> Ceiling:
    units = {"d": "s", "E[S]": "s", "s": "s", "b": "s", "C": "s", "CPU": "s", "Redis CPU": "s"}
    return Ceiling(
        name=name,
        throughput_per_s=60.0,
        formula="",
        inputs=tuple(
            Input(name=each, value=value, unit=units.get(each, ""), source="measured")
            for each, value in inputs.items()
        ),
    )


@pytest.mark.parametrize(
    ("ceiling", "said"),
    [
        (
            a_ceiling(CeilingName.POLL_DELAY, d=0.5),
            "Limited by poll_delay: free slots are refilled only every 0.5 s.",
        ),
        (
            a_ceiling(CeilingName.MAX_JOBS, max_jobs=30, **{"E[S]": 0.17}),
            "Limited by max_jobs: all 30 slots are taken, for 170 ms by a task.",
        ),
        (
            a_ceiling(CeilingName.QUEUE_READ_LIMIT, Q=150, d=0.5),
            "Limited by queue_read_limit: a poll reads no more than 150 tasks, every 0.5 s.",
        ),
        (
            a_ceiling(CeilingName.FLEET_QUEUE_READ_LIMIT, Q=100, k=8),
            f"Limited by {PAGE}: 8 workers read the same 100 tasks, so no more can run.",
        ),
        (
            a_ceiling(CeilingName.START_ROUND_TRIPS, s=0.0012),
            "Limited by start_round_trips: a worker starts one task after another, 1.2 ms each.",
        ),
        (
            a_ceiling(CeilingName.EVENT_LOOP, C=0.001, b=0.01),
            "Limited by event_loop: a task holds its worker's only thread for 10 ms.",
        ),
        (
            a_ceiling(CeilingName.EVENT_LOOP, C=0.001),
            "Limited by event_loop: a task holds its worker's only thread for 1 ms.",
        ),
        (
            a_ceiling(CeilingName.PROCESS_POOL, children=2, **{"pool CPU": 0.15}),
            "Limited by process_pool: 2 processes run one task at a time, 150 ms of CPU each.",
        ),
        (
            a_ceiling(CeilingName.CPU, cores=2, C=0.001),
            "Limited by cpu: a task takes 1 ms of CPU, and there are 2 cores.",
        ),
        (
            a_ceiling(CeilingName.REDIS, **{"Redis CPU": 0.0002}),
            "Limited by redis: its one thread spends 0.2 ms on a task.",
        ),
    ],
)
def test_every_ceiling_has_its_sentence(ceiling: Ceiling, said: str) -> None:
    limit = replace(saturated().bottleneck, ceilings=(ceiling,))
    assert limited_by(limit, reached=True) == said


def test_a_limit_that_is_not_known_is_said_to_be() -> None:
    nothing = replace(saturated().bottleneck, ceilings=(), missing=())
    assert limited_by(nothing, reached=True) == "What limits this queue is not known."
    nobody = findings(samples(waves(9)), of=fleet(0))
    assert limited_by(nobody.bottleneck, reached=True).startswith("No worker described itself")
    load_only = replace(saturated().bottleneck, ceilings=(a_ceiling(CeilingName.ARRIVALS),))
    assert limited_by(load_only, reached=False) == "Limited by arrivals: 60/s were offered."


def test_a_change_is_one_sentence() -> None:
    change = saturated().bottleneck.change
    assert change is not None
    assert change_sentence(change).startswith("Change poll_delay 0.5 → 0.05: predicted 1")


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (20.0, "20/s is 33 % of 60/s: it should keep up."),
        (59.0, "it keeps up only with luck"),
        (90.0, "90/s is 150 % of 60/s, which poll_delay allows: it cannot keep up."),
    ],
)
def test_whether_a_rate_fits_is_said(rate: float, said: str) -> None:
    assert said in fit_sentence(rate, found=saturated().bottleneck)


def test_whether_a_rate_fits_an_unknown_queue_is_not_known() -> None:
    nothing = replace(saturated().bottleneck, ceilings=())
    assert fit_sentence(20.0, found=nothing).startswith("Whether it fits is not known")


@pytest.mark.parametrize(
    ("status", "counts", "said"),
    [
        (RunStatus.CANCELLED, {"cancelled": 180}, "Cancelled after 200 of 200 tasks."),
        (RunStatus.FAILED, {"cancelled": 180}, "The run failed after 200 of 200 tasks."),
        (RunStatus.TIMED_OUT, {"lost": 180}, "Timed out: 180 of 200 tasks have no result."),
    ],
)
def test_a_run_that_did_not_complete_says_how_it_ended(
    status: RunStatus, counts: dict[str, int], said: str
) -> None:
    run = findings(samples(waves(2)), status=status, **counts)
    assert headline(run) == said
    assert say(run).recommendations == tuple(each.sentence for each in run.recommendations)


def test_nothing_completed_is_no_throughput() -> None:
    failed = samples(waves(10), failed=np.ones(100, dtype=bool))
    run = findings(failed, failures=(("ValueError", 100),))
    assert headline(run) == "No task was completed: all 100 failed (ValueError)."
    assert headline(findings(failed)) == "No task was completed: all 100 failed."
    gone = findings(samples(np.empty(0)), lost=100)
    assert headline(gone) == "Nothing came back: 100 of 100 tasks have no result."
    assert headline(findings(samples(np.empty(0)))) == (
        "0 tasks ended: too few to say how fast the queue is."
    )
    instant = findings(samples([0.0], execution_s=0.0))
    assert headline(instant) == "1 task ended: too few to say how fast the queue is."
    unstamped = findings(samples(np.empty(0)))
    finished = replace(unstamped.summary, accounting=replace(unstamped.accounting, completed=9))
    assert headline(replace(unstamped, summary=finished)) == (
        "9 tasks ended, none at an instant that can be: no telling how fast the queue is."
    )
    before = findings(samples([0.1, 0.2], enqueued_s=9.0))
    assert headline(before).startswith("2 tasks ended, by their clocks before they were sent")
    assert say(gone).recommendations != ()
    assert say(findings(samples(np.empty(0)))).recommendations == ()


def test_a_limit_that_no_setting_lifts_is_said() -> None:
    known = constants(loop_cpu_s=1.0, pool_cpu_s=65.0)
    of = fleet(max_jobs=30, pool_processes=4, poll_delay_s=0.05, **SAFE)
    run = findings(samples(np.arange(1200) / 60, execution_s=0.065), of=of, known=known)
    assert say(run).recommendations == (
        "No single setting is sure to lift it: cpu limits at 61/s.",
    )
    mixed = say(replace(findings(samples(waves(1, slots=30))), recommendations=()))
    assert mixed.recommendations == ("Nothing to change was found in this run.",)


@pytest.mark.parametrize(
    ("reached", "limit"),
    [
        (41.0, "41/s is well below the lowest ceiling, poll_delay at 60/s: something else limits"),
        (90.0, "90/s is well above the lowest ceiling, poll_delay at 60/s: an input of it was not"),
    ],
)
def test_a_run_far_from_every_law_says_so(reached: float, limit: str) -> None:
    run = saturated()
    far = replace(run, bottleneck=run.bottleneck.beside(reached_per_s=reached), recommendations=())
    assert far.bottleneck.change is None
    words = say(far)
    assert words.gists["bottleneck"].startswith(limit)
    assert words.recommendations == (
        "No change is proposed: what limits this queue is not in the ceilings.",
    )
    assert words.gists["answer"] == "60 tasks/s."


def test_too_short_a_burst_names_no_limit_that_it_reached() -> None:
    run = saturated()
    short = replace(run, summary=replace(run.summary, steady=None, overall_throughput_per_s=48.0))
    words = say(short)
    assert words.headline == "48 tasks/s over the whole run, too short for a steady state."
    assert words.gists["answer"] == "48 tasks/s."
    assert words.gists["bottleneck"].startswith("Would be limited by poll_delay at 60/s: ")


def test_what_a_trial_was_promised() -> None:
    change = saturated().bottleneck.change
    assert change is not None
    assert promised(change, now_per_s=60.0) == (
        "The laws promise 120/s instead of 60/s (2.0×), then limited by poll_delay."
    )


def test_a_trial_at_a_rate_promises_no_throughput() -> None:
    change = saturated().bottleneck.change
    assert change is not None
    assert promised_at_rate(change, now_per_s=60.0) == (
        "At this rate the queue keeps up as it is; the laws promise the average task done 225 ms"
        " sooner, and room for 120/s instead of 60/s."
    )
    slower = replace(change, setting="max_jobs", old=30, new=60)
    assert promised_at_rate(slower, now_per_s=60.0).endswith(
        "promise room for 120/s instead of 60/s."
    )


def test_a_run_near_its_law_keeps_what_is_proposed() -> None:
    run = saturated()
    near = run.bottleneck.beside(reached_per_s=58.0)
    assert near.change == run.bottleneck.change is not None
    assert near.reached_share == pytest.approx(58 / 60, rel=0.01)
    assert limited_by(near, reached=True).startswith("Limited by poll_delay: ")


def test_a_rate_under_full_load_is_told_from_that_of_the_whole_run() -> None:
    run = saturated()
    slow_start = replace(run, summary=replace(run.summary, overall_throughput_per_s=48.0))
    assert headline(slow_start) == "60 tasks/s under full load (48 over the whole run)."


def test_closed_folds_answer_too() -> None:
    made = samples(waves(34, slots=30), failed=np.arange(1020) % 500 == 0)
    gists = say(findings(made, failures=(("ValueError", 3),))).gists
    assert gists["failures"] == "0.3 % failed, 3 of 1020, most often ValueError."
    assert gists["accounting"] == "1020 sent: 1017 completed, 3 failed."
    assert gists["task_metrics"] == "Run time p50 200 ms, p95 200 ms, p99 200 ms, n 1020."
    assert gists["distribution"] == "Every task took 200 ms."
    assert gists["timeline"] == "Sent at once, drained in 16.8 s; up to 982 tasks waited."
    assert gists["poll_cycle"] == (
        "Slots are in use 40 % of the time: tasks take 200 ms, then their slot idles until the"
        " next poll."
    )
    assert gists["metrics"] == "60.4/s completed over 16.8 s, 59.9/s without warm-up and drain."
    assert gists["environment"] == "1 worker, 30 slots."
    assert gists["recommendations"].startswith("Change poll_delay")
    assert all(gists.values())


def test_sections_of_which_nothing_is_known_have_no_gist() -> None:
    gists = say(findings(samples(np.empty(0)), of=fleet(0), lost=5)).gists
    assert set(gists) == {"bottleneck", "recommendations", "accounting", "environment"}
    assert gists["accounting"] == "5 sent: 5 lost."
    assert gists["environment"] == "No worker described itself."
    few = say(findings(samples([0.1, 0.35], execution_s=[0.2, 0.3]), of=fleet(0))).gists
    assert few["distribution"] == "From 200 ms to 300 ms."
    assert few["task_metrics"].startswith("Run time p50 200 ms")
    one = say(findings(samples([0.1]))).gists
    assert one["task_metrics"] == "Run time average 200 ms, n 1."
    assert say(findings(samples([0.0], execution_s=0.0))).gists["failures"] == (
        "None of 1 task failed."
    )


def test_a_poll_cycle_of_another_limit_tells_only_how_busy_slots_are() -> None:
    gists = say(kept_up()).gists
    assert gists["poll_cycle"].startswith("Slots are in use 23 % of the time, the mean of ")


def test_pressure_names_its_numbers() -> None:
    assert pressure_because(saturated().summary) == (
        "Queue pressure is high: more was offered than the queue serves."
    )
    assert pressure_because(kept_up().summary).startswith(
        "Queue pressure is low: slots in use 23 %, queue wait 0.4 times"
    )
    assert pressure_because(findings(samples(np.empty(0))).summary).startswith(
        "Queue pressure is unrated"
    )
    unserved = findings(samples(waves(1)), of=fleet(0)).summary
    assert "slots in use unknown" in pressure_because(unserved)


def test_what_is_said_of_nothing_is_nothing() -> None:
    assert regime_because(findings(samples(np.empty(0)))) == ""
    words = say(findings(samples(np.empty(0)), of=fleet(0)))
    assert isinstance(words, Words)
    assert words.because is None


def test_a_verdict_without_a_comparison_is_no_clause() -> None:
    other = Judgement(
        kind=BaselineKind.FILE, verdict=Verdict.INCOMPARABLE, because="Not the same workload."
    )
    assert headline(saturated(judgement=other)) == "60 tasks/s."
