"""One test per rule: it fires with its evidence and not without."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made_runs import constants, fleet, paced, samples, summary_of, waves, workload
from simulated_worker import SimulatedWorker, Simulation

from runs.analysis.advice import Evidence, Recommendation
from runs.analysis.bottleneck import bottleneck
from runs.analysis.constants import Constants, service_times
from runs.analysis.fleet import Fleet
from runs.analysis.recommendations import RULES, recommend
from runs.analysis.samples import Samples
from runs.analysis.workload import Workload

KNOWN = constants(
    start_s=1, skip_s=0.4, overhead_s=3, loop_cpu_s=0.95, redis_cpu_s=0.2, shared_cpu_s=0.4
)
SAFE = {"keep_result_s": 60.0, "retries_os_errors": True, "job_timeout_s": 600.0}


def evidence(
    made: Samples,
    *,
    of: Fleet | None = None,
    load: Workload | None = None,
    known: Constants = KNOWN,
    **counts: int,
) -> Evidence:
    served = fleet(max_jobs=30, **SAFE) if of is None else of
    load = load or workload(made.n)
    summary = summary_of(made, of=served, load=load, **counts)
    return Evidence(
        summary=summary,
        bottleneck=bottleneck(
            served,
            service=service_times(made) if made.n else None,
            constants=known,
            offered_rate_per_s=load.offered_rate_per_s,
        ),
        workload=load,
        fleet=served,
        constants=known,
    )


def saturated(**settings: Any) -> Evidence:
    return evidence(samples(waves(40, slots=30)), of=fleet(max_jobs=30, **{**SAFE, **settings}))


def kept_up(
    rate: float = 30,
    *,
    poll_delay_s: float = 0.05,
    task_s: float = 0.2,
    load: Workload | None = None,
    **settings: Any,
) -> Evidence:
    n = round(rate * 60)
    run = Simulation(
        workers=[SimulatedWorker(max_jobs=30, poll_delay_s=poll_delay_s, phase_s=0.02)],
        durations_s=[task_s] * n,
        sent_s=(np.arange(n) / rate).tolist(),
    ).run()
    of = fleet(max_jobs=30, poll_delay_s=poll_delay_s, **{**SAFE, **settings})
    return evidence(run.samples(burst=False), of=of, load=load or paced(rate, duration_s=60))


def named(found: tuple[Recommendation, ...]) -> list[str]:
    return [each.name for each in found]


def one(of: Evidence, name: str) -> Recommendation:
    return next(each for each in recommend(of) if each.name == name)


def test_a_sound_run_is_told_nothing() -> None:
    assert recommend(kept_up()) == ()


def test_every_rule_is_silent_without_its_evidence() -> None:
    sound = kept_up()
    assert [rule(sound) for rule in RULES] == [None] * len(RULES)


def test_the_change_that_the_laws_propose_comes_with_its_prediction() -> None:
    found = recommend(saturated())
    assert named(found) == ["poll_delay"]
    assert found[0].sentence.startswith("Change poll_delay 0.5 → 0.05: predicted 120/s (2.0×)")
    assert found[0].expected_gain == pytest.approx(1.0, rel=0.05)
    assert found[0].evidence == "poll_delay limits at 60/s"


def test_nothing_is_proposed_for_a_queue_that_keeps_up() -> None:
    slow = kept_up(5, poll_delay_s=0.5, task_s=2.0)
    assert slow.bottleneck.change is None
    assert "poll_delay" not in named(recommend(slow))


def test_waiting_for_polls_is_worth_shortening_where_it_is_much_of_the_whole() -> None:
    found = one(kept_up(10, poll_delay_s=0.5), "poll_delay")
    assert found.action == "Change poll_delay 0.5 → 0.05"
    assert "0.25 s of" in found.evidence
    assert found.expected_gain is None


def test_lost_tasks_come_first_and_name_the_time_a_killed_worker_holds_them() -> None:
    of = evidence(samples(waves(40, slots=30)), lost=7)
    found = recommend(of)
    assert found[0].name == "lost_tasks"
    assert "610 s" in found[0].reason
    assert found[0].evidence == "7 of 1207 tasks lost"
    unlimited = evidence(
        samples(waves(40, slots=30)), of=fleet(max_jobs=30, job_timeout_s=None), lost=7
    )
    assert one(unlimited, "lost_tasks").action == "Find out what became of the lost tasks"


def test_failures_come_before_figures() -> None:
    made = samples(waves(40, slots=30), failed=np.arange(1200) % 20 == 0)
    assert one(evidence(made), "failures").evidence == "5 % of 1200 tasks failed"
    few = samples(waves(40, slots=30), failed=np.arange(1200) == 0)
    assert "failures" not in named(recommend(evidence(few)))


def test_executions_near_their_timeout() -> None:
    found = one(saturated(job_timeout_s=0.21), "job_timeout")
    assert found.evidence == "the longest took 200 ms, job_timeout is 210 ms"
    assert "job_timeout" not in named(recommend(saturated(job_timeout_s=None)))


def test_retries_eat_throughput() -> None:
    found = one(evidence(samples(waves(40, slots=30)), retries=400), "retries")
    assert found.expected_gain == pytest.approx(400 / 1200)
    assert found.evidence == "25 % of 1600 attempts were repeats"
    assert "retries" not in named(recommend(evidence(samples(waves(40, slots=30)), retries=1)))


def test_work_in_the_event_loop() -> None:
    known = constants(start_s=1, skip_s=0.4, blocking_s=10.5, loop_cpu_s=11.5)
    made = samples(np.arange(1200) * 0.0115, execution_s=0.0105)
    found = one(evidence(made, known=known), "event_loop")
    assert "10 ms of every task block the loop" in found.evidence
    assert found.expected_gain is not None
    assert found.expected_gain > 1
    elsewhere = constants(start_s=1, skip_s=0.4, blocking_s=10.5)
    limited = evidence(samples(waves(40)), of=fleet(poll_delay_s=0.5, **SAFE), known=elsewhere)
    lame = replace(
        limited, bottleneck=replace(limited.bottleneck, ceilings=limited.bottleneck.ceilings[:1])
    )
    assert one(lame, "event_loop").expected_gain is None


def test_slots_beyond_the_page_stay_empty() -> None:
    of = fleet(8, max_jobs=20, **SAFE)
    found = one(kept_up_on(of), "fleet_queue_read_limit")
    assert found.evidence == "160 slots, queue_read_limit 100"
    assert found.action == "Raise queue_read_limit above 160"


def kept_up_on(of: Fleet) -> Evidence:
    sent = np.arange(300) / 5
    made = samples(sent + 0.02, enqueued_s=sent, burst=False)
    return evidence(made, of=of, load=paced(5, duration_s=60))


def test_batches_larger_than_the_slots_make_their_own_queue() -> None:
    load = workload(1200, batch_size=60, delay_s=3.0)
    sent = np.arange(1200) // 60 * 3.0
    started = sent + 0.02 + (np.arange(1200) % 60 // 30) * 0.25
    made = samples(started, enqueued_s=sent, burst=False)
    of = fleet(max_jobs=30, poll_delay_s=0.05, **SAFE)
    found = one(evidence(made, of=of, load=load), "batch_size")
    assert found.action == "Send 30 tasks every 1.5 s"
    assert found.evidence == "batches of 60 on 30 slots"
    small = workload(1200, batch_size=20, delay_s=1.0)
    assert "batch_size" not in named(recommend(evidence(made, of=of, load=small)))


def test_a_run_over_a_few_polls_is_too_short() -> None:
    found = one(evidence(samples(waves(4, slots=30))), "too_few_tasks")
    assert found.action == "Send at least 1000 tasks"
    assert found.evidence == "120 tasks in 1.83 s, a poll every 0.5 s"
    assert "too_few_tasks" not in named(recommend(saturated()))
    failed = samples(waves(4, slots=30), failed=np.ones(120, dtype=bool))
    assert one(evidence(failed), "too_few_tasks").action == "Send at least 300 tasks"


def test_kept_results_fill_redis() -> None:
    found = one(saturated(keep_result_s=86_400.0), "keep_result")
    assert "1638 MB" in found.reason
    assert "keep_result" not in named(recommend(saturated(keep_result_s=3600.0)))


def test_settings_that_end_a_worker() -> None:
    found = named(recommend(saturated(keep_result_forever=True, retries_os_errors=False)))
    assert found[-2:] == ["keep_result_forever", "retry_on_error"]
    assert "retry_on_error" not in named(recommend(saturated(retries_os_errors=None)))


def test_what_brings_more_stands_before_what_brings_less() -> None:
    found = recommend(evidence(samples(waves(40, slots=30)), retries=400, lost=3))
    assert named(found)[:3] == ["lost_tasks", "poll_delay", "retries"]


def test_nobody_is_advised_about_nothing() -> None:
    nothing = evidence(samples(np.empty(0)), of=fleet(0))
    assert recommend(nothing) == ()
    unserved = evidence(samples(waves(40)), of=fleet(0))
    assert all(each.sentence for each in recommend(unserved))
