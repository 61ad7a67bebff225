"""Words for a throughput beside its baseline, and for the share of completed tasks."""

import pytest

from runs.analysis.ratings import Rating, efficiency_rating, throughput_rating


@pytest.mark.parametrize(
    ("throughput", "rating"),
    [
        (300.1, Rating.EXCELLENT),
        (300.0, Rating.GOOD),
        (150.0, Rating.GOOD),
        (149.9, Rating.MODERATE),
        (50.0, Rating.MODERATE),
        (49.9, Rating.POOR),
        (0.0, Rating.POOR),
    ],
)
def test_throughput_is_rated_by_its_ratio_to_the_baseline(
    throughput: float, rating: Rating
) -> None:
    rated = throughput_rating(throughput, baseline_per_s=100.0)
    assert rated.rating is rating
    assert rated.value == throughput / 100


def test_a_rating_names_the_numbers_behind_it() -> None:
    rated = throughput_rating(59.4, baseline_per_s=60.0, against="the mean of your last 8 runs")
    assert rated.because == (
        "Throughput is moderate: 59.4/s is 0.99 times 60/s, the mean of your last 8 runs."
    )


@pytest.mark.parametrize("baseline", [None, 0.0])
def test_without_a_baseline_there_is_no_rating_but_a_way_to_one(baseline: float | None) -> None:
    rated = throughput_rating(59.4, baseline_per_s=baseline)
    assert (rated.rating, rated.value) == (Rating.UNRATED, None)
    assert "run this twice more, or pin this run" in rated.because


def test_nothing_completed_is_not_rated() -> None:
    assert throughput_rating(None, baseline_per_s=60.0).rating is Rating.UNRATED


@pytest.mark.parametrize(
    ("completed", "rating"),
    [
        (1000, Rating.EXCELLENT),
        (990, Rating.EXCELLENT),
        (989, Rating.GOOD),
        (950, Rating.GOOD),
        (949, Rating.MODERATE),
        (800, Rating.MODERATE),
        (799, Rating.POOR),
        (0, Rating.POOR),
    ],
)
def test_efficiency_is_completed_of_sent(completed: int, rating: Rating) -> None:
    assert efficiency_rating(completed=completed, sent=1000).rating is rating


def test_efficiency_names_its_numbers_and_none_sent_is_not_rated() -> None:
    assert efficiency_rating(completed=998, sent=1000).because == (
        "Efficiency is excellent: 998 of 1000 tasks were completed (99.80%)."
    )
    assert efficiency_rating(completed=0, sent=0).rating is Rating.UNRATED
