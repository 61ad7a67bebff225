"""What should be changed, why, and what will it bring? The rules in order of their value.

Tasks that do not come back first, then by the gain in throughput that the laws predict, then what
makes waiting shorter or the test better, then what protects from an accident.
"""

from collections.abc import Callable

from runs.analysis import run_rules, setting_rules
from runs.analysis.advice import Evidence, Recommendation

RULES: tuple[Callable[[Evidence], Recommendation | None], ...] = (
    run_rules.lost_tasks,
    run_rules.failures,
    run_rules.timeouts,
    run_rules.blocking,
    setting_rules.proposed_change,
    run_rules.retries,
    setting_rules.poll_wait,
    setting_rules.shared_page,
    run_rules.batch_size,
    run_rules.too_few,
    setting_rules.keep_result,
    setting_rules.keep_result_forever,
    setting_rules.retry_on_error,
)


def recommend(evidence: Evidence) -> tuple[Recommendation, ...]:
    """Every recommendation that has its evidence, the most valuable first; none for a sound run."""
    found = [each for rule in RULES if (each := rule(evidence)) is not None]
    return tuple(sorted(found, key=lambda each: (each.value, -(each.expected_gain or 0.0))))
