# SPDX-License-Identifier: Apache-2.0
"""Student's t: confidence intervals of means over few seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev

CONFIDENCE = 0.95
_HALVINGS = 100


def student_t(confidence: float, freedom: int) -> float:
    """The t with P(-t < T < t) = ``confidence`` for T of Student's distribution with ``freedom``
    degrees of freedom, by bisection of its finite series (Abramowitz and Stegun, Handbook of
    Mathematical Functions, 26.7.3 and 26.7.4)."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < confidence:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return high


def _within(t: float, freedom: int) -> float:
    """P(-t < T < t)."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    if freedom % 2 == 0:
        term = total = 1.0
        for n in range(2, freedom, 2):
            term *= (n - 1) / n * square
            total += term
        return sine * total
    if freedom == 1:
        return 2 * angle / math.pi
    term = total = math.cos(angle)
    for n in range(3, freedom, 2):
        term *= (n - 1) / n * square
        total += term
    return 2 / math.pi * (angle + sine * total)


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float | None]:
    """Mean of independent values, and half the width of its confidence interval; None of one."""
    if len(values) < 2:
        return values[0], None
    spread = student_t(confidence, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return mean(values), spread
