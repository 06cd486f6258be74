# SPDX-License-Identifier: Apache-2.0
"""What `gavel sweep` shows: a table, and a page with charts above it."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_cli.curves_svg import Curve, curves, percent, plain
from gavel_cli.measurement_page import figure, measurement_page
from gavel_tb.sweep.chart import TITLES, Chart
from gavel_tb.sweep.summary import PointSummary
from gavel_tb.theory.student import CONFIDENCE


def table(
    points: Sequence[PointSummary], names: Sequence[str], figures: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: parameters, then of each figure mean, confidence interval, theory, and the
    difference in percent of it, as far as any point has them.

    Parameters
    ----------
    names, figures
        Parameters and figures that are shown.
    """
    headings, columns = list(names), [[str(point.parameters[name]) for point in points]
                                      for name in names]
    for name in figures:
        if not any(name in point.means for point in points):
            continue
        headings.append(name)
        columns.append([_number(point.means.get(name)) for point in points])
        if any(point.spreads.get(name) is not None for point in points):
            headings.append(f"± {CONFIDENCE:.0%}")
            columns.append([_number(point.spreads.get(name)) for point in points])
        for theory in _theories(points, name):
            headings.append("theory" if theory == name else f"theory {theory}")
            columns.append([_number(point.theory.get(theory)) for point in points])
        if any(point.difference(name) is not None for point in points):
            headings.append("difference")
            columns.append([_percent(point.difference(name)) for point in points])
    if any(point.saturated for point in points):
        headings.append("saturated")
        columns.append(["yes" if point.saturated else "" for point in points])
    if any(point.seeds > 1 for point in points):
        headings.append("seeds")
        columns.append([str(point.seeds) for point in points])
    return headings, [list(row) for row in zip(*columns, strict=True)]


def _theories(points: Sequence[PointSummary], name: str) -> list[str]:
    """Names of theory's values for a figure: its own, and those that begin with it."""
    found = dict.fromkeys(key for point in points for key in point.theory
                          if key == name or key.startswith(f"{name}_"))
    return list(found)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value == round(value) else f"{value:.4g}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:+.2f} %"


def render_sweep(
    points: Sequence[PointSummary], charts: Sequence[Chart], headings: Sequence[str],
    rows: Sequence[Sequence[str]], command: str, *, title: str, lead: str,
) -> str:
    """The page.

    Parameters
    ----------
    points, charts
        What was measured, and what is drawn of it.
    headings, rows
        Of `table`.
    command
        The command line that repeats the measurement.
    """
    figures = [_chart(chart, points) for chart in charts
               if any(chart.figure in point.means for point in points)]
    return measurement_page(title, lead, figures, headings, rows, command, "Gavel sweep")


def _chart(chart: Chart, points: Sequence[PointSummary]) -> str:
    groups: dict[str, list[PointSummary]] = {}
    for point in points:
        groups.setdefault(_name(chart, point), []).append(point)
    items = []
    for name, group in groups.items():
        group = sorted(group, key=lambda point: float(point.parameters[chart.x]))
        lines = [[point.theory.get(key) for point in group]
                 for key in (chart.figure, *chart.more_theory)]
        items.append(Curve(
            name, [float(point.parameters[chart.x]) for point in group],
            [point.means.get(chart.figure) for point in group], lines[0],
            [point.spreads.get(chart.figure) for point in group],
            [point.saturated for point in group], lines[1:]))
    most = max((value for item in items for value in item.heights), default=1.0)
    return figure(chart.title, curves(
        items, TITLES.get(chart.x, chart.x), TITLES.get(chart.figure, chart.figure),
        most=1.0 if chart.share else most or 1.0, shown=percent if chart.share else plain,
        log_x=chart.log_x, log_y=chart.log_y), chart.caption)


def _name(chart: Chart, point: PointSummary) -> str:
    """What stands at the end of a curve."""
    values = [point.parameters[name] for name in chart.series]
    if len(values) == 1 and isinstance(values[0], int | float):
        return f"{chart.series[0].replace('islip_iterations', 'iter.')} {values[0]:g}"
    return " ".join(str(value) for value in values)
