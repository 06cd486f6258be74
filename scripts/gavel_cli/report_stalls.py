# SPDX-License-Identifier: Apache-2.0
"""Charts and table of the stalls: why each virtual channel of each output did not send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from gavel_cli.report_svg import compact, svg, text, ticks

WIDTH = 960
"""Width of the chart, which takes the whole page."""

_MOST_LANES = 64
_MOST_DETAILED = 32
"""Lanes up to which each bin says what it is, when one points at it."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 8, 6, 44
_LEGEND_COLUMNS = 5
_LEGEND_PITCH = 16


def css(state: str) -> str:
    """Class of a state in the style sheet."""
    return "s-" + state.replace(" ", "-")


def lanes(stalls: Mapping[str, Any]) -> tuple[list[str], list[list[list[int]]]]:
    """Names of the lanes, and for each [bin][state] in cycles: one lane for each VC that ever had
    a frame, or with too many of them one for each port."""
    names, rows = [], []
    empty = stalls["states"].index("empty")
    for port, channels in enumerate(stalls["bins"]):
        for vc, bins in enumerate(channels):
            if any(sum(row) != row[empty] for row in bins):
                names.append(f"{port} / VC {vc}")
                rows.append(bins)
    if len(rows) <= _MOST_LANES:
        return names, rows
    names, rows = [], []
    for port, channels in enumerate(stalls["bins"]):
        names.append(f"port {port}")
        rows.append([[sum(column) for column in zip(*parts, strict=True)]
                     for parts in zip(*channels, strict=True)])
    return names, rows


def chart(stalls: Mapping[str, Any]) -> str:
    """Stacked shares of each state over time, one lane for each output and VC."""
    names, rows = lanes(stalls)
    states: Sequence[str] = stalls["states"]
    pitch = 26 if len(rows) <= 16 else 18 if len(rows) <= 32 else 12
    bin_cycles = stalls["bin_cycles"]
    if len(rows) > _MOST_DETAILED:
        rows, bin_cycles = [_halved(_halved(row)) for row in rows], 4 * bin_cycles
    bins = max((len(row) for row in rows), default=1)
    wide = (WIDTH - _LEFT - _RIGHT) / bins
    shapes: dict[str, list[str]] = {}
    body = []
    for lane, (name, row) in enumerate(zip(names, rows, strict=True)):
        floor = _TOP + (lane + 1) * pitch - 2
        high = pitch - 4
        for place, cells in enumerate(row):
            told = _column(shapes, states, cells, _LEFT + wide * (place + 0.5), floor, high)
            if told and len(rows) <= _MOST_DETAILED:
                body.append(
                    f'<rect class="hit" x="{_LEFT + wide * place:.1f}" y="{floor - high}" '
                    f'width="{wide:.1f}" height="{high}"><title>{escape(name)}, cycle '
                    f"{place * bin_cycles:,} on&#10;{told}</title></rect>")
        body.append(f'<path class="lane" d="M{_LEFT} {floor}h{WIDTH - _LEFT - _RIGHT}"/>')
        body.append(text(_LEFT - 6, floor - high / 2 + 4, name, "tiny" if pitch < 16 else "",
                         "end"))
    floor = _TOP + pitch * len(rows)
    total = bins * bin_cycles
    for tick in ticks(total)[:-1]:
        at = _LEFT + (WIDTH - _LEFT - _RIGHT) * tick / total
        body.append(f'<path class="axis" d="M{at:.1f} {floor}v4"/>')
        body.append(text(at, floor + 17, compact(tick)))
    body.append(text(_LEFT + (WIDTH - _LEFT - _RIGHT) / 2, floor + _BOTTOM - 10,
                     "simulated cycle", "at"))
    legend = _legend(states, floor + _BOTTOM)
    shown = -(-(len(states) - 1) // _LEGEND_COLUMNS)
    areas = [f'<path class="{css(state)}" stroke-width="{wide:.2f}" d="{"".join(parts)}"/>'
             for state, parts in shapes.items()]
    return svg(floor + _BOTTOM + _LEGEND_PITCH * shown + 4,
               "States of the virtual channels of each output over time",
               [*areas, *body, *legend], WIDTH)


def _halved(row: Sequence[Sequence[int]]) -> list[list[int]]:
    """Two bins in one."""
    pairs = zip(row[::2], [*row[1::2], [0] * len(row[0])], strict=False)
    return [[a + b for a, b in zip(first, second, strict=True)] for first, second in pairs]


def _column(shapes: dict[str, list[str]], states: Sequence[str], cells: Sequence[int],
            middle: float, floor: float, high: float) -> str:
    """Adds one bin of one lane, a thick upright line for each state, to the shapes of the states,
    and says what it is; cycles without a frame stay blank."""
    total = sum(cells)
    told = []
    y = floor
    for state, cycles in zip(states, cells, strict=True):
        if not cycles or state == "empty":
            continue
        part = high * cycles / total
        y -= part
        shapes.setdefault(state, []).append(
            f"M{middle:.1f} {y:.1f}v{part:.1f}")
        told.append(f"{state}: {100 * cycles / total:.0f} %")
    return "&#10;".join(told)


def _legend(states: Sequence[str], top: float) -> list[str]:
    step = WIDTH / _LEGEND_COLUMNS
    body = []
    for number, state in enumerate(name for name in states if name != "empty"):
        x = step * (number % _LEGEND_COLUMNS) + 4
        y = top + _LEGEND_PITCH * (number // _LEGEND_COLUMNS)
        body.append(f'<rect class="{css(state)}" x="{x:.1f}" y="{y}" width="10" height="10"/>')
        body.append(text(x + 14, y + 9, state, "", "start"))
    return body


def table(stalls: Mapping[str, Any]) -> str:
    """Cycles of each state, one row for each output and VC that ever had a frame, with their sum,
    which is the length of the run."""
    states: Sequence[str] = stalls["states"]
    empty = states.index("empty")
    head = "".join(f"<th scope=col>{escape(state)}</th>" for state in states)
    rows = []
    for port, channels in enumerate(stalls["totals"]):
        for vc, cells in enumerate(channels):
            if sum(cells) == cells[empty]:
                continue
            body = "".join(f"<td>{cycles:,}</td>" for cycles in (*cells, sum(cells)))
            rows.append(f"<tr><th scope=row>{port} / VC {vc}</th>{body}</tr>")
    return (f'<section class="scroll"><h2>Stalls</h2><table class="wide"><tr><th>output</th>{head}'
            f"<th scope=col>sum</th></tr>{''.join(rows)}</table></section>")
