# SPDX-License-Identifier: Apache-2.0
"""`gavel goodput`: what link-level retry leaves of the line rate, beside what it could leave."""

from __future__ import annotations

import shlex
import sys
from itertools import product
from pathlib import Path
from typing import Any

import click

from gavel_cli.errors import EXIT_CODES, InputError
from gavel_cli.goodput_report import render_goodput
from gavel_cli.options import json_option, print_json
from gavel_cli.report import REPORT_NAME
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import DATA_WIDTHS
from gavel_tb.files import check_writable, write_together
from gavel_tb.goodput import GoodputJob, goodput_config, measure_on_model

ERRORS = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
DELAYS = (10, 100, 500)
WIDTHS = (64, 512)
COLUMNS = ("width", "frame", "delay", "word errors", "measured", "± s.e.", "bound", "of bound",
           "errors", "frames")
_FRAME_LIMITS = (64, 9216)
_LONGEST_DELAY = 16384


@click.command(epilog=EXIT_CODES)
@click.option("--width", "widths", type=click.Choice([str(width) for width in DATA_WIDTHS]),
              multiple=True, default=[str(width) for width in WIDTHS], show_default=True,
              help="Bits a cycle; may be repeated.")
@click.option("--frame-bytes", type=click.IntRange(*_FRAME_LIMITS), default=64,
              show_default=True, help="Length of all frames, FCS included.")
@click.option("--delay", "delays", type=click.IntRange(0, _LONGEST_DELAY), multiple=True,
              default=DELAYS, show_default=True,
              help="Cycles of the link, each way; may be repeated.")
@click.option("--errors", "errors", type=float, multiple=True, default=ERRORS, show_default=True,
              help="Probability that a word is hit; may be repeated.")
@click.option("--cycles", type=click.IntRange(min=1000), default=200_000, show_default=True,
              help="Measured cycles of each point.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the errors.")
@click.option("--rtl", is_flag=True, help="Verilated switch in lockstep with the golden model, "
              "instead of the golden model alone.")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help=f"Write the page DIR/{REPORT_NAME}.")
@json_option
def goodput(
    *,
    widths: tuple[str, ...],
    frame_bytes: int,
    delays: tuple[int, ...],
    errors: tuple[float, ...],
    cycles: int,
    seed: int,
    rtl: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Measure the goodput of one link with errors, for word error rates and loop delays.

    Frames leave at line rate through a replay buffer of the size that docs/llr.md asks for. The
    bound is that of go-back-N by the rules of link-level retry, with the same frame length,
    window and replay timer, and no time lost but the loop. Errors hit the way out only.
    """
    for error in errors:
        if not 0.0 <= error < 1.0:
            raise InputError(f"--errors {error}: must be in 0...1, 1 excluded")
    if report is not None:
        check_writable(report, REPORT_NAME)
    points = list(product([int(width) for width in widths], sorted(delays), sorted(errors)))
    if not as_json:
        click.echo("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    rows: list[dict[str, Any]] = []
    with ProgressBar("gavel goodput") as bar:
        for done, (width, delay, error) in enumerate(points):
            bar(done / len(points), f"{width} bits, delay {delay}, errors {error:g}")
            job = GoodputJob(seed=seed, word_errors=error, delay=delay, cycles=cycles)
            rows.append({"data_width": width, "frame_bytes": frame_bytes, "delay": delay,
                         "word_errors": error, **_measure(width, frame_bytes, job, rtl)})
            if not as_json:
                click.echo(_row(rows[-1]))
    if as_json:
        print_json(rows)
    if report is not None:
        command = "gavel " + shlex.join(sys.argv[1:])
        write_together(report, {REPORT_NAME: render_goodput(rows, command, rtl=rtl)})


def _measure(width: int, frame_bytes: int, job: GoodputJob, rtl: bool) -> dict[str, Any]:
    config = goodput_config(width, frame_bytes, job.delay)
    if not rtl:
        return measure_on_model(config, job)
    # Imported here, so that the model alone runs where no simulator is installed.
    from gavel_cli.errors import check_failed
    from gavel_tb.simulate import simulate

    result = simulate(config, {"kind": "goodput", "parameters": job.parameters()})
    if not result["passed"]:
        raise check_failed("model and RTL differ", result["report"], as_json=False)
    figures: dict[str, Any] = result["figures"]
    return figures


def _row(row: dict[str, Any]) -> str:
    cells = (str(row["data_width"]), str(row["frame_bytes"]), str(row["delay"]),
             f"{row['word_errors']:g}", f"{100 * row['goodput']:.2f} %",
             f"{100 * row['standard_error']:.2f}", f"{100 * row['bound']:.2f} %",
             f"{100 * row['share_of_bound']:.2f} %", f"{row['errors']:,}", f"{row['frames']:,}")
    return "| " + " | ".join(cells) + " |"
