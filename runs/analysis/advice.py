"""What is a recommendation, and what may one be founded on?"""

from dataclasses import dataclass
from enum import IntEnum

from runs.analysis.bottleneck import Bottleneck
from runs.analysis.constants import Constants
from runs.analysis.fleet import Fleet
from runs.analysis.summary import Summary
from runs.analysis.workload import Workload


class Value(IntEnum):
    """How much a recommendation matters; the least number comes first."""

    TASKS_MISSING = 0
    MORE_THROUGHPUT = 1
    SHORTER_WAIT = 2
    BETTER_TEST = 3
    SAFETY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to do and what speaks for it.

    `expected_gain`: more throughput as a share, 1.0 doubles it. `brief`: the evidence is the
    bottleneck, which every face says beside it.
    """

    name: str
    action: str
    reason: str
    evidence: str
    value: Value
    expected_gain: float | None = None
    brief: bool = False

    @property
    def sentence(self) -> str:
        """Action, reason and evidence in one sentence."""
        evidence = "" if self.brief else f" ({self.evidence})"
        return f"{self.action}: {self.reason}{evidence}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the rules look at."""

    summary: Summary
    bottleneck: Bottleneck
    workload: Workload
    fleet: Fleet
    constants: Constants
