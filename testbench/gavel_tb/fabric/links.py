# SPDX-License-Identifier: Apache-2.0
"""How busy each link was, over time, and which were the hottest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from gavel_tb.fabric.line import Line

HOTTEST = 8
"""Links that are named."""

CHART_LINKS = 24
CHART_BINS = 64


def tier(line: Line) -> str:
    """Kind of a link by its ends, as ``leaf → spine``."""
    source, _, target = line.name.partition(" → ")
    return f"{source.split()[0]} → {target.split()[0]}"


def link_figures(lines: Sequence[Line], start: int, cycles: int) -> dict[str, Any]:
    """Utilisation of the links over ``cycles`` from ``start`` on: words per cycle.

    Returns
    -------
    ``tiers``: for each kind of link its number, mean and highest mean. ``hot_links``: the
    `HOTTEST`, each with ``link``, ``mean``, ``peak`` (in a bin) and ``times_tier``, its mean over
    that of its kind.
    """
    bins, width = _bins(lines, start + cycles)
    means = [line.usage.total / max(1, cycles) for line in lines]
    by_tier: dict[str, list[float]] = defaultdict(list)
    for line, mean in zip(lines, means, strict=True):
        by_tier[tier(line)].append(mean)
    order = sorted(range(len(lines)), key=lambda n: (-means[n], n))[:HOTTEST]
    hot = []
    for n in order:
        kind = tier(lines[n])
        usual = sum(by_tier[kind]) / len(by_tier[kind])
        hot.append({
            "link": lines[n].name, "mean": means[n],
            "peak": min(1.0, max(bins[n], default=0) / width),
            "times_tier": means[n] / usual if usual else 0.0,
        })
    return {
        "tiers": {name: {"links": len(values), "mean": sum(values) / len(values),
                         "max": max(values)} for name, values in by_tier.items()},
        "hot_links": hot,
    }


def link_plots(lines: Sequence[Line], end: int, cycles: int) -> dict[str, Any]:
    """The `CHART_LINKS` hottest links over time: ``names``, ``rows`` of shares [link][bin], and
    ``bin_cycles``; bins begin with cycle 0 of the fabric. ``means``: over ``cycles``, as in
    `link_figures`."""
    order = sorted(range(len(lines)), key=lambda n: (-lines[n].usage.total, n))[:CHART_LINKS]
    bins, width = _bins([lines[n] for n in order], end)
    while bins and len(bins[0]) > CHART_BINS:
        bins = [[sum(row[at:at + 2]) for at in range(0, len(row), 2)] for row in bins]
        width *= 2
    return {"names": [lines[n].name for n in order], "bin_cycles": width,
            "means": [lines[n].usage.total / max(1, cycles) for n in order],
            "rows": [[min(1.0, count / width) for count in row] for row in bins]}


def _bins(lines: Sequence[Line], end: int) -> tuple[list[list[int]], int]:
    """Words of each line in bins of one common width, and the width."""
    # What a line was given ahead of the end may have made its bins coarser than others need.
    for line in lines:
        line.usage.coarsen(max(0, end - 1))
    shift = max((line.usage.shift for line in lines), default=0)
    result = []
    for line in lines:
        row = line.usage.bins(end)
        for _ in range(shift - line.usage.shift):
            row = [sum(row[at:at + 2]) for at in range(0, len(row), 2)]
        result.append(row)
    return result, 1 << shift
