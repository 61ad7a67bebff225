"""What do repeats of one run say together, and what does their spread allow?"""

from collections.abc import Sequence

from runs.analysis.judged_figures import (
    P95_SOJOURN,
    JudgedFigure,
    RunFigures,
    centre_of,
    family_of,
    group_of,
    valued,
)
from runs.analysis.judgement import Judgement
from runs.analysis.numbers import count, percent, rate, seconds
from runs.analysis.repeats import Gate, Noise
from runs.analysis.verdict_words import verdict_clause


def group_headline(runs: Sequence[RunFigures], *, judgement: Judgement) -> str:
    """60 tasks/s over 5 runs: the same as your last 8 runs (+0.1 %, 95 % -0.2 to +0.4)."""
    answer = family_of(runs)[0]
    clause = verdict_clause(judgement, with_interval=True)
    return f"{_answer(runs, figure=answer)}{f': {clause}' if clause else ''}."


def noise_headline(noise: Noise, *, gate: Gate | None) -> str:
    """From run to run throughput varies by 2.8 %: a gate at 5 % needs 6 runs a side."""
    if noise.cv is None or noise.smallest_effect is None:
        return f"{noise.because}."
    varies = f"From run to run {noise.figure} varies by {percent(noise.cv)}"
    if gate is None:
        return (
            f"{varies}: {count(noise.n, 'run')} a side show a change of"
            f" {percent(noise.smallest_effect)} or more."
        )
    at = f"a gate at {percent(gate.effect)}"
    if gate.accepted:
        return f"{varies}: {at} holds with {count(noise.n, 'run')} a side."
    return f"{varies}: {at} needs {gate.needs} a side."


def _answer(runs: Sequence[RunFigures], *, figure: JudgedFigure) -> str:
    having = valued(runs, figure=figure)
    centre = centre_of(having, group=group_of(having, figure=figure), figure=figure)
    over = f"over {count(len(runs), 'run')}"
    if centre is None:
        return f"No figure that answers anything {over}"
    if figure is P95_SOJOURN:
        return f"95 % are done within {seconds(centre / 1000)} {over}"
    return f"{rate(centre)} tasks/s {over}"
