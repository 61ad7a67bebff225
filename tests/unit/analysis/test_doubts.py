"""What casts doubt on a run's measurement, and on a side of several runs."""

from dataclasses import replace

import pytest
from made_runs import accounting, fleet, paced, samples, summary_of, waves, workload

from runs.analysis.document import ReportedRun
from runs.analysis.doubts import doubts, doubts_of_side, group_doubts
from runs.analysis.figures import TimeFigures
from runs.analysis.fleet import Fleet
from runs.analysis.judged_figures import RunFigures
from runs.analysis.little import LittleCheck
from runs.analysis.summary import Summary
from runs.analysis.workload import Workload

SOUND = summary_of(samples(waves(20)))
RATE = paced(40, duration_s=10)


def said(summary: Summary = SOUND, *, load: Workload | None = None, of: Fleet | None = None) -> str:
    return "; ".join(doubts(summary, workload=load or workload(), fleet=of or fleet()))


def times(p50_s: float, p99_s: float) -> TimeFigures:
    return TimeFigures(n=400, avg_s=p50_s, p50_s=p50_s, p95_s=p99_s, p99_s=p99_s)


def late(lag_s: float, *, felt_s: float = 0.4, offered: float = 1.0) -> Summary:
    return replace(
        SOUND,
        dispatch_lag=times(lag_s / 2, lag_s),
        sojourn=times(felt_s, 2 * felt_s),
        offered_share=offered,
    )


def test_a_sound_run_is_not_doubted() -> None:
    assert said() == ""
    assert said(late(0.05), load=RATE) == ""


@pytest.mark.parametrize(
    ("jobs", "sentence"),
    [(1, "1 job of others stood on the queue"), (12, "12 jobs of others stood on the queue")],
)
def test_jobs_of_others_are_counted(jobs: int, sentence: str) -> None:
    assert said(of=fleet(of={"foreign_jobs": jobs})) == sentence


def test_what_is_left_after_losses_is_a_selection() -> None:
    lossy = replace(SOUND, accounting=accounting(170, lost=30))
    assert said(lossy) == "30 of 200 tasks were lost, so the rest is a selection"


def test_a_load_that_was_not_offered_is_not_what_was_measured() -> None:
    assert said(late(0.5, offered=0.8), load=RATE) == "only 80% of the load asked for was sent"
    assert said(late(0.5), load=RATE) == "tasks were sent late: p99 of the dispatch lag is 500 ms"
    assert said(late(0.5, felt_s=10.0), load=RATE) == ""
    assert said(late(0.5)) == ""  # everything at once: nothing was due at a time of its own
    assert said(replace(late(0.5), dispatch_lag=TimeFigures(n=3)), load=RATE) == ""
    assert said(replace(late(0.05), offered_share=None), load=RATE) == ""


def test_a_fleet_that_changed_is_no_one_fleet() -> None:
    assert said(of=fleet(of={"changed": True})) == "workers came or went during the run"


def test_data_that_disagree_with_themselves() -> None:
    wrong = replace(SOUND, little=LittleCheck(counted=20.0, expected=10.0))
    assert said(wrong) == (
        "the data disagree with themselves: 20.0 tasks were in the system, and throughput times"
        " duration gives 10.0 (Little's law)"
    )
    assert said(replace(SOUND, little=None)) == ""


def test_the_weightiest_comes_first() -> None:
    lossy = replace(SOUND, accounting=accounting(170, lost=30))
    found = said(lossy, of=fleet(of={"foreign_jobs": 1, "changed": True}))
    assert [found.index(word) for word in ("others", "lost", "workers")] == sorted(
        found.index(word) for word in ("others", "lost", "workers")
    )


def test_a_group_is_as_doubtful_as_its_runs() -> None:
    assert group_doubts(doubtful=0, environments=1, runs=5) == []
    assert group_doubts(doubtful=1, environments=2, runs=5) == [
        "1 of the 5 runs is doubtful",
        "the runs of the group were not served alike",
    ]
    assert group_doubts(doubtful=2, environments=1, runs=5) == ["2 of the 5 runs are doubtful"]


def reported(status: str = "completed", *, doubts: tuple[str, ...] = ()) -> ReportedRun:
    return ReportedRun(
        figures=RunFigures(run_id="lt_1"),
        status=status,
        configuration={},
        environment={},
        doubts=doubts,
    )


def test_a_side_says_which_of_its_runs_are_no_samples() -> None:
    assert doubts_of_side("A", runs=[reported()] * 3) == []
    assert doubts_of_side("A", runs=[reported("timed_out", doubts=("it rained",))]) == [
        "A is timed out",
        "A: it rained",
    ]
    mixed = [reported("cancelled"), reported(doubts=("it rained",)), reported()]
    assert doubts_of_side("A", runs=mixed) == [
        "1 of the 3 runs of A did not complete",
        "1 of the 3 runs of A is doubtful",
    ]
    assert doubts_of_side("A", runs=[*mixed, reported(doubts=("it snowed",))])[1:] == [
        "2 of the 4 runs of A are doubtful"
    ]
