"""`load_test baseline`: pin a run that others are judged by, let it go, show what there is."""

from typing import Any

from runs.baselines import baseline_rows, pin, unpin
from runs.cli.parser import SentenceParser
from runs.cli.rendering.baselines import baseline_row_lines
from runs.cli.rendering.detailed import baseline_lines
from runs.cli.screen import Screen
from runs.models import LoadTestRun
from runs.report import report_document

NAME = "baseline"
SUMMARY = "pin the run that others are judged by; show how each workload does"


def add_arguments(parser: SentenceParser) -> None:
    """What to do with which run."""
    children = parser.add_subparsers(dest="verb", metavar="pin|unpin|show|report", required=True)
    for verb, summary, needs_run, do in _VERBS:
        child = children.add_parser(verb, help=summary, description=summary)
        if needs_run:
            child.add_argument("test_id", metavar="TEST_ID", help="a run (lt_…)")
        child.add_argument("--json", action="store_true", help="print it as JSON")
        child.set_defaults(do=do)


def handle(options: dict[str, Any], *, screen: Screen) -> int | None:
    """Do it."""
    options["do"](options, screen=screen)
    return None


def _pin(options: dict[str, Any], *, screen: Screen) -> None:
    run = pin(test_id=options["test_id"])
    _say(run, f"{run.test_id} is the baseline of {run.configuration} now.", options, screen=screen)


def _unpin(options: dict[str, Any], *, screen: Screen) -> None:
    run = unpin(test_id=options["test_id"])
    said = f"{run.configuration} is judged by its history again."
    _say(run, said, options, screen=screen)


def _show(options: dict[str, Any], *, screen: Screen) -> None:
    document = report_document(LoadTestRun.objects.named(options["test_id"]))
    if options["json"]:
        screen.json((document.get("analysis") or {}).get("baseline"))
    else:
        screen.show(baseline_lines(screen.sheet.glyphs.fit(document), screen.sheet))


def _report(options: dict[str, Any], *, screen: Screen) -> None:
    rows = baseline_rows()
    if options["json"]:
        screen.json(rows)
    else:
        screen.show(baseline_row_lines(rows, sheet=screen.sheet))


def _say(run: LoadTestRun, sentence: str, options: dict[str, Any], *, screen: Screen) -> None:
    pinned = run.configuration.pinned_run
    if options["json"]:
        screen.json({"test_id": run.test_id, "pinned_run": pinned and pinned.test_id})
    else:
        screen.write(sentence)


_VERBS = (
    ("pin", "make a completed run the baseline of its workload", True, _pin),
    ("unpin", "judge its workload by its history again", True, _unpin),
    ("show", "show what a run was judged against", True, _show),
    ("report", "show each workload: last figure, baseline, history", False, _report),
)
