"""Which word fits a throughput beside its baseline, and the share of tasks that were completed?

A rating is a word for a reader in a hurry and names the numbers behind it; it says nothing of how
sure they are. The verdict leads.
"""

from dataclasses import dataclass
from enum import StrEnum


class Rating(StrEnum):
    """From the worst to the best; unrated where there is nothing to rate by."""

    UNRATED = "unrated"
    POOR = "poor"
    MODERATE = "moderate"
    GOOD = "good"
    EXCELLENT = "excellent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A rating with the number it stands on and one sentence that names it."""

    rating: Rating
    value: float | None  # a ratio to the baseline, or a share of tasks
    because: str


HOW_TO_GET_A_BASELINE = "run this twice more, or pin this run"


def throughput_rating(
    throughput_per_s: float | None, *, baseline_per_s: float | None, against: str = "the baseline"
) -> Rated:
    """excellent > 3 ×, good 1.5–3 ×, moderate 0.5–1.5 ×, poor < 0.5 × the baseline.

    `baseline_per_s`: the pinned run's, else the geometric mean of the last comparable runs.
    """
    if throughput_per_s is None:
        return _unrated("Throughput is unrated: no task was completed.")
    if baseline_per_s is None or baseline_per_s <= 0:
        return _unrated(
            f"Throughput is unrated until there is a baseline: {HOW_TO_GET_A_BASELINE}."
        )
    ratio = throughput_per_s / baseline_per_s
    if ratio > 3:
        rating = Rating.EXCELLENT
    elif ratio >= 1.5:
        rating = Rating.GOOD
    else:
        rating = Rating.MODERATE if ratio >= 0.5 else Rating.POOR
    because = (
        f"Throughput is {rating}: {throughput_per_s:.3g}/s is {ratio:.2f} times"
        f" {baseline_per_s:.3g}/s, {against}."
    )
    return Rated(rating=rating, value=ratio, because=because)


def efficiency_rating(*, completed: int, sent: int) -> Rated:
    """Completed of sent: excellent ≥ 99 %, good ≥ 95 %, moderate ≥ 80 %, else poor."""
    if sent <= 0:
        return _unrated("Efficiency is unrated: no task was sent.")
    share = completed / sent
    if share >= 0.99:
        rating = Rating.EXCELLENT
    elif share >= 0.95:
        rating = Rating.GOOD
    else:
        rating = Rating.MODERATE if share >= 0.80 else Rating.POOR
    because = f"Efficiency is {rating}: {completed} of {sent} tasks were completed ({share:.2%})."
    return Rated(rating=rating, value=share, because=because)


def _unrated(because: str) -> Rated:
    return Rated(rating=Rating.UNRATED, value=None, because=because)
