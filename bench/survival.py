"""Does a run survive its processes? Kills them at random, seeded moments and counts what is left.

    python bench/survival.py [--seeds 20] [--tasks 5000] [--large 50000] [--limit 840]

Two dispatchers, two collectors and two workers on servers of their own. In odd seeds dispatchers
and collectors are killed and started again, in even seeds workers too; then once more with many
tasks. Executions are counted by the tasks themselves, in Redis: a row could hide a second one.
`wrong` says what a line breaks of this: every task one row; every task executed once where no
worker was killed, and at most one in hand of each kill again where one was; no key of ours left in
Redis. A seed that did not fit into the limit is left out, and that is said.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "acceptance"))

from survival import Books, survive

DAEMONS = ("dispatcher", "collector")
EVERYBODY = (*DAEMONS, "worker")
SLOTS = 30  # of one worker: as many tasks may be in hand when it is killed


def main() -> int:
    """Print a line for each seed and one for all; 1 where anything was wrong."""
    options = _options()
    began = time.monotonic()
    found: list[tuple[Books, list[str]]] = []
    plan = [(seed, options.tasks) for seed in range(1, options.seeds + 1)]
    plan += [(seed, options.large) for seed in (options.seeds + 1,) if options.large]
    for seed, tasks in plan:
        if time.monotonic() - began > options.limit:
            print(f"seed {seed} and later ones left out: {options.limit:.0f} s are over")
            break
        roles = EVERYBODY if seed % 2 == 0 else DAEMONS
        books = survive(
            seed=seed, tasks=tasks, roles=roles, kills=_kills(tasks), within_s=options.patience
        )
        wrong = what_is_wrong(books, tasks=tasks)
        found.append((books, wrong))
        print(_line(books, seed=seed, tasks=tasks, wrong=wrong), flush=True)
    print(_summary(found))
    return int(any(wrong for _, wrong in found))


def what_is_wrong(books: Books, *, tasks: int) -> list[str]:
    """What these books break of the promise."""
    again = sum(books.executions[n] for n in books.executions if n > 1)
    workers = books.killed["worker"]
    checks = {
        "status": books.status == "completed",
        "rows": books.rows == books.distinct == tasks,
        "states": set(books.states) == {"completed"},
        "executions": sum(books.executions.values()) == tasks and again <= SLOTS * workers,
        "keys": books.keys_left == 0,
    }
    return [name for name, holds in checks.items() if not holds]


def _kills(tasks: int) -> int:
    """As many as fit into the time that sending takes, 20 ms for each 50 tasks."""
    return 6 if tasks <= 10_000 else 30


def _line(books: Books, *, seed: int, tasks: int, wrong: list[str]) -> str:
    executions = ", ".join(f"{count}x{times}" for times, count in sorted(books.executions.items()))
    killed = " ".join(f"{role} {count}" for role, count in sorted(books.killed.items()))
    return (
        f"seed {seed:3}: {books.status}, {books.rows} rows of {tasks} ({books.distinct} distinct), "
        f"executions {executions}, keys left {books.keys_left}, killed {killed}, "
        f"{books.seconds:.0f} s" + (f"  WRONG: {', '.join(wrong)}" if wrong else "")
    )


def _summary(found: list[tuple[Books, list[str]]]) -> str:
    killed: Counter[str] = Counter()
    executed = {"daemons": Counter[int](), "everybody": Counter[int]()}
    for books, _ in found:
        killed.update(books.killed)
        executed["everybody" if books.killed["worker"] else "daemons"].update(books.executions)
    kills = ", ".join(f"{count} {role}s" for role, count in sorted(killed.items()))
    return (
        f"{len(found)} runs, {sum(books.rows for books, _ in found)} rows, killed {kills}\n"
        f"  no worker killed: {_times(executed['daemons'])}\n"
        f"  workers killed:   {_times(executed['everybody'])}\n"
        f"  keys left {sum(books.keys_left for books, _ in found)},"
        f" wrong in {sum(bool(wrong) for _, wrong in found)} runs"
    )


def _times(executions: Counter[int]) -> str:
    said = [f"{count} tasks executed {times} times" for times, count in sorted(executions.items())]
    return ", ".join(said) or "no run"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=5_000)
    parser.add_argument("--large", type=int, default=50_000, help="one more run; 0 leaves it out")
    parser.add_argument("--limit", type=float, default=840, help="begin no run after so many s")
    parser.add_argument("--patience", type=float, default=300, help="s for each run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
