"""Are verdicts right about real runs? Unchanged groups of repeats, and groups 10 % slower.

    python bench/verdicts_for_real.py [--groups 12] [--slowed 10] [--repeat 5] [--only bench_waits]

Real workers run one workload over and over: tasks that wait, whose times hardly vary, and tasks
that compute, whose times have the moods of the machine. Every group of repeats is judged by the
history of all unchanged runs before it, as a stored group is. Between the unchanged groups come
some whose tasks take 10 % longer by a setting of the worker alone, as after a worse revision; these
are forgotten again, so that the next one meets the same history. Beside the share that was called
regressed stands the simulated one: as many groups with the run-to-run CVs that were measured,
judged by the same code.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from _real_runs import own_servers, run_of

SLOWER = 1.1
HISTORY = 8
REPLICATIONS = 400
MOST_CHANGED = 1  # of 12 unchanged groups
LEAST_SEEN = 0.9
SETTINGS = {"LOADLAB_QUEUE_LOAD_TEST_MAX_JOBS": "10", "LOADLAB_QUEUE_LOAD_TEST_POLL_DELAY": "0.05"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A workload of about a second, and which of its figures a slower task makes worse."""

    task_type: str
    tasks: int
    slowed: tuple[str, ...]


WORK = (
    Work(
        task_type="bench_waits",
        tasks=100,
        slowed=("p50_execution_time_ms", "p95_execution_time_ms"),
    ),
    Work(
        task_type="bench_computes",
        tasks=50,
        slowed=(
            "steady_state_throughput",
            "overall_throughput",
            "p50_execution_time_ms",
            "p95_execution_time_ms",
        ),
    ),
)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What the groups of one workload were called."""

    work: Work
    unchanged: list[str] = field(default_factory=list)
    slowed: list[str] = field(default_factory=list)
    runs: list[Any] = field(default_factory=list)  # figures of the unchanged runs


async def judged(work: Work, *, repeat: int, slower: float = 1.0) -> tuple[str, list[Any]]:
    """The verdict on a group of repeats with a worker of its own, and its runs."""
    from runs.outages import in_database

    reports = await run_of(
        workers=1,
        settings=SETTINGS | {"LOADLAB_BENCH_SLOWER": f"{slower:g}"},
        task_type=work.task_type,
        num_tasks=work.tasks,
        batch_size=500,
        timeout_s=60.0,
        repeat=repeat,
    )
    verdict, because, runs = await in_database(_verdict, [each["test_id"] for each in reports])
    kind = "slower" if slower > 1 else "unchanged"
    print(f"  {work.task_type:15} {kind:9} {verdict:12} {because[:150]}", flush=True)
    return verdict, runs


def _verdict(test_ids: Sequence[str]) -> tuple[str, str, list[Any]]:
    from runs.baselines import judgement_of_group
    from runs.models import LoadTestRun

    runs = list(
        LoadTestRun.objects.filter(test_id__in=test_ids)
        .select_related("configuration__pinned_run")
        .order_by("pk")
    )
    judgement = judgement_of_group(runs)
    return judgement.verdict.value, judgement.because, runs


def _forget(runs: Sequence[Any]) -> None:
    for run in runs:
        run.delete()


async def tried(work: Work, *, groups: int, slowed: int, repeat: int) -> Outcome:
    """A history, then unchanged and slowed groups by turns."""
    from runs.analysis.document import run_figures
    from runs.outages import in_database

    outcome = Outcome(work=work)
    _, history = await judged(work, repeat=HISTORY)
    outcome.runs += [run_figures(run.figures) for run in history]
    for turn in range(max(groups, slowed)):
        if turn < groups:
            verdict, runs = await judged(work, repeat=repeat)
            outcome.unchanged.append(verdict)
            outcome.runs += [run_figures(run.figures) for run in runs]
        if turn < slowed:
            verdict, runs = await judged(work, repeat=repeat, slower=SLOWER)
            outcome.slowed.append(verdict)
            await in_database(_forget, runs)
    return outcome


def spread_of(runs: Sequence[Any]) -> dict[str, tuple[float, float]]:
    """Mean and run-to-run CV of each figure of these runs."""
    names = [name for name, value in runs[0].values.items() if value]
    found = {}
    for name in names:
        values = [run.values.get(name) for run in runs]
        if None not in values:
            found[name] = (fmean(values), stdev(values) / fmean(values))
    return found


def simulated_power(outcome: Outcome, *, repeat: int) -> float:
    """How often such a slow-down would be seen if runs varied by the CVs that were measured."""
    from runs.analysis.comparison import compare
    from runs.analysis.effects import Spread
    from runs.analysis.judged_figures import RunFigures

    spreads, rng = spread_of(outcome.runs), np.random.default_rng(0)
    like = outcome.runs[0]

    def runs(n: int, *, slower: float) -> list[RunFigures]:
        made = []
        for _ in range(n):
            values = {}
            for name, (mean, cv) in spreads.items():
                worse = slower if name in outcome.work.slowed else 1.0
                factor = 1 / worse if name.endswith("throughput") else worse
                values[name] = mean * factor * float(np.exp(cv * rng.standard_normal()))
            made.append(
                RunFigures(
                    run_id="simulated",
                    regime=like.regime,
                    values=values,
                    completed=like.completed,
                    failed=like.failed,
                    total_duration_s=like.total_duration_s,
                )
            )
        return made

    seen = [
        compare(
            runs(repeat, slower=SLOWER), before=runs(20, slower=1.0), spread=Spread.SHARED
        ).verdict
        == "regressed"
        for _ in range(REPLICATIONS)
    ]
    return sum(seen) / REPLICATIONS


def _said(outcome: Outcome, *, repeat: int) -> None:
    changed = sum(each in {"regressed", "improved"} for each in outcome.unchanged)
    seen = outcome.slowed.count("regressed")
    spreads = spread_of(outcome.runs)
    cvs = ", ".join(
        f"{name} {cv:.2%}" for name, (_, cv) in spreads.items() if name.startswith(_SAID)
    )
    print(f"\n{outcome.work.task_type}: {len(outcome.runs)} unchanged runs, CV of {cvs}")
    print(
        f"  unchanged groups of {repeat} called changed: {changed} of {len(outcome.unchanged)}"
        f" (at most {MOST_CHANGED} of 12); "
        + ", ".join(f"{outcome.unchanged.count(v)} {v}" for v in sorted(set(outcome.unchanged)))
    )
    if outcome.slowed:
        power = simulated_power(outcome, repeat=repeat)
        share = seen / len(outcome.slowed)
        allows = "the CV allows it" if power >= LEAST_SEEN else "the CV does not allow it"
        print(
            f"  10 % slower, {repeat} repeats, called regressed: {seen} of {len(outcome.slowed)},"
            f" {share:.0%} (aim {LEAST_SEEN:.0%}); simulated at these CVs {power:.0%}: {allows}"
        )


_SAID = ("steady_state_throughput", "p50_execution", "p95_execution")


async def main(works: Sequence[Work], *, groups: int, slowed: int, repeat: int) -> None:
    """All workloads, then the summary."""
    from asgiref.sync import sync_to_async
    from django.db import connections

    outcomes = [await tried(work, groups=groups, slowed=slowed, repeat=repeat) for work in works]
    await sync_to_async(connections.close_all)()
    for outcome in outcomes:
        _said(outcome, repeat=repeat)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--groups", type=int, default=12, help="unchanged ones")
    parser.add_argument("--slowed", type=int, default=10, help="10 %% slower ones")
    parser.add_argument("--repeat", type=int, default=5, help="runs in a group")
    parser.add_argument("--only", choices=[each.task_type for each in WORK], help="one workload")
    options = parser.parse_args()
    os.environ["LOADLAB_TASK_MODULES"] = "_slower_tasks"
    here = str(Path(__file__).resolve().parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (here, os.environ.get("PYTHONPATH", "")))
    )
    began = time.monotonic()
    with own_servers():
        asyncio.run(
            main(
                [each for each in WORK if options.only in {None, each.task_type}],
                groups=options.groups,
                slowed=options.slowed,
                repeat=options.repeat,
            )
        )
    print(f"{time.monotonic() - began:.0f} s")
