# SPDX-License-Identifier: Apache-2.0
"""Parts of report pages: cards, figures, tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def card(title: str, value: str, note: str = "", state: str = "") -> str:
    """A figure with its name, a note, and ``good`` or ``bad`` if it is one of the two."""
    css = f"card {state}".strip()
    return (
        f'<div class="{css}"><dt>{escape(title)}</dt><dd>{escape(value)}</dd>'
        f"<p>{escape(note)}</p></div>"
    )


def figure(title: str, chart: str, caption: str, css: str = "") -> str:
    """A chart, which is inline SVG, with its title and what it shows."""
    return (
        f'<figure class="{css}"><h2>{escape(title)}</h2>{chart}'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def table(title: str, rows: Sequence[tuple[str, object]]) -> str:
    """Names and values."""
    body = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in rows
    )
    return f"<section><h2>{escape(title)}</h2><table>{body}</table></section>"
