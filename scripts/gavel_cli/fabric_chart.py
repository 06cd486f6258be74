# SPDX-License-Identifier: Apache-2.0
"""Links of a fabric over time as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gavel_cli.report_svg import compact, svg, text, ticks

_WIDTH = 960
_LEFT, _RIGHT, _TOP, _BOTTOM, _PITCH = 250, 56, 8, 66, 18
_LEVELS = 9


def link_map(
    names: Sequence[str], rows: Sequence[Sequence[float]], means: Sequence[float], bin_cycles: int
) -> str:
    """A line for each link, darker where it carried more of what it can; its mean at the right.

    Parameters
    ----------
    names, rows
        Links, and the share of each in each bin, 0...1.
    means
        What stands at the right of each, 0...1.
    bin_cycles
        Width of a bin.
    """
    bins = len(rows[0]) if rows else 0
    width = (_WIDTH - _LEFT - _RIGHT) / max(1, bins)
    body = []
    for place, (name, row, mean) in enumerate(zip(names, rows, means, strict=True)):
        y = _TOP + _PITCH * place
        body.append(text(_LEFT - 8, y + 13, name, anchor="end"))
        body.append(f'<rect class="h0" x="{_LEFT}" y="{y}" width="{width * bins:.1f}" '
                    f'height="{_PITCH - 3}"><title>{name}</title></rect>')
        start = 0
        while start < bins:
            level = math.ceil(_LEVELS * row[start])
            end = start + 1
            while end < bins and math.ceil(_LEVELS * row[end]) == level:
                end += 1
            if level:
                share = 100 * sum(row[start:end]) / (end - start)
                body.append(
                    f'<rect class="h{level}" x="{_LEFT + width * start:.1f}" y="{y}" '
                    f'width="{width * (end - start):.1f}" height="{_PITCH - 3}"><title>{name}, '
                    f"cycle {start * bin_cycles:,} on: {share:.0f} %</title></rect>")
            start = end
        body.append(text(_WIDTH - _RIGHT + 8, y + 13, f"{100 * mean:.0f} %", anchor="start"))
    floor = _TOP + _PITCH * len(rows)
    total = max(1, bins * bin_cycles)
    for tick in ticks(total, 8):
        if tick <= total:
            at = _LEFT + width * bins * tick / total
            body.append(f'<path class="axis" d="M{at:.1f} {floor}v4"/>')
            body.append(text(at, floor + 17, compact(tick)))
    body.append(text(_LEFT + width * bins / 2, floor + 36, "simulated cycle", "at"))
    for level in range(_LEVELS + 1):
        body.append(f'<rect class="h{level}" x="{_LEFT + 20 * level}" y="{floor + 44}" '
                    'width="19" height="10"/>')
    end = _LEFT + 20 * (_LEVELS + 1) + 8
    body.append(text(end, floor + 53, "of the line rate, 0 to 100 %", "at", "start"))
    return svg(floor + _BOTTOM, "Utilisation of the hottest links", body, _WIDTH)
