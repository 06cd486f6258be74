# SPDX-License-Identifier: Apache-2.0
"""Curves as inline SVG: what was measured, beside what theory says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from gavel_cli.report_svg import WIDTH, axis_title, compact, svg, text, ticks

_LEAST_NAME, _MOST_NAME = 60, 160
"""Width that names of curves have, at least and at most."""

_SPELT_OUT = 1e7
"""Numbers below are shown without a power of ten."""

_COLOURS = 9
"""Colours s1...s9 of the page's style sheet."""


@dataclass(frozen=True)
class Curve:
    """Points of one curve.

    Attributes
    ----------
    name
        Shown at its right end.
    x
        Values of the horizontal axis; on a logarithmic one a 0 is drawn at the left edge.
    measured, theory
        Values of the vertical axis; None where there is none.
    spread
        Half the width of the confidence interval of each measured value, None without; or empty.
    hollow
        Points that are drawn hollow; or empty.
    more_theory
        Further lines.
    """

    name: str
    x: Sequence[float]
    measured: Sequence[float | None]
    theory: Sequence[float | None]
    spread: Sequence[float | None] = ()
    hollow: Sequence[bool] = ()
    more_theory: Sequence[Sequence[float | None]] = ()

    @property
    def lines(self) -> list[Sequence[float | None]]:
        """All of theory."""
        return [self.theory, *self.more_theory]

    @property
    def heights(self) -> list[float]:
        """All values of the vertical axis."""
        return [value for values in (self.measured, *self.lines) for value in values
                if value is not None]


def percent(share: float, digits: int = 0) -> str:
    """A share, 0...1, as shown."""
    return f"{100 * share:.{digits}f} %"


def whole(value: float, _digits: int = 0) -> str:
    """A whole number, as shown."""
    return f"{value:,.0f}"


def plain(value: float, digits: int = 0) -> str:
    """A number of any size, as shown."""
    shown = f"{value:.{3 + digits}g}"
    return f"{value:,.0f}" if "e+" in shown and abs(value) < _SPELT_OUT else shown


class Axis:
    """Where values lie on an axis of 0...1.

    Parameters
    ----------
    values
        What is to be shown.
    logarithmic
        With decades; values of 0 lie one decade below the others.
    least, most
        Ends of a linear axis; None: from the values.
    """

    def __init__(self, values: Sequence[float], *, logarithmic: bool, least: float | None = None,
                 most: float | None = None) -> None:
        self._logarithmic = logarithmic
        if logarithmic:
            above = [value for value in values if value > 0] or [0.1]
            low = math.floor(math.log10(min(above)))
            high = max(low + 1, math.ceil(math.log10(max(above))))
            zero = any(value == 0 for value in values)
            self._low, self._high = float(low - 1 if zero else low), float(high)
            self.marks = [(10.0**n, f"1e{n}") for n in range(low, high + 1)]
            if zero:
                self.marks.insert(0, (0.0, "0"))
        else:
            self._low = min(values) if least is None else least
            self._high = max(values) if most is None else most
            if self._high <= self._low:
                self._high = self._low + 1
            self.marks = [(self._low + value, compact(self._low + value))
                          for value in ticks(self._high - self._low)
                          if self._low + value <= self._high * (1 + 1e-9)]

    def share(self, value: float) -> float:
        """Place of a value; what lies outside stands at the end."""
        if self._logarithmic:
            value = math.log10(value) if value > 0 else self._low
        return min(1.0, max(0.0, (value - self._low) / (self._high - self._low)))


def curves(
    items: Sequence[Curve], x_title: str, y_title: str, *, most: float = 1.0,
    shown: Callable[[float, int], str] = percent, log_x: bool = True, log_y: bool = False,
) -> str:
    """Theory as lines, measurements as dots.

    Parameters
    ----------
    most
        Upper end of a linear vertical axis, which begins at 0.
    shown
        Its values as text, given how many digits there may be behind the point.
    log_x, log_y
        Axes are logarithmic.
    """
    left, top, bottom, height = 60, 14, 44, 300
    longest = max((len(item.name) for item in items), default=0)
    right = min(_MOST_NAME, max(_LEAST_NAME, 22 + 7 * longest))
    plot_w, plot_h = WIDTH - left - right, height - top - bottom
    across = Axis([x for item in items for x in item.x], logarithmic=log_x)
    upwards = Axis([y for item in items for y in item.heights], logarithmic=log_y, least=0.0,
                   most=most)

    def place_x(value: float) -> float:
        return round(left + plot_w * across.share(value), 2)

    def place_y(value: float) -> float:
        return round(top + plot_h * (1 - upwards.share(value)), 2)

    body = []
    heights = [value for value, _ in upwards.marks] if log_y else [
        most * tenth / 10 for tenth in range(0, 11, 2)]
    for value in heights:
        y = place_y(value)
        body.append(f'<path class="grid" d="M{left} {y}h{plot_w}"/>')
        body.append(text(left - 6, y + 4, shown(value, 0), anchor="end"))
    body += [text(place_x(value), top + plot_h + 16, label) for value, label in across.marks]
    colours = [f"var(--s{1 + n % _COLOURS})" if len(items) > 1 else "var(--bar)"
               for n in range(len(items))]
    ends = []
    for item, colour in zip(items, colours, strict=True):
        drawn: float = top + plot_h
        for values in item.lines:
            points = [(place_x(x), place_y(y)) for x, y in zip(item.x, values, strict=False)
                      if y is not None]
            if points:
                line = "L".join(f"{x} {y}" for x, y in points)
                body.append(f'<path class="theory" style="stroke:{colour}" d="M{line}"/>')
        for n, (x, height_of) in enumerate(zip(item.x, item.measured, strict=True)):
            if height_of is None:
                continue
            spread = item.spread[n] if item.spread else None
            bound = item.theory[n] if item.theory else None
            drawn = place_y(height_of)
            label = f"{item.name}, {x:g}: measured {shown(height_of, 2)}"
            if spread is not None:
                label += f" ± {shown(spread, 2)}"
                up, down = place_y(height_of + spread), place_y(height_of - spread)
                body.append(f'<path style="stroke:{colour}" d="M{place_x(x)} {up}V{down}"/>')
            if bound is not None:
                label += f", theory {shown(bound, 2)}"
            fill = "var(--panel)" if item.hollow and item.hollow[n] else colour
            body.append(
                f'<circle style="fill:{fill};stroke:{colour}" cx="{place_x(x)}" cy="{drawn}" '
                f'r="3.4"><title>{escape(label)}</title></circle>')
        ends.append(drawn)
    for item, colour, y in zip(items, colours, _apart(ends, top), strict=True):
        # A stroke in the colour of the curve in front of its name.
        body.append(f'<path style="stroke:{colour};stroke-width:3" '
                    f'd="M{left + plot_w + 5} {y}h5"/>')
        body.append(text(left + plot_w + 13, y + 4, item.name, "at", "start"))
    body.append(f'<path class="axis" d="M{left} {top + plot_h}h{plot_w}"/>')
    body.append(text(left + plot_w / 2, height - 6, x_title, "at"))
    body.append(axis_title(13, top + plot_h / 2, y_title))
    return svg(height, f"{y_title} against {x_title}", body)


def _apart(places: Sequence[float], top: float, least: float = 14) -> list[float]:
    """Heights of labels, moved up where two would lie on each other, but not above ``top``."""
    order = sorted(range(len(places)), key=lambda n: -places[n])
    moved = list(places)
    for before, this in pairwise(order):
        moved[this] = min(moved[this], moved[before] - least)
    lowest = top
    for this in reversed(order):
        moved[this] = max(moved[this], lowest)
        lowest = moved[this] + least
    return moved
