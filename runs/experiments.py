"""Use cases made of several runs: prove a change, A B B A; measure how much unchanged runs vary."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

from runs.analysis import sections
from runs.analysis.ceiling import Situation
from runs.analysis.changes import current_value, predict, with_change
from runs.analysis.comparison_words import predicted_too
from runs.analysis.document import run_figures
from runs.analysis.group_words import noise_headline
from runs.analysis.judged_figures import JudgedFigure, family_of
from runs.analysis.limit_words import promised, promised_at_rate
from runs.analysis.repeats import Gate, Noise, judge_gate, noise_of_figure
from runs.compare import compare
from runs.conduct import Watcher, conduct_here
from runs.errors import LoadLabError
from runs.examination import Examination, examine
from runs.models import LoadTestRun
from runs.outages import in_database
from runs.spec import Spec
from runs.start import cancel_run, start_runs

CHANGEABLE = {
    "poll_delay": "POLL_DELAY",
    "queue_read_limit": "QUEUE_READ_LIMIT",
    "max_jobs": "MAX_JOBS",
    "processes": "",
}
MOST_PROCESSES = 32
_UNJUDGED: dict[str, Any] = {"baseline": "none", "baseline_document": None}


class CannotTry(LoadLabError):
    """The change asked for is not one of a setting that can be tried."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One side of a trial: its workers and what their environment says."""

    name: str
    group_id: str
    workers: int
    environment: Mapping[str, str]


def parse_changes(given: Sequence[str]) -> dict[str, float]:
    """`poll_delay=0.05` → {"poll_delay": 0.05}; CannotTry with what is allowed."""
    changes: dict[str, float] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in CHANGEABLE or name in changes:
            raise CannotTry(
                f"--change {text!r}: it must be SETTING=VALUE, each setting once, with one of "
                f"{', '.join(CHANGEABLE)}."
            )
        try:
            changes[name] = float(value)
        except ValueError:
            raise CannotTry(f"--change {text!r}: {value!r} is not a number.") from None
        if not changes[name] > 0 or (name != "poll_delay" and changes[name] % 1):
            kind = "a number of seconds" if name == "poll_delay" else "a whole number"
            raise CannotTry(f"--change {text!r}: it must be {kind} above 0.")
    if not changes:
        raise CannotTry("Nothing to try: name a change, such as --change poll_delay=0.05.")
    return changes


async def prove(
    spec: Spec,
    *,
    changes: Mapping[str, float],
    workers: int,
    watcher: Watcher,
    owner: str,
) -> dict[str, Any]:
    """Run with and without the changes, in the order A B B A A B B A …, own workers each time.

    The order cancels a slow drift of the machine. Returns the comparison with what was predicted
    from the runs without the change.
    """
    before = _arm("A", spec=spec, workers=workers, changes={})
    after = _arm("B", spec=spec, workers=workers, changes=changes)
    for arm in _order(before, after, repeat=spec.repeat):
        await _run_once(spec, arm=arm, watcher=watcher, owner=owner)
    return await in_database(
        _proof, before=before, after=after, changes=changes, repeat=spec.repeat
    )


async def measure_noise(
    spec: Spec, *, workers: int, watcher: Watcher, owner: str, gate: float | None = None
) -> dict[str, Any]:
    """K unchanged runs: the spread of each judged figure and the smallest change a gate can see."""
    runs = await _started(spec, owner=owner)
    await conduct_here(runs, workers=workers, watcher=watcher, owner=owner)
    return await in_database(_noise, [run.test_id for run in runs], gate=gate)


def _arm(name: str, *, spec: Spec, workers: int, changes: Mapping[str, float]) -> Arm:
    queue = spec.target_queue.upper()
    environment = {
        f"LOADLAB_QUEUE_{queue}_{CHANGEABLE[setting]}": f"{value:g}"
        for setting, value in changes.items()
        if setting != "processes"
    }
    count = int(changes.get("processes", workers))
    if not 1 <= count <= MOST_PROCESSES:
        raise CannotTry(f"processes is {count}: it must be from 1 to {MOST_PROCESSES}.")
    return Arm(name=name, group_id=f"lg_{token_hex(6)}", workers=count, environment=environment)


def _order(before: Arm, after: Arm, *, repeat: int) -> list[Arm]:
    """A B B A A B B A …: each side `repeat` times."""
    pairs = [(before, after) if turn % 2 == 0 else (after, before) for turn in range(repeat)]
    return [arm for pair in pairs for arm in pair]


async def _run_once(spec: Spec, *, arm: Arm, watcher: Watcher, owner: str) -> None:
    once = replace(spec, repeat=1, **_UNJUDGED, label=spec.label or f"try {arm.name}")
    runs = await _started(once, owner=owner, group_id=arm.group_id)
    await conduct_here(
        runs,
        workers=arm.workers,
        watcher=watcher,
        owner=owner,
        worker_environment=arm.environment,
    )


async def _started(spec: Spec, *, owner: str, group_id: str = "") -> list[LoadTestRun]:
    """Store the runs; a signal meanwhile must not leave any that nobody knows of."""
    starting = asyncio.ensure_future(
        in_database(start_runs, spec=spec, held_by=owner, group_id=group_id)
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        for run in await starting:
            await in_database(cancel_run, test_id=run.test_id)
        raise


def _proof(*, before: Arm, after: Arm, changes: Mapping[str, float], repeat: int) -> dict[str, Any]:
    document = compare(references=[before.group_id, after.group_id])
    first = LoadTestRun.objects.filter(group_id=before.group_id).select_related("configuration")
    seen = examine(first.order_by("-pk")[0])
    predicted = _predicted(seen, changes=changes)
    for side, arm in zip(document["sides"], (before, after), strict=True):
        side["arm"] = arm.name
    if predicted is not None and not seen.summary.kept_up:
        ratio = predicted["predicted_throughput_per_s"] / predicted["now_per_s"]
        for each in document["comparisons"]:
            each["headline"] = predicted_too(each["headline"], ratio=ratio)
    return {
        **document,
        "order": " ".join(arm.name for arm in _order(before, after, repeat=repeat)),
        "changes": dict(changes),
        "predicted": predicted,
    }


def _predicted(seen: Examination, *, changes: Mapping[str, float]) -> dict[str, Any] | None:
    """What the laws promise for all changes together, from a run without them."""
    capacity = seen.bottleneck.capacity
    if capacity is None or seen.service is None:
        return None
    situation = Situation(fleet=seen.fleet, service=seen.service, constants=seen.constants)
    for setting, value in changes.items():
        situation = with_change(situation, setting=setting, value=value)
    setting, value = next(iter(changes.items()))
    change = predict(
        situation,
        setting=setting,
        old=current_value(seen.fleet, setting=setting),
        new=value,
        now=capacity.throughput_per_s,
    )
    if change is None:
        return None
    said = promised_at_rate if seen.summary.kept_up else promised
    return {
        **sections.change_section(change),
        "now_per_s": capacity.throughput_per_s,
        "because": said(change, now_per_s=capacity.throughput_per_s),
    }


def _noise(test_ids: Sequence[str], *, gate: float | None) -> dict[str, Any]:
    runs = list(LoadTestRun.objects.filter(test_id__in=test_ids).order_by("pk"))
    figures = [run_figures(run.figures) for run in runs if run.report is not None]
    found: list[dict[str, Any]] = []
    headline = ""
    for figure in family_of(figures):
        noise = noise_of_figure(figure, runs=figures)
        judged = None
        if gate is not None and noise.cv is not None:
            judged = judge_gate(gate, cv=noise.cv, n=noise.n)
        headline = headline or noise_headline(noise, gate=judged)
        found.append(_noise_document(figure, noise=noise, gate=judged))
    return {
        "group_id": runs[0].group_id if runs else "",
        "runs": test_ids,
        "headline": headline,
        "figures": found,
    }


def _noise_document(figure: JudgedFigure, *, noise: Noise, gate: Gate | None) -> dict[str, Any]:
    interval = noise.cv_interval
    document: dict[str, Any] = {
        "figure": figure.name,
        "label": figure.label,
        "n": noise.n,
        "mean": sections.rounded(noise.mean),
        "run_cv_percent": sections.percent(noise.cv),
        "run_cv_interval_percent": interval and [*map(sections.percent, interval)],
        "smallest_effect_percent": sections.percent(noise.smallest_effect),
        "because": noise.because,
    }
    if gate is not None:
        document["gate"] = {
            "effect_percent": sections.percent(gate.effect),
            "accepted": gate.accepted,
            "repeats": gate.repeats,
            "because": gate.because,
        }
    return document
