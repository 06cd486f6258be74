# SPDX-License-Identifier: Apache-2.0
"""Rows of all seeds of a point as one, with confidence intervals, beside theory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gavel_tb.sweep.points import Row
from gavel_tb.theory.student import interval


@dataclass(frozen=True, kw_only=True)
class PointSummary:
    """A point over its seeds.

    Attributes
    ----------
    parameters
        All but the seed.
    seeds
        How many there are.
    means
        Mean of each figure that is a number in all seeds.
    spreads
        Half the width of the 95 % confidence interval of each mean (Student t over the seeds);
        None with a single seed.
    theory
        By the name of the figure.
    saturated
        In any seed.
    """

    parameters: Mapping[str, Any]
    seeds: int
    means: Mapping[str, float]
    spreads: Mapping[str, float | None]
    theory: Mapping[str, float]
    saturated: bool

    def difference(self, figure: str) -> float | None:
        """How much larger the mean is than theory, as a share of it; None without theory."""
        value = self.theory.get(figure)
        if not value or figure not in self.means:
            return None
        return self.means[figure] / value - 1


def summarise(rows: Sequence[Row]) -> list[PointSummary]:
    """One summary for each point, in the order of the rows."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        place = {name: value for name, value in row["parameters"].items() if name != "seed"}
        groups.setdefault(json.dumps(place, sort_keys=True), []).append(row)
    return [_summary(group) for group in groups.values()]


def _summary(group: Sequence[Row]) -> PointSummary:
    first = group[0]
    means: dict[str, float] = {}
    spreads: dict[str, float | None] = {}
    for name in first["figures"]:
        values = [row["figures"][name] for row in group]
        if all(isinstance(value, int | float) and not isinstance(value, bool)
               for value in values):
            means[name], spreads[name] = interval(values)
    return PointSummary(
        parameters={name: value for name, value in first["parameters"].items() if name != "seed"},
        seeds=len(group), means=means, spreads=spreads, theory=first["theory"],
        saturated=any(row["figures"].get("saturated", False) for row in group),
    )
