# SPDX-License-Identifier: Apache-2.0
"""`gavel output-registers`: flip-flops behind block RAM go into it, in a netlist for ECP5."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from gavel_cli.errors import EXIT_CODES
from gavel_cli.options import json_option, print_json
from gavel_tb.files import check_writable, write_together
from gavel_tb.synthesis.output_registers import read_netlist, take_in


@click.command("output-registers", epilog=EXIT_CODES)
@click.argument("netlist", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True,
              help="The changed netlist; it may be the same file.")
@json_option
def output_registers(*, netlist: Path, output: Path, as_json: bool) -> None:
    """Take flip-flops behind block RAM into its output register, for Lattice ECP5.

    NETLIST is JSON as Yosys writes it after synth_ecp5, of any design; nextpnr-ecp5 reads what
    comes out. What the design does in each cycle stays the same. Yosys leaves such flip-flops in
    the fabric, where data of block RAM come late. See docs/fpga.md for which are taken in.
    """
    design = read_netlist(netlist)
    check_writable(output.parent, output.name)
    taken = take_in(design)
    write_together(output.parent, {output.name: json.dumps(design)})
    if as_json:
        print_json(asdict(taken))
        return
    click.echo(f"{taken.sentence}: {output}")
    for why, ports in taken.left.items():
        click.echo(f"  {ports:,} ports without: {why}")
