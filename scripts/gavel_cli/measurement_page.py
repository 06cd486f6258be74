# SPDX-License-Identifier: Apache-2.0
"""The page of a measurement: figures, the table behind them, the command that repeats it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from gavel_cli.report_style import STYLE


def figure(title: str, chart: str, caption: str) -> str:
    """A chart, which is inline SVG, with its title and what it shows."""
    return (f"<figure><h2>{escape(title)}</h2>{chart}<figcaption>{escape(caption)}"
            "</figcaption></figure>")


def measurement_page(
    title: str, lead: str, figures: Iterable[str], headings: Sequence[str],
    rows: Iterable[Sequence[str]], command: str, kicker: str = "Gavel link report",
) -> str:
    """The page, as HTML.

    Parameters
    ----------
    lead
        What was measured, in one sentence.
    figures
        Of `figure`.
    headings, rows
        The table, as shown.
    command
        The command line that repeats the measurement.
    kicker
        Above the title.
    """
    body = "".join(_cells("td", row) for row in rows)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gavel: {escape(title[0].lower() + title[1:])}</title><style>{STYLE}</style></head>
<body><header><p class="kicker">{escape(kicker)}</p><h1>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p></header>
<main><div class="figures">{"".join(figures)}</div>
<section class="scroll"><h2>Measured and computed</h2>
<table class="wide">{_cells("th", headings)}{body}</table></section>
<section><h2>Command</h2><pre>{escape(command)}</pre></section></main></body></html>
"""


def _cells(tag: str, values: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(value)}</{tag}>" for value in values) + "</tr>"
