# SPDX-License-Identifier: Apache-2.0
"""What a chart of a sweep shows, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gavel_tb.sweep.plan import SweepPlan

LOG_AXES = ("word_errors", "bit_errors", "size", "credits", "buffer_cells", "data_width")
TITLES = {
    "load": "offered load",
    "accepted": "accepted share of the line rate",
    "wait_mean": "mean wait, cycles",
    "delay_mean": "mean delay to the first word, cycles",
    "delay_p99": "99th percentile of the delay, cycles",
    "fairness": "Jain's index over flows",
    "word_errors": "probability that a word is hit",
    "bit_errors": "bit error rate",
    "delay": "delay of the link, cycles each way",
    "ports": "ports",
    "size": "bytes",
    "goodput": "goodput",
    "rate": "share of the line rate",
    "credits": "credits of 64 bytes",
    "bus_share": "bus bandwidth, share of the line rate",
}
"""Of axes; what is not here has its name as a title."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves of one figure over one parameter.

    Attributes
    ----------
    x, figure
        Names of the parameter and of the figure.
    series
        Parameters of which each combination of values is a curve.
    more_theory
        Names of theory's further values for the figure, besides the one of its own name.
    caption
        What it shows.
    log_x, log_y
        Axes are logarithmic.
    share
        The figure is a share, shown in percent of 1.
    """

    x: str
    figure: str
    series: Sequence[str] = ()
    more_theory: Sequence[str] = ()
    caption: str = ""
    log_x: bool = False
    log_y: bool = False
    share: bool = True

    @property
    def title(self) -> str:
        """Above the chart."""
        figure = TITLES.get(self.figure, self.figure)
        return figure[0].upper() + figure[1:]


_CAPTION = ("Dots are measured, with 95 % confidence intervals over the seeds where there are "
            "several; hollow dots are saturated. ")
WITH_THEORY = _CAPTION + "Lines are theory (docs/sweeps.md)."


def charts_of(plan: SweepPlan) -> list[Chart]:
    """The charts of a plan: its figures over the load or else the first axis of numbers that it
    varies; every other axis that it varies makes curves."""
    varied = plan.varied
    numeric = [name for name in varied if _numbers([*plan.fields.get(name, ()),
                                                    *plan.axes.get(name, ())])]
    if not numeric:
        return []
    x = "load" if "load" in numeric else numeric[0]
    series = tuple(name for name in varied if name != x)
    figures = ("accepted",) if plan.linked else ("accepted", "wait_mean", "delay_p99", "fairness")
    return [Chart(x=x, figure=figure, series=series, caption=WITH_THEORY, log_x=x in LOG_AXES,
                  log_y=figure in ("wait_mean", "delay_p99"),
                  share=figure in ("accepted", "fairness")) for figure in figures]


def _numbers(values: Sequence[object]) -> bool:
    try:
        return all(isinstance(float(str(value)), float) for value in values)
    except ValueError:
        return False
