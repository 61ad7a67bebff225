"""Are verdicts calibrated? Simulates unchanged and slowed runs and counts what they are called.

    python bench/verdict_calibration.py [--replications 2000]

Every replication is judged by the code that judges real runs: four figures (throughput, p50 and p95
execution time, failure rate) with independent run-to-run noise, the worst case for calling one of
them changed by chance. Printed per cell: how often an unchanged run is called regressed or improved
(at most 5 %), how often it is called unchanged, and beside it how often a true slow-down of 10 % is
called regressed.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from runs.analysis.comparison import compare
from runs.analysis.effects import Spread
from runs.analysis.history import PastRun, change_points, history_baseline
from runs.analysis.judged_figures import RunFigures
from runs.analysis.judgement import judge
from runs.analysis.verdicts import Verdict

CVS = (0.01, 0.03, 0.05)
GROUPS = (1, 3, 5)
HISTORIES = (3, 8, 20)
TASKS = 1000
FAILURE_RATE = 0.002
SLOW_DOWN = 1.10
NAMES = ("overall_throughput", "p50_execution_time_ms", "p95_execution_time_ms")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What makes runs vary."""

    cv: float
    slower: float = 1.0
    autocorrelation: float = 0.0

    def groups(self, n: int, *, of: int, rng: np.random.Generator) -> Iterator[list[RunFigures]]:
        """n groups of `of` runs in a row: lognormal figures, beta-binomial failures."""
        noise = rng.standard_normal((n, of, 3))
        for i in range(1, of):
            fresh = np.sqrt(1 - self.autocorrelation**2)
            noise[:, i] = self.autocorrelation * noise[:, i - 1] + fresh * noise[:, i]
        typical = np.array([60 / self.slower, 171 * self.slower, 251 * self.slower])
        failed = rng.binomial(TASKS, rng.beta(2, 2 / FAILURE_RATE - 2, (n, of)))
        figures = typical * np.exp(self.cv * noise)
        for group, failures in zip(figures.tolist(), failed.tolist(), strict=True):
            yield [_run(row, failed=count) for row, count in zip(group, failures, strict=True)]


def _run(figures: list[float], *, failed: int) -> RunFigures:
    return RunFigures(
        run_id="simulated",
        regime="saturated",
        values=dict(zip(NAMES, figures, strict=True)),
        completed=TASKS - failed,
        failed=failed,
        total_duration_s=16.8,
    )


def _pairs(
    *, now: Machine, before: Machine, k: int, n: int, replications: int, seed: int
) -> Iterator[tuple[list[RunFigures], list[RunFigures]]]:
    rng = np.random.default_rng(seed)
    return zip(
        now.groups(replications, of=k, rng=rng),
        before.groups(replications, of=n, rng=rng),
        strict=True,
    )


def against_history(**shape: Any) -> dict[str, float]:
    """Groups of k runs against histories of n."""
    return _shares(
        compare(now, before=before, spread=Spread.SHARED).verdict for now, before in _pairs(**shape)
    )


def groups(**shape: Any) -> dict[str, float]:
    """Groups of k repeats against groups of n."""
    return _shares(
        compare(now, before=before, spread=Spread.OWN).verdict for now, before in _pairs(**shape)
    )


def whole_way(**shape: Any) -> dict[str, float]:
    """As a stored history is judged: change points, baseline, verdict."""
    judged = (
        judge(now, baseline=baseline)
        for now, before in _pairs(**shape)
        if (baseline := history_baseline(_past(before)))
    )
    return _shares(judgement.verdict for judgement in judged)


def alarms(*, machine: Machine, n: int, replications: int, seed: int) -> float:
    """How many unchanging histories of n runs get a change point in any of their four figures."""
    histories = machine.groups(replications, of=n, rng=np.random.default_rng(seed))
    return sum(bool(change_points(_past(runs))) for runs in histories) / replications


def noticed(*, cv: float, after: int, replications: int, seed: int) -> tuple[float, float]:
    """How many slow-downs after 20 runs are found, and how many at the right run ± 1."""
    pairs = _pairs(
        before=Machine(cv=cv),
        now=Machine(cv=cv, slower=SLOW_DOWN),
        n=20,
        k=after,
        replications=replications,
        seed=seed,
    )
    found = [change_points(_past([*before, *now])) for now, before in pairs]
    placed = sum(any(abs(point.index - 20) <= 1 for point in points) for points in found)
    return sum(map(bool, found)) / replications, placed / replications


def _past(runs: list[RunFigures]) -> list[PastRun]:
    return [PastRun(figures=run, at=NOON + timedelta(hours=i)) for i, run in enumerate(runs)]


def _shares(verdicts: Iterator[Verdict]) -> dict[str, float]:
    found = [verdict.value for verdict in verdicts]
    return {verdict.value: found.count(verdict.value) / len(found) for verdict in Verdict}


def _table(
    pool: ProcessPoolExecutor,
    kind: Callable[..., dict[str, float]],
    *,
    cells: list[tuple[float, int, int]],
    replications: int,
    noisier: float = 1.0,
    autocorrelation: float = 0.0,
) -> float:
    """Prints a table; returns the highest share of false changes in it."""
    jobs = []
    for seed, (cv, k, n) in enumerate(cells):
        shape: dict[str, Any] = {
            "before": Machine(cv=cv, autocorrelation=autocorrelation),
            "k": k,
            "n": n,
            "seed": seed,
        }
        same = pool.submit(
            kind,
            now=Machine(cv=cv * noisier, autocorrelation=autocorrelation),
            replications=replications,
            **shape,
        )
        slow = pool.submit(
            kind,
            now=Machine(cv=cv * noisier, slower=SLOW_DOWN, autocorrelation=autocorrelation),
            replications=max(1, replications // 8),
            **shape,
        )
        jobs.append((cv, k, n, same, slow))
    print(
        f"{'CV':>5} {'group':>6} {'against':>8} {'called changed':>15} {'unchanged':>10}"
        f" {'+10 % regressed':>16}"
    )
    highest = 0.0
    for cv, k, n, same, slow in jobs:
        shares = same.result()
        changed = shares["regressed"] + shares["improved"]
        highest = max(highest, changed)
        print(
            f"{cv:5.0%} {k:6} {n:8} {changed:15.2%} {shares['unchanged']:10.1%}"
            f" {slow.result()['regressed']:16.1%}"
        )
    return highest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=2000)
    replications = parser.parse_args().replications
    few = max(1, replications // 8)
    started = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        unchanging = {
            (n, phi): pool.submit(
                alarms,
                machine=Machine(cv=0.03, autocorrelation=phi),
                n=n,
                replications=few,
                seed=n,
            )
            for n in (8, 20, 40)
            for phi in (0.0, 0.3)
        }
        slowed = {
            (cv, after): pool.submit(
                noticed, cv=cv, after=after, replications=few // 4 + 1, seed=after
            )
            for cv in CVS
            for after in (3, 5, 10)
        }
        print(f"Against a history, {replications} replications (power: an eighth)")
        cells = [(cv, k, n) for cv in CVS for k in GROUPS for n in HISTORIES]
        highest = _table(pool, against_history, cells=cells, replications=replications)

        print(f"\nGroup against group, {replications} replications")
        cells = [(cv, k, n) for cv in CVS for k, n in ((3, 3), (5, 5), (3, 5))]
        highest = max(highest, _table(pool, groups, cells=cells, replications=replications))

        print(f"\nThe whole way: change points, baseline, verdict; {few} replications")
        cells = [(cv, k, n) for cv in CVS for k, n in ((1, 20), (5, 20))]
        _table(pool, whole_way, cells=cells, replications=few)

        print(f"\nA group twice as noisy as its history, {few} replications")
        cells = [(0.03, k, n) for k in (3, 5) for n in HISTORIES]
        _table(pool, against_history, cells=cells, replications=few, noisier=2.0)

        print(f"\nSuccessive runs alike (autocorrelation 0.3), {few} replications")
        cells = [(0.05, k, n) for k in (3, 5) for n in (8, 20)]
        _table(pool, against_history, cells=cells, replications=few, autocorrelation=0.3)

        print(f"\nChange points in unchanging histories (four figures, CV 3 %), {few} replications")
        for n in (8, 20, 40):
            for phi in (0.0, 0.3):
                print(f"  {n:3} runs, autocorrelation {phi}: {unchanging[n, phi].result():.2%}")

        print("\nA slow-down of 10 % after 20 runs: found, and at the right run ± 1")
        for cv in CVS:
            for after in (3, 5, 10):
                found, placed = slowed[cv, after].result()
                print(f"  CV {cv:.0%}, {after:2} runs after it: {found:.0%}, {placed:.0%}")
    print(f"\nhighest share of unchanged runs called changed: {highest:.2%} (at most 5 %)")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
