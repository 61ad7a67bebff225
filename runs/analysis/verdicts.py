"""What may be said of a run against others, and which word wins where several apply?"""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """Did it change? A statistic that could not be computed is never a finding."""

    REGRESSED = "regressed"  # worse: the interval excludes no change, the effect is large enough
    INCONCLUSIVE = "inconclusive"  # the runs do not settle it
    IMPROVED = "improved"
    UNCHANGED = "unchanged"  # the whole interval lies within the margin
    INCOMPARABLE = "incomparable"  # another workload
    NO_BASELINE = "no_baseline"  # nothing to compare with yet

    @property
    def sign(self) -> str:
        """The mark beside the word, since colour never stands alone."""
        return _SIGNS.get(self, "")


class Reason(StrEnum):
    """Why a figure has its verdict."""

    CHANGED = "changed"
    WITHIN_MARGIN = "within_margin"
    NO_FAILURES = "no_failures"  # no task failed on either side
    UNCERTAIN = "uncertain"  # the interval allows both no change and one beyond the margin
    BELOW_MARGIN = "below_margin"  # a change, perhaps too small to matter
    ONE_OF_SEVERAL = "one_of_several"  # would be a change, had it been the only figure looked at
    ONE_AGAINST_ONE = "one_against_one"  # nothing tells how much runs vary
    NO_SPREAD = "no_spread"  # the runs do not vary at all, so neither is their spread known
    MISSING = "missing"  # one side has no value


_SIGNS = {
    Verdict.REGRESSED: "↓",
    Verdict.INCONCLUSIVE: "?",
    Verdict.IMPROVED: "↑",
    Verdict.UNCHANGED: "=",
}
# Improved stands above unchanged: a gain in one figure is the news where nothing got worse.
_WORST_FIRST = (Verdict.REGRESSED, Verdict.INCONCLUSIVE, Verdict.IMPROVED, Verdict.UNCHANGED)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a whole: regressed, else inconclusive, else improved, else unchanged."""
    found = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.INCONCLUSIVE)
