# SPDX-License-Identifier: Apache-2.0
"""`gavel sweep`: many points of a switch under load, over processes and machines, beside theory."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from gavel_cli.errors import EXIT_CODES, InputError, check_failed
from gavel_cli.options import json_option, print_json
from gavel_cli.report import REPORT_NAME
from gavel_cli.run_progress import ProgressBar
from gavel_cli.sweep_options import plan_of, plan_options, study_of
from gavel_cli.sweep_page import render_sweep, table
from gavel_model.config import SwitchConfig
from gavel_tb.farm.dispatch import run
from gavel_tb.farm.journal import Journal
from gavel_tb.farm.sources import source_digest
from gavel_tb.farm.unit import Outcome, Unit
from gavel_tb.files import check_writable, write_together
from gavel_tb.sweep.chart import Chart, charts_of
from gavel_tb.sweep.engines import open_engine
from gavel_tb.sweep.plan import SweepPlan
from gavel_tb.sweep.points import Row
from gavel_tb.sweep.studies import STUDIES
from gavel_tb.sweep.summary import summarise
from gavel_tb.sweep.table import check_table, flat, table_bytes

UNITS_SUFFIX = ".units"
"""Of the folder beside the results in which finished units stand."""

FIGURES = ("offered", "accepted", "fairness", "delay_mean", "delay_p99", "wait_mean", "dropped")
"""What the table of a plan shows; the file of results has more."""

_RTL = ("rtl", "both")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sweep: its units, and what is shown of them. ``names``: parameters."""

    title: str
    lead: str
    units: Sequence[Unit]
    charts: Sequence[Chart]
    names: Sequence[str]
    figures: Sequence[str]


@click.command(epilog=EXIT_CODES)
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[PLAN.toml]")
@plan_options
@click.option("--study", type=click.Choice(sorted(STUDIES)),
              help="A ready sweep that theory has a formula for, instead of a plan.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N",
              help="Processes on this machine; all cores without it.")
@click.option("--scheduler", metavar="ADDRESS",
              help="Workers of a Dask scheduler instead, see docs/farm.md.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write all rows, one for each point and seed, to a .csv or .parquet file. "
              f"Finished units stand in FILE{UNITS_SUFFIX}: the same command goes on where an "
              "earlier one was stopped.")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help=f"Write the page DIR/{REPORT_NAME}.")
@click.option("--theory/--no-theory", default=True, show_default=True,
              help="Show theory beside what is measured, where a formula fits.")
@json_option
def sweep(
    *,
    file: Path | None,
    study: str | None,
    workers: int | None,
    scheduler: str | None,
    output: Path | None,
    report: Path | None,
    theory: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure throughput, delay and fairness for all combinations of loads, traffic and switches.

    Each axis takes one value or several, with commas between them or as first:last:step. Every
    frame says what it is and is checked. A load that a switch cannot carry is a result: the point
    is marked as saturated, and its delay then says only how large the buffers are. Points with
    errors, delay or credits have link partners and run on the golden model. docs/sweeps.md says
    how each figure is defined.
    """
    try:
        sheet = (_planned(plan_of(file, options)) if study is None
                 else _studied(study, file, options))
        if output is not None:
            check_table(output)
    except ValueError as error:
        raise InputError(str(error)) from None
    if output is not None:
        check_writable(output.parent, output.name)
    if report is not None:
        check_writable(report, REPORT_NAME)
    _build(sheet.units, scheduler)
    rows = _measure(sheet, output, workers, scheduler)
    if output is not None:
        write_together(output.parent, {output.name: table_bytes(rows, output.suffix)})
    points = summarise(rows)
    if not theory:
        points = [replace(point, theory={}) for point in points]
    headings, lines = table(points, sheet.names, sheet.figures)
    if as_json:
        print_json([flat(row) for row in rows])
    else:
        for line in (headings, ["---"] * len(headings), *lines):
            click.echo("| " + " | ".join(line) + " |")
    if report is not None:
        page = render_sweep(points, sheet.charts, headings, lines,
                            "gavel " + shlex.join(sys.argv[1:]), title=sheet.title,
                            lead=sheet.lead)
        write_together(report, {REPORT_NAME: page})


def _planned(plan: SweepPlan) -> Sheet:
    units = plan.units()
    engine = {"fast": "compiled golden model", "model": "golden model", "rtl": "Verilated RTL",
              "both": "golden model and Verilated RTL, every pin compared"}
    lead = (f"{plan.config}: {len(units) // plan.seeds} points with {plan.seeds} seeds each, "
            f"{plan.cycles} measured cycles; {engine['model' if plan.linked else plan.engine]}")
    return Sheet(title="Switch under load", lead=lead, units=units, charts=charts_of(plan),
                 names=plan.varied, figures=FIGURES)


def _studied(name: str, file: Path | None, options: dict[str, Any]) -> Sheet:
    study, scale = study_of(name, file, options)
    names = dict.fromkeys(name for chart in study.charts for name in (*chart.series, chart.x))
    return Sheet(title=study.title, lead=study.lead, units=study.units(scale),
                 charts=study.charts, names=list(names),
                 figures=[chart.figure for chart in study.charts])


def _build(units: Sequence[Unit], scheduler: str | None) -> None:
    """Builds the RTL that units need before workers wait for each other's builds."""
    wanted = {tuple(unit.parameters["config"].items()): unit.parameters for unit in units
              if unit.parameters.get("engine") in _RTL}
    if wanted and scheduler is not None:
        raise InputError("--scheduler: not with --engine rtl or both, whose builds stay on this "
                         "machine; leave it out")
    with ProgressBar("gavel sweep") as bar:
        for done, parameters in enumerate(wanted.values()):
            bar(done / len(wanted), "building the RTL")
            with open_engine("rtl", SwitchConfig(**parameters["config"])):
                pass


def _measure(
    sheet: Sheet, output: Path | None, workers: int | None, scheduler: str | None
) -> list[Row]:
    """Runs the units; rows in their order."""
    units, stamp, done = sheet.units, source_digest(), 0

    def told(_outcome: Outcome | None = None) -> None:
        nonlocal done
        done += _outcome is not None
        bar(done / len(units), f"{done} of {len(units)} units")

    with tempfile.TemporaryDirectory() as elsewhere, ProgressBar("gavel sweep") as bar:
        folder = (Path(elsewhere) if output is None
                  else output.with_name(output.name + UNITS_SUFFIX))
        with Journal(folder, stamp) as journal:
            done = sum(journal.recall(unit) is not None for unit in units)
        told()
        outcomes = run(units, folder=folder, workers=workers, scheduler=scheduler,
                       on_result=told, stamp=stamp)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if failed:
        raise check_failed(f"{len(failed)} of {len(units)} units failed; the first: "
                           f"{failed[0].error}", str(failed[0].unit), as_json=False)
    return [outcome.result for outcome in outcomes]
