# SPDX-License-Identifier: Apache-2.0
"""`gavel credits`: how many credits an output needs for line rate, beside the formula."""

from __future__ import annotations

import shlex
import sys
from itertools import product
from pathlib import Path
from typing import Any

import click

from gavel_cli.credits_report import HEADINGS, render_credits, shown
from gavel_cli.errors import EXIT_CODES, InputError, check_failed
from gavel_cli.options import json_option, print_json
from gavel_cli.report import REPORT_NAME
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import DATA_WIDTHS
from gavel_tb.credit_loop import CreditLoopJob, measure_credits
from gavel_tb.files import check_writable, write_together

DELAYS = (5, 20, 100, 500)
SIZES = (64, 1024)
LONGEST = 9216
_FRAME_LIMITS = (64, 9216)
_LONGEST_DELAY = 16384


@click.command("credits", epilog=EXIT_CODES)
@click.option("--width", "widths", type=click.Choice([str(width) for width in DATA_WIDTHS]),
              multiple=True, default=[str(width) for width in DATA_WIDTHS], show_default=True,
              help="Bits a cycle; may be repeated.")
@click.option("--frame-bytes", "sizes", type=click.IntRange(*_FRAME_LIMITS), multiple=True,
              default=SIZES, show_default=True,
              help="Length of all frames, FCS included; may be repeated.")
@click.option("--max-frame-bytes", "longest", type=click.IntRange(*_FRAME_LIMITS),
              default=LONGEST, show_default=True,
              help="Longest frame that the switch takes: credits for one must be there.")
@click.option("--delay", "delays", type=click.IntRange(0, _LONGEST_DELAY), multiple=True,
              default=DELAYS, show_default=True,
              help="Cycles of the link, each way; may be repeated.")
@click.option("--total", is_flag=True, help="One limit for all VCs, instead of one for each.")
@click.option("--llr", is_flag=True, help="With link-level retry, whose ACKs take turns with what "
              "gives credits back.")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help=f"Write the page DIR/{REPORT_NAME}.")
@json_option
def credits_command(
    *,
    widths: tuple[str, ...],
    sizes: tuple[int, ...],
    longest: int,
    delays: tuple[int, ...],
    total: bool,
    llr: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Measure how many credits an output needs for line rate, for frame lengths and loop delays.

    The limit is narrowed down on the golden model until one credit less would no longer fill
    99.9 % of the cycles. The formula is that of docs/flow_control.md, chapter Sizes, and must
    never be too small.
    """
    for size in sizes:
        if size > longest:
            raise InputError(f"--frame-bytes {size}: must be at most --max-frame-bytes {longest}")
    if report is not None:
        check_writable(report, REPORT_NAME)
    points = list(product([int(width) for width in widths], sorted(sizes), sorted(delays)))
    if not as_json:
        click.echo("| " + " | ".join(HEADINGS) + " |\n|" + "---|" * len(HEADINGS))
    rows: list[dict[str, Any]] = []
    with ProgressBar("gavel credits") as bar:
        for done, (width, size, delay) in enumerate(points):
            bar(done / len(points), f"{width} bits, {size} bytes, delay {delay}")
            job = CreditLoopJob(frame_bytes=size, delay=delay, total=total, llr=llr)
            rows.append({"data_width": width, "frame_bytes": size, "max_frame_bytes": longest,
                         "delay": delay, **measure_credits(width, longest, job)})
            if not as_json:
                click.echo("| " + " | ".join(shown(rows[-1])) + " |")
    if as_json:
        print_json(rows)
    if report is not None:
        command = "gavel " + shlex.join(sys.argv[1:])
        write_together(report, {REPORT_NAME: render_credits(rows, command)})
    short = [row for row in rows if row["measured"] > row["formula"]]
    if short:
        text = "\n".join("| " + " | ".join(shown(row)) + " |" for row in short)
        raise check_failed("the formula is too small", text, as_json=as_json)
