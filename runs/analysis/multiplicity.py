"""What is a p-value worth when several figures were looked at?

With 20 figures and no correction, chance alone calls one "changed" in 64 % of unchanged runs.
"""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm 1979): rejecting those ≤ α errs at all with probability ≤ α.

    p₍ᵢ₎ · (m − i + 1), made monotone; valid under any dependence, so for figures of the same runs.
    """
    m = len(p_values)
    adjusted = [0.0] * m
    largest = 0.0
    for place, index in enumerate(sorted(range(m), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[index] * (m - place)))
        adjusted[index] = largest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (Benjamini & Hochberg 1995): of those ≤ q, a share of q is false.

    p₍ᵢ₎ · m / i, made monotone from the largest down; for exploring many figures, not for a gate.
    """
    m = len(p_values)
    adjusted = [0.0] * m
    smallest = 1.0
    descending = sorted(range(m), key=p_values.__getitem__, reverse=True)
    for place, index in enumerate(descending):
        smallest = min(smallest, p_values[index] * m / (m - place))
        adjusted[index] = smallest
    return adjusted
