# SPDX-License-Identifier: Apache-2.0
"""Charts as inline SVG text: histogram, small multiples over time, heat map, bars.

Colours come from the page's style sheet by class, so that charts follow light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH = 460
"""Width of every chart in its own units; the page scales it."""

_HEAT_LEVELS = 9


def number(value: float) -> str:
    """A number for people: grouped thousands, three significant digits below 100."""
    if value == 0:
        return "0"
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"


def compact(value: float) -> str:
    """A number for an axis: thousands and millions as k and M."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if value >= 10 * unit:
            return f"{value / unit:g}{name}"
    return number(value)


def ticks(high: float, count: int = 5) -> list[float]:
    """Round values from 0 to at least ``high``, about ``count`` of them."""
    if high <= 0:
        return [0.0, 1.0]
    raw = high / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * 0.999)
    return [step * k for k in range(math.ceil(high / step - 1e-9) + 1)]


def svg(height: float, label: str, body: Sequence[str], width: float = WIDTH) -> str:
    """A whole chart of ``width`` by ``height``; ``label`` says to a screen reader what it shows."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">'
        + "".join(body) + "</svg>"
    )


def text(x: float, y: float, shown: str, style: str = "", anchor: str = "middle") -> str:
    """Text at a point."""
    css = f' class="{style}"' if style else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{css}>{escape(shown)}</text>'


def axis_title(x: float, y: float, shown: str) -> str:
    """Title of a vertical axis."""
    return f'<text transform="translate({x:g} {y:g}) rotate(-90)" class="at">{escape(shown)}</text>'


def histogram(
    edges: Sequence[int], counts: Sequence[int], marks: Sequence[tuple[str, float]]
) -> str:
    """Latency histogram: frames per bin of cycles, on a logarithmic scale when the counts span
    more than two decades; ``marks`` are vertical lines (name, cycles)."""
    left, top, right, bottom, height = 58, 30, 10, 44, 270
    plot_w, plot_h = WIDTH - left - right, height - top - bottom
    peak = max(counts)
    logarithmic = peak > 100 * (min((c for c in counts if c), default=1))
    # A constant latency is a narrow bar in the middle, not a wall.
    margin = max(0, 12 - (edges[-1] - edges[0])) // 2
    low, high = max(0, edges[0] - margin), edges[-1] + margin

    def x(value: float) -> float:
        return round(left + plot_w * (value - low) / (high - low), 2)

    if logarithmic:
        decades = max(1, math.ceil(math.log10(peak)))
        levels = [10.0**k for k in range(decades + 1)]

        def y(value: float) -> float:
            share = (math.log10(value) + 0.3) / (decades + 0.3) if value >= 1 else 0
            return round(top + plot_h * (1 - share), 2)
    else:
        levels = ticks(peak)

        def y(value: float) -> float:
            return round(top + plot_h * (1 - value / levels[-1]), 2)

    body = []
    for level in levels:
        body.append(f'<path class="grid" d="M{left} {y(level)}h{plot_w}"/>')
        body.append(text(left - 6, y(level) + 4, compact(level), anchor="end"))
    for start, end, count in zip(edges, edges[1:], counts, strict=False):
        if not count:
            continue
        span = f"{start} cycles" if end == start + 1 else f"{start} to {end - 1} cycles"
        body.append(
            f'<rect class="bar" x="{x(start)}" y="{y(count)}" '
            f'width="{max(0.8, round(x(end) - x(start) - 1, 2))}" '
            f'height="{round(top + plot_h - y(count), 2)}">'
            f"<title>{span}: {count:,} frames</title></rect>"
        )
    for tick in _spread(low, high):
        body.append(text(x(tick), top + plot_h + 16, compact(tick)))
    # Names of marks that lie close together go on lines of their own.
    for row, (name, cycles) in enumerate(marks):
        place = x(min(max(cycles + 0.5, low), high))
        anchor = "end" if place > left + plot_w * 0.7 else "start"
        body.append(f'<path class="mark" d="M{place} {top - 2}V{top + plot_h}"/>')
        shift = -5 if anchor == "end" else 5
        shown = f"{name} {number(cycles)}"
        body.append(text(place + shift, top + 10 + 15 * row, shown, "mk", anchor))
    body.append(f'<path class="axis" d="M{left} {top + plot_h}h{plot_w}"/>')
    body.append(text(left + plot_w / 2, height - 6, "latency, cycles", "at"))
    unit = "frames (logarithmic)" if logarithmic else "frames"
    body.append(axis_title(13, top + plot_h / 2, unit))
    return svg(height, "Latency histogram", body)


def _spread(low: int, high: int, count: int = 5) -> list[int]:
    """Round whole numbers within ``low`` to ``high``."""
    steps = ticks(high - low, count)
    step = max(1, round(steps[1] - steps[0]))
    first = -(-low // step) * step
    return list(range(first, high + 1, step))


def small_multiples(rows: Sequence[Sequence[float]], bin_cycles: int, label: str) -> str:
    """One filled curve per port, each from 0 to 100 %, over simulated cycles."""
    ports = len(rows)
    pitch = 32 if ports <= 8 else 22 if ports <= 16 else 12
    left, right, top, bottom = 52, 44, 8, 44
    plot_w, area = WIDTH - left - right, pitch - max(2, pitch // 5)
    height = top + ports * pitch + bottom
    bins = len(rows[0])
    width = plot_w / bins
    style = "tiny" if ports > 16 else ""
    body = []
    for port, row in enumerate(rows):
        base = top + (port + 1) * pitch - 2
        body.append(f'<path class="lane" d="M{left} {base}h{plot_w}"/>')
        # Whole units where lanes are low; equal neighbours share one step.
        digits = 1 if ports <= 16 else 0
        path = [f"M{left} {base}"]
        for place, share in enumerate(row):
            if place + 1 < bins and row[place + 1] == share:
                continue
            path.append(f"V{base - area * min(1.0, share):.{digits}f}"
                        f"H{left + width * (place + 1):.{digits}f}")
        path.append(f"V{base}Z")
        mean = sum(row) / bins
        body.append(
            f'<path class="area" d="{"".join(path)}">'
            f"<title>port {port}: mean {100 * mean:.1f} %</title></path>"
        )
        if ports <= 16 or port % 4 == 0:
            middle = base - area / 2 + 4
            body.append(text(left - 6, middle, f"port {port}", style, "end"))
            body.append(text(WIDTH - right + 5, middle, f"{100 * mean:.0f} %", style, "start"))
    if ports <= 16:
        # One transparent strip per bin, so that a tooltip lists all ports at that time.
        for place in range(bins):
            values = "&#10;".join(
                f"port {port}: {100 * row[place]:.0f} %" for port, row in enumerate(rows)
            )
            body.append(
                f'<rect class="hit" x="{left + width * place:.1f}" y="{top}" '
                f'width="{width:.1f}" height="{ports * pitch}">'
                f"<title>cycle {place * bin_cycles:,} on&#10;{values}</title></rect>"
            )
    floor = top + ports * pitch
    total = bins * bin_cycles
    for tick in ticks(total)[:-1]:
        at = left + plot_w * tick / total
        body.append(f'<path class="axis" d="M{at:.1f} {floor}v4"/>')
        body.append(text(at, floor + 17, compact(tick)))
    body.append(text(left + plot_w / 2, height - 6, "simulated cycle", "at"))
    body.append(text(WIDTH - 4, height - 6, "mean", "at", "end"))
    return svg(height, label, body)


def heat_map(mean: Sequence[Sequence[float]], peak: Sequence[Sequence[int]]) -> str:
    """Occupancy of the VOQs, input by output; darkness grows with the square root."""
    ports = len(mean)
    left, top, right, bottom = 52, 34, 8, 52
    cell = (WIDTH - left - right) / ports
    height = top + cell * ports + bottom
    high = max(max(row) for row in mean)
    body = [f'<rect class="h0" x="{left}" y="{top}" width="{cell * ports:.1f}" '
            f'height="{cell * ports:.1f}"/>']
    gap = 2 if ports <= 16 else 0.5
    side = f"{cell - gap:.1f}"
    for source, row in enumerate(mean):
        for target, value in enumerate(row):
            level = math.ceil(_HEAT_LEVELS * math.sqrt(value / high)) if high else 0
            if not level and ports > 16:
                continue
            x, y = left + cell * target, top + cell * source
            body.append(
                f'<path class="h{level}" d="M{x:.1f} {y:.1f}h{side}v{side}h-{side}z">'
                f"<title>{source} → {target}: {value:.3g}, peak {peak[source][target]}</title>"
                "</path>"
            )
            if ports <= 10 and value:
                shade = "on" if level > 5 else "off"
                shown = f"{value:.2f}" if value < 10 else f"{value:.0f}"
                body.append(text(x + (cell - gap) / 2, y + cell / 2 + 3, shown, shade))
    step = 1 if ports <= 16 else 4 if ports <= 32 else 8
    for port in range(0, ports, step):
        middle = cell * (port + 0.5)
        body.append(text(left + middle, top - 6, str(port)))
        body.append(text(left - 7, top + middle + 4, str(port), anchor="end"))
    body.append(text(left + cell * ports / 2, 12, "output port", "at"))
    body.append(axis_title(14, top + cell * ports / 2, "input port"))
    scale = top + cell * ports + 16
    for level in range(_HEAT_LEVELS + 1):
        body.append(f'<rect class="h{level}" x="{left + 20 * level}" y="{scale}" width="19" '
                    'height="10"/>')
    body.append(text(left, scale + 25, "0", anchor="start"))
    end = left + 20 * (_HEAT_LEVELS + 1)
    body.append(text(end, scale + 25, f"{high:.3g}", anchor="end"))
    body.append(text(end + 8, scale + 9, "frames in a VOQ, mean", "at", "start"))
    return svg(height, "VOQ occupancy by input and output", body)


def bars(values: Sequence[int | None], unit: str) -> str:
    """One horizontal bar per rank."""
    count = len(values)
    pitch = 24 if count <= 16 else 12
    left, right, top, bottom = 58, 70, 6, 42
    plot_w = WIDTH - left - right
    high = max((value for value in values if value is not None), default=1) or 1
    body = []
    for rank, value in enumerate(values):
        y = top + pitch * rank
        width = plot_w * (value or 0) / high
        shown = "not complete" if value is None else f"{value:,}"
        body.append(
            f'<rect class="bar" x="{left}" y="{y}" width="{width:.1f}" height="{pitch - 4}">'
            f"<title>rank {rank}: {shown} {unit}</title></rect>"
        )
        if count <= 16 or rank % 4 == 0:
            style = "" if count <= 16 else "tiny"
            body.append(text(left - 6, y + pitch / 2 + 2, f"rank {rank}", style, "end"))
            body.append(text(left + width + 5, y + pitch / 2 + 2, shown, style, "start"))
    floor = top + pitch * count
    body.append(f'<path class="axis" d="M{left} {floor}h{plot_w}"/>')
    for tick in ticks(high, 4):
        if tick <= high * 1.02:
            body.append(text(left + plot_w * tick / high, floor + 16, compact(tick)))
    body.append(text(left + plot_w / 2, floor + bottom - 6, unit, "at"))
    return svg(floor + bottom, "Completion per rank", body)
