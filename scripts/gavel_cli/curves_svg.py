# SPDX-License-Identifier: Apache-2.0
"""Curves over a logarithmic axis as inline SVG: what was measured, beside what theory says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gavel_cli.report_svg import WIDTH, axis_title, svg, text


@dataclass(frozen=True)
class Curve:
    """Points of one curve.

    Attributes
    ----------
    name
        Shown at its right end.
    x
        Values above 0; a 0 is drawn at the left edge.
    measured, theory
        Values of the vertical axis.
    """

    name: str
    x: Sequence[float]
    measured: Sequence[float]
    theory: Sequence[float]


def percent(share: float, digits: int = 0) -> str:
    """A share, 0...1, as shown."""
    return f"{100 * share:.{digits}f} %"


def whole(value: float, _digits: int = 0) -> str:
    """A whole number, as shown."""
    return f"{value:,.0f}"


def curves(
    items: Sequence[Curve], x_title: str, y_title: str, *, most: float = 1.0,
    shown: Callable[[float, int], str] = percent,
) -> str:
    """Theory as lines, measurements as dots; the horizontal axis is logarithmic.

    Parameters
    ----------
    most
        Upper end of the vertical axis, which begins at 0.
    shown
        Its values as text, given how many digits there may be behind the point.
    """
    left, top, right, bottom, height = 52, 14, 80, 44, 300
    plot_w, plot_h = WIDTH - left - right, height - top - bottom
    above = [x for item in items for x in item.x if x > 0] or [0.1]
    low = math.floor(math.log10(min(above)))
    high = max(low + 1, math.ceil(math.log10(max(above))))
    zero = any(x == 0 for item in items for x in item.x)
    first = low - 1 if zero else low

    def place_x(value: float) -> float:
        at = math.log10(value) if value > 0 else first
        return round(left + plot_w * (at - first) / (high - first), 2)

    def place_y(value: float) -> float:
        return round(top + plot_h * (1 - value / most), 2)

    body = []
    for tenth in range(0, 11, 2):
        value = most * tenth / 10
        y = place_y(value)
        body.append(f'<path class="grid" d="M{left} {y}h{plot_w}"/>')
        body.append(text(left - 6, y + 4, shown(value, 0), anchor="end"))
    for decade in range(low, high + 1):
        body.append(text(place_x(10.0**decade), top + plot_h + 16, f"1e{decade}"))
    if zero:
        body.append(text(left, top + plot_h + 16, "0"))
    for item in items:
        points = [(place_x(x), place_y(y)) for x, y in zip(item.x, item.theory, strict=True)]
        line = "L".join(f"{x} {y}" for x, y in points)
        body.append(f'<path class="theory" d="M{line}"/>')
        for x, y, bound in zip(item.x, item.measured, item.theory, strict=True):
            body.append(
                f'<circle class="bar" cx="{place_x(x)}" cy="{place_y(y)}" r="3.4"><title>'
                f"{item.name}, {x:g}: measured {shown(y, 2)}, bound {shown(bound, 2)}"
                "</title></circle>"
            )
    for item, y in zip(items, _apart([place_y(item.theory[-1]) for item in items]), strict=True):
        body.append(text(left + plot_w + 6, y + 4, item.name, "at", "start"))
    body.append(f'<path class="axis" d="M{left} {top + plot_h}h{plot_w}"/>')
    body.append(text(left + plot_w / 2, height - 6, x_title, "at"))
    body.append(axis_title(13, top + plot_h / 2, y_title))
    return svg(height, f"{y_title} against {x_title}", body)


def _apart(places: Sequence[float], least: float = 14) -> list[float]:
    """Heights of labels, moved up where two would lie on each other."""
    order = sorted(range(len(places)), key=lambda n: -places[n])
    moved = list(places)
    for before, this in pairwise(order):
        moved[this] = min(moved[this], moved[before] - least)
    return moved
