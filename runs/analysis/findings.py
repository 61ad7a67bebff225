"""Everything that was found out about one run, ready to be put into words."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from runs.analysis.advice import Recommendation
from runs.analysis.bottleneck import Bottleneck
from runs.analysis.constants import Constants
from runs.analysis.fleet import Fleet
from runs.analysis.judgement import Judgement
from runs.analysis.summary import Summary
from runs.analysis.workload import Accounting, Workload
from runs.states import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFindings:
    """One ended run. `failures`: error types and how often, the most frequent first.

    `shares_host`: whether worker, Redis and database are on one machine; None where unknown.
    """

    status: RunStatus
    workload: Workload
    fleet: Fleet
    summary: Summary
    bottleneck: Bottleneck
    constants: Constants = field(default_factory=Constants)
    recommendations: Sequence[Recommendation] = ()
    judgement: Judgement | None = None
    failures: Sequence[tuple[str, int]] = field(default_factory=tuple)
    shares_host: bool | None = None

    @property
    def accounting(self) -> Accounting:
        """Where the tasks are."""
        return self.summary.accounting
