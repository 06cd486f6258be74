# SPDX-License-Identifier: Apache-2.0
"""The page of `gavel goodput`: a curve for each loop delay, and the table behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gavel_cli.curves_svg import Curve, curves
from gavel_cli.measurement_page import figure, measurement_page

HEADINGS = ("width", "delay", "word errors", "measured", "standard error", "bound", "of the bound",
            "errors", "frames")


def render_goodput(rows: Sequence[Mapping[str, Any]], command: str, *, rtl: bool) -> str:
    """The page.

    Parameters
    ----------
    rows
        What ``gavel goodput --json`` prints.
    command
        The command line that repeats the measurement.
    rtl
        The Verilated switch was measured, in lockstep with the golden model.
    """
    frame_bytes = rows[0]["frame_bytes"]
    widths = sorted({row["data_width"] for row in rows})
    engine = ("Verilated switch in lockstep with the golden model" if rtl
              else "golden model alone, which is compared with the RTL cycle by cycle elsewhere")
    return measurement_page(
        "Goodput of link-level retry", f"Frames of {frame_bytes} bytes at line rate; {engine}",
        [_figure(width, [row for row in rows if row["data_width"] == width]) for width in widths],
        HEADINGS, [_shown(row) for row in rows], command,
    )


def _figure(width: int, rows: Sequence[Mapping[str, Any]]) -> str:
    items = []
    for delay in sorted({row["delay"] for row in rows}):
        chosen = [row for row in rows if row["delay"] == delay]
        items.append(Curve(f"{delay} cycles", *(
            [row[name] for row in chosen] for name in ("word_errors", "goodput", "bound"))))
    return figure(
        f"{width} bits a cycle", curves(items, "probability that a word is hit", "goodput"),
        "Dots are measured, lines are the bound of go-back-N with the same frame length, window "
        "and timer. Each curve is a delay of the link, each way.",
    )


def _shown(row: Mapping[str, Any]) -> Sequence[str]:
    shares = [f"{100 * row[name]:.2f} %"
              for name in ("goodput", "standard_error", "bound", "share_of_bound")]
    return (str(row["data_width"]), str(row["delay"]), f"{row['word_errors']:g}", *shares,
            f"{row['errors']:,}", f"{row['frames']:,}")
