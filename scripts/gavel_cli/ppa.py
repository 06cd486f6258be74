# SPDX-License-Identifier: Apache-2.0
"""`gavel ppa`: LUTs, registers, block RAMs and clock of a switch and of its blocks."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gavel_cli.errors import EXIT_CODES, InputError
from gavel_cli.options import config_options, json_option, make_config, print_json
from gavel_tb.synthesis.families import FAMILIES
from gavel_tb.synthesis.place_route import check_nextpnr
from gavel_tb.synthesis.ppa import WHOLE, Blocks, Figures, measure

_FAMILY = FAMILIES["ecp5"]
_WIDTH = 160
"""Of the table, where there is no terminal."""

_TITLES = ("block", "instances", _FAMILY.lut_title, "flip-flops", _FAMILY.ram_title, "LUT RAM",
           "MHz", "critical path")


@click.command(epilog=EXIT_CODES)
@click.argument("blocks", nargs=-1)
@config_options("fpga")
@click.option("--seeds", type=click.IntRange(min=0), default=5, show_default=True,
              help="Runs of place and route for each; 0 for areas alone.")
@click.option("--telemetry", is_flag=True,
              help="The switch with telemetry, and the blocks of that.")
@click.option("--hierarchy", is_flag=True,
              help="Synthesize each module once, which is far quicker for many ports, and larger.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path),
              help="Folder for netlists, reports and logs.")
@click.option("--markdown", is_flag=True, help="Print the table as in docs/ppa.md.")
@json_option
def ppa(*, blocks: tuple[str, ...], config: str, overrides: tuple[str, ...], seeds: int,
        telemetry: bool, hierarchy: bool, keep: Path | None, markdown: bool, as_json: bool) -> None:
    """Performance and area on Lattice ECP5, of a switch and of its blocks.

    Each block, or those that are named, is synthesized by itself; "switch" is the whole, and
    "bare_fabric" what compares with a switch made of FIFOs. Areas are of one instance. The clock
    is the median of the seeds, with registers around a block, and has no place if the design does
    not fit into the device. Flip-flops that block RAM takes in as its output register do not count.
    """
    switch = Blocks(make_config(config, overrides), telemetry=telemetry)
    for block in blocks:
        if block not in switch.instances:
            raise InputError(f"no block {block!r}: one of {', '.join(sorted(switch.instances))}")
    if seeds:
        # Before the first synthesis, and not in the middle of the table.
        check_nextpnr(_FAMILY)
    parts = (name for name, number in switch.instances.items() if number)
    chosen = blocks or tuple(sorted(parts, key=lambda name: (name != WHOLE, name)))
    with tempfile.TemporaryDirectory(prefix="gavel-ppa-") as folder:
        rows = [measure(switch, block, keep or Path(folder), range(1, seeds + 1),
                        flatten=not hierarchy,
                        progress=lambda text: click.echo(text, err=True)) for block in chosen]
    if as_json:
        print_json({"device": _FAMILY.device, "seeds": seeds,
                    "blocks": [_as_json(row) for row in rows]})
    elif markdown:
        for cells in (_TITLES, ("---", *["---:"] * (len(_TITLES) - 2), "---"), *map(_cells, rows)):
            click.echo(f"| {' | '.join(cells)} |")
    else:
        _print([_cells(row) for row in rows])
        for row in rows:
            if row.taken_in and row.taken_in.registered:
                click.echo(f"{row.block}: {row.taken_in.sentence}")


def _cells(row: Figures) -> tuple[str, ...]:
    median = row.placed.median if row.placed else None
    clock = f"{median.fmax_mhz:.1f}" if median and median.fmax_mhz else ""
    area = row.area
    numbers = (row.instances, area.luts, area.flip_flops, area.block_rams, area.lut_rams)
    problem = f"does not fit: {row.too_large}" if row.too_large else ""
    return (row.block, *(f"{number:,}" for number in numbers), clock, row.path or problem)


def _as_json(row: Figures) -> dict[str, Any]:
    runs = row.placed.runs if row.placed else ()
    return {
        "block": row.block, "instances": row.instances, "luts": row.area.luts,
        "flip_flops": row.area.flip_flops, "block_rams": row.area.block_rams,
        "lut_rams": row.area.lut_rams,
        "in_block_rams": sum(row.taken_in.flip_flops.values()) if row.taken_in else 0,
        "too_large": row.too_large,
        "fmax_mhz": {run.seed: run.fmax_mhz for run in runs}, "critical_path": row.path,
    }


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    table = Table()
    for title in _TITLES:
        table.add_column(title, justify="left" if title in (_TITLES[0], _TITLES[-1]) else "right")
    for row in rows:
        table.add_row(*row)
    terminal = Console()
    (terminal if terminal.is_terminal else Console(width=_WIDTH)).print(table)
