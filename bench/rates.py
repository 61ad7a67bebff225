"""Is a rate kept, and how late is a task sent? Runs at a rate through the daemons.

    python bench/rates.py [--rate 1000] [--duration 20]

One run with evenly spaced arrivals and one with Poisson arrivals, each launched with --no-wait and
sent by a dispatcher process, while a worker and a collector work beside it. From the rows: the rate
achieved, (n − 1) / (last − first enqueued), and the dispatch lag, enqueued − intended. arq stamps
whole milliseconds. Poisson arrivals: a Kolmogorov-Smirnov test of the gaps between the stored
intended arrivals against the exponential distribution.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "acceptance"))

from survival import Loadlab, a_loadlab

INSTANTS = """
SELECT extract(epoch FROM intended_at)::float8, extract(epoch FROM enqueued_at)::float8
FROM runs_taskmetric WHERE task_id LIKE %s ORDER BY sequence
"""


def main() -> None:
    """Print a block for each arrival model."""
    options = _options()
    with a_loadlab(("dispatcher", "collector", "worker")) as lab:
        _run(lab, rate=100, duration=1, arrival="constant")  # everything is imported and connected
        for arrival in ("constant", "poisson"):
            busy = os.getloadavg()[0]
            test_id = _run(lab, rate=options.rate, duration=options.duration, arrival=arrival)
            print(f"{arrival} {options.rate:g}/s for {options.duration:g} s (load average {busy})")
            _report(lab, test_id, rate=options.rate, arrival=arrival)


def _run(lab: Loadlab, *, rate: float, duration: float, arrival: str) -> str:
    test_id = lab.command(
        *("load_test", "run", "--type", "noop", "--no-wait", "--arrival", arrival),
        *("--rate", f"{rate}/s", "--duration", f"{duration}s"),
    )
    lab.wait_for_end(test_id, within_s=120 + 5 * duration)
    return test_id


def _report(lab: Loadlab, test_id: str, *, rate: float, arrival: str) -> None:
    rows = lab.sql(INSTANTS, f"{test_id}-%")
    intended, enqueued = np.array(rows, dtype=np.float64).T
    achieved = (len(rows) - 1) / (enqueued.max() - enqueued.min())
    asked = (len(rows) - 1) / (intended.max() - intended.min())
    lag_ms = (enqueued - intended) * 1000
    p50, p99 = np.percentile(lag_ms, [50, 99])
    off = 100 * (achieved / asked - 1)
    print(
        f"  {len(rows)} tasks, achieved {achieved:.2f}/s of {asked:.2f}/s ({off:+.2f} %, aim 1 %)"
    )
    print(
        f"  dispatch lag p50 {p50:.1f} ms, p99 {p99:.1f} ms (aim 25), max {lag_ms.max():.1f} ms,"
        f" min {lag_ms.min():.1f} ms"
    )
    if arrival == "poisson":
        from scipy import stats

        test = stats.kstest(np.diff(intended), "expon", args=(0, 1 / rate))
        print(f"  gaps against exponential: KS D = {test.statistic:.4f}, p = {test.pvalue:.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--duration", type=float, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    main()
