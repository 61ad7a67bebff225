"""Which figures does a report hold, and where?

The names are those of the report document. A figure is addressed by its whole dotted path, by any
ending of it that is unique (`baseline.n`), or by its last name alone where that is unique or
stands higher in the document than its namesakes (`verdict`).
"""

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from runs.analysis import reading
from runs.states import RunStatus

RATINGS = ("poor", "moderate", "good", "excellent")
PRESSURES = ("low", "moderate", "high")
VERDICTS = ("regressed", "inconclusive", "unchanged", "improved")

_TIMES = ("execution_time_ms", "queue_wait_ms", "sojourn_time_ms")
_STATISTICS = ("mean", "p50", "p95", "min", "max", "n")
_CEILINGS = (
    "queue_read_limit",
    "poll_delay",
    "max_jobs",
    "fleet_queue_read_limit",
    "start_round_trips",
    "event_loop",
    "process_pool",
    "cpu",
    "redis",
    "arrivals",
)
# Names that a task type, a user's own analysis or arq gives, so that no list can hold them.
_OPEN_PATHS = re.compile(
    rf"(analysis\.)?(type_metrics\.\w+\.({'|'.join(_STATISTICS)})|custom_analysis(\.\w+)+"
    r"|environment\.(arq_settings|host_class)\.\w+)|configuration\.parameters\.\w+"
)


class FigureKind(StrEnum):
    """What a figure's value is, and so how it may be compared."""

    NUMBER = "number"
    ORDERED = "ordered"  # words from the worst (least) to the best (most)
    WORD = "word"  # words without order


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFigure:
    """One addressable figure of the report."""

    path: str
    kind: FigureKind = FigureKind.NUMBER
    words: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()  # words of an ordered figure that stand outside its order

    @property
    def leaf(self) -> str:
        """The last name of the path."""
        return self.path.rpartition(".")[2]

    @property
    def is_wait(self) -> bool:
        """Whether it holds waiting for the queue, which a saturated run cannot answer."""
        return "queue_wait" in self.path or "sojourn_time" in self.path

    @property
    def is_throughput(self) -> bool:
        """Whether it is a rate of completion: the load offered, where the queue keeps up."""
        return self.leaf in {"overall_throughput", "steady_state_throughput"}

    def fits(self, value: object) -> bool:
        """Whether a report's value is one that this figure can have; NaN and infinity are none."""
        if self.kind is FigureKind.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float):
                return False
            return math.isfinite(value)
        return value in {*self.words, *self.apart} if isinstance(value, str) else False


class UnknownFigureError(ValueError):
    """No figure of that name, or several: `candidates` are the names that would be understood."""

    def __init__(self, message: str, *, candidates: tuple[str, ...]) -> None:
        self.candidates = candidates
        super().__init__(message)


def _numbers(prefix: str, names: str) -> list[ReportFigure]:
    return [ReportFigure(path=f"{prefix}.{name}") for name in names.split()]


def _rating(path: str, words: tuple[str, ...]) -> ReportFigure:
    return ReportFigure(path=path, kind=FigureKind.ORDERED, words=words, apart=("unrated",))


def _verdict(path: str) -> ReportFigure:
    return ReportFigure(
        path=path,
        kind=FigureKind.ORDERED,
        words=VERDICTS,
        apart=("incomparable", "no_baseline"),
    )


def _words(path: str, *words: str) -> ReportFigure:
    return ReportFigure(path=path, kind=FigureKind.WORD, words=words)


def _judged(figure: str) -> list[ReportFigure]:
    prefix = f"analysis.baseline.figures.{figure}"
    return [*_numbers(prefix, "baseline value ratio"), _verdict(f"{prefix}.verdict")]


_RATED = "analysis.performance_analysis"
_ALL = (
    _words("status", *RunStatus),
    *_numbers("configuration", "num_tasks batch_size delay_ms rate_per_s duration_s seed"),
    *_numbers("metrics", "tasks_sent tasks_completed tasks_failed tasks_lost tasks_cancelled"),
    *_numbers("metrics", "total_duration_seconds overall_throughput steady_state_throughput"),
    *_numbers("metrics", "failure_rate_percent completion_percentage"),
    *_numbers("metrics", "offered_percent utilisation_percent"),
    _rating(f"{_RATED}.throughput_rating", RATINGS),
    _rating(f"{_RATED}.efficiency_rating", RATINGS),
    _rating(f"{_RATED}.queue_pressure", PRESSURES),
    _words("analysis.regime", "saturated", "keeping_up", "mixed"),
    *(
        ReportFigure(path=f"analysis.task_metrics.{statistic}_{time}")
        for time in _TIMES
        for statistic in ("avg", "p50", "p95", "p99")
    ),
    *_numbers("analysis.task_metrics", "n p99_dispatch_lag_ms max_dispatch_lag_ms"),
    _words("analysis.bottleneck.binding", *_CEILINGS),
    *_numbers("analysis.bottleneck.change", "predicted_throughput_per_s gain_percent"),
    *_numbers("analysis.bottleneck.cliff", "slower_ms throughput_per_s factor"),
    _words("analysis.baseline.kind", "pinned", "history", "file", "none"),
    *_numbers("analysis.baseline", "n"),
    _verdict("analysis.baseline.verdict"),
    *_judged("overall_throughput"),
    *_judged("steady_state_throughput"),
    *_judged("p95_sojourn_time_ms"),
    *_judged("p50_execution_time_ms"),
    *_judged("p95_execution_time_ms"),
    *_judged("failure_rate_percent"),
    *_numbers("analysis.accounting", "planned sent completed failed cancelled lost"),
    *_numbers("analysis.accounting", "outstanding retries"),
    *_numbers("analysis.environment", "slots processes"),
    *_numbers("analysis.environment.clock_skew", "worst_ms mean_ms uncertainty_ms"),
    *_numbers("analysis.environment.observer", "redis_commands_percent"),
    *_numbers("analysis.timeline", "interval_s"),
    *_numbers("analysis.poll_cycle", "period_s busy_percent"),
)
KNOWN_FIGURES: Mapping[str, ReportFigure] = {figure.path: figure for figure in _ALL}


def find_figure(name: str, *, known: Mapping[str, ReportFigure] = KNOWN_FIGURES) -> ReportFigure:
    """The figure that a name or dotted path means; UnknownFigureError: none does, or several."""
    if name in known:
        return known[name]
    if _OPEN_PATHS.fullmatch(name):
        rooted = name.startswith(("analysis.", "configuration."))
        return ReportFigure(path=name if rooted else f"analysis.{name}")
    ending = [figure for figure in known.values() if figure.path.endswith(f".{name}")]
    if not ending:
        nearest = _nearest(name, known=known)
        raise UnknownFigureError("no such figure; the nearest are", candidates=nearest)
    highest = min(figure.path.count(".") for figure in ending)
    found = [figure for figure in ending if figure.path.count(".") == highest]
    if len(found) > 1:
        paths = tuple(figure.path for figure in found)
        raise UnknownFigureError("several figures end so; write one of", candidates=paths)
    return found[0]


def report_value(report: Mapping[str, Any], *, path: str) -> Any:
    """What a report document holds at a dotted path; None where there is nothing."""
    return reading.value(report, *path.split("."))


def _nearest(name: str, *, known: Mapping[str, ReportFigure]) -> tuple[str, ...]:
    """Three names: first those that hold `name`, then those spelt most like it."""
    spelt = {path if "." in name else figure.leaf: None for path, figure in known.items()}
    lowered = name.lower()
    holding = [word for word in spelt if lowered in word]
    close = difflib.get_close_matches(lowered, spelt, n=3, cutoff=0.0)
    return tuple(dict.fromkeys([*holding[:3], *close]))[:3]
