# SPDX-License-Identifier: Apache-2.0
"""The page of `gavel credits`: a curve for each frame length, and the table behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gavel_cli.curves_svg import Curve, curves, whole
from gavel_cli.measurement_page import figure, measurement_page

HEADINGS = ("width", "frame", "delay", "measured", "formula", "rate with the formula",
            "rate with one less than measured")
_STEP = 50


def render_credits(rows: Sequence[Mapping[str, Any]], command: str) -> str:
    """The page.

    Parameters
    ----------
    rows
        What ``gavel credits --json`` prints.
    command
        The command line that repeats the measurement.
    """
    widths = sorted({row["data_width"] for row in rows})
    longest = rows[0]["max_frame_bytes"]
    return measurement_page(
        "Credits for line rate",
        f"The least limit of a peer's buffer, in credits of 64 bytes, with which an output sends "
        f"in every cycle; the switch takes frames of up to {longest} bytes. Golden model alone, "
        "which is compared with the RTL cycle by cycle elsewhere",
        [_figure(width, [row for row in rows if row["data_width"] == width]) for width in widths],
        HEADINGS, [shown(row) for row in rows], command,
    )


def _figure(width: int, rows: Sequence[Mapping[str, Any]]) -> str:
    items = []
    for length in sorted({row["frame_bytes"] for row in rows}):
        chosen = [row for row in rows if row["frame_bytes"] == length]
        items.append(Curve(f"{length} B", *(
            [row[name] for row in chosen] for name in ("delay", "measured", "formula"))))
    most = max(value for item in items for value in item.heights)
    return figure(
        f"{width} bits a cycle",
        curves(items, "delay of the link, cycles each way", "credits",
               most=_STEP * -(-most // _STEP), shown=whole),
        "Dots are measured, lines are the formula of docs/flow_control.md. Each curve is a length "
        "of the frames.",
    )


def shown(row: Mapping[str, Any]) -> Sequence[str]:
    """The cells of a row of the table, as `HEADINGS`."""
    return (str(row["data_width"]), str(row["frame_bytes"]), str(row["delay"]),
            f"{row['measured']:,}", f"{row['formula']:,}", f"{100 * row['rate']:.2f} %",
            "none" if row["rate_below"] is None else f"{100 * row['rate_below']:.2f} %")
