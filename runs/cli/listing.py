"""`load_test list`: the runs there are, newest first."""

from typing import Any

from django.db.models import QuerySet

from runs.analysis.reading import amount
from runs.cli.exits import WrongUsage
from runs.cli.parser import SentenceParser
from runs.cli.quantities import whole
from runs.cli.rendering.rows import run_row_lines
from runs.cli.screen import Screen
from runs.models import LoadTestRun
from runs.states import RunStatus
from workers.settings import QUEUES

NAME = "list"
SUMMARY = "list the runs, newest first"
MOST = 1000
_RATES = ("overall_throughput", "steady_state_throughput")
_LARGE = ("report", "fleet", "observed", "environment", "notes")  # not needed for a row


def add_arguments(parser: SentenceParser) -> None:
    """Which of them, and how many."""
    parser.add_argument(
        "--limit", type=whole, default=20, metavar="N", help="at most N (default 20)"
    )
    parser.add_argument("--status", metavar="S", help="only these: pending, running, completed, …")
    parser.add_argument("--queue", metavar="Q", help="only those on this queue")
    parser.add_argument(
        "--before", metavar="TEST_ID", help="only those older than this run: the next page"
    )
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """List them."""
    limit = _checked_limit(options["limit"])
    page = list(_chosen(options)[: limit + 1])
    rows = [listed(run) for run in page[:limit]]
    if options["json"]:
        screen.json(rows)
    else:
        screen.show(run_row_lines(rows, sheet=screen.sheet))
    if len(page) > limit:
        screen.notice(f"Older ones: loadlab list --before {page[limit - 1].test_id}")
    return None


def listed(run: LoadTestRun) -> dict[str, Any]:
    """What a list says of a run."""
    return {
        "test_id": run.test_id,
        "group_id": run.group_id,
        "label": run.label,
        "status": run.status,
        "task_type": run.configuration.task_type,
        "num_tasks": run.planned_count,
        "target_queue": run.target_queue,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        **{name: amount(run.figures, "metrics", name) for name in _RATES},
        "verdict": run.verdict,
        "headline": run.headline,
    }


def _chosen(options: dict[str, Any]) -> "QuerySet[LoadTestRun]":
    runs: QuerySet[LoadTestRun] = LoadTestRun.objects.defer(*_LARGE)
    runs = runs.select_related("configuration").order_by("-pk")
    if options["status"] is not None:
        runs = runs.filter(
            status=_one_of(options["status"], "--status", [s.value for s in RunStatus])
        )
    if options["queue"] is not None:
        runs = runs.filter(target_queue=_one_of(options["queue"], "--queue", list(QUEUES)))
    if options["before"] is not None:
        runs = runs.filter(pk__lt=LoadTestRun.objects.named(options["before"]).pk)
    return runs


def _checked_limit(limit: int) -> int:
    if not 1 <= limit <= MOST:
        raise WrongUsage(f"--limit is {limit}: it must be a whole number from 1 to {MOST}.")
    return limit


def _one_of(given: str, option: str, allowed: list[str]) -> str:
    if given not in allowed:
        raise WrongUsage(f"{option} is {given!r}: it must be one of {', '.join(allowed)}.")
    return given
