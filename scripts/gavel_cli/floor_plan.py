# SPDX-License-Identifier: Apache-2.0
"""`gavel floor-plan`: places for the block RAMs of a switch, in a netlist for ECP5."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from gavel_cli.errors import EXIT_CODES
from gavel_cli.options import json_option, print_json
from gavel_tb.files import check_writable, write_together
from gavel_tb.synthesis.errors import NetlistError
from gavel_tb.synthesis.floor_plan import DEVICE, plan
from gavel_tb.synthesis.output_registers import read_netlist


@click.command("floor-plan", epilog=EXIT_CODES)
@click.argument("netlist", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True,
              help="The changed netlist; it may be the same file.")
@json_option
def floor_plan(*, netlist: Path, output: Path, as_json: bool) -> None:
    """Give the block RAMs of each port a part of the device, for a Lattice LFE5U-85F.

    NETLIST is JSON as Yosys writes it after synth_ecp5, flattened, of a design with a Gavel switch
    in it; nextpnr-ecp5 reads what comes out. It spreads block RAM over the whole device
    otherwise, and the logic of a port with it. See docs/fpga.md.
    """
    design = read_netlist(netlist)
    check_writable(output.parent, output.name)
    planned = plan(design)
    if planned.why_not:
        raise NetlistError(f"{netlist}: no floor plan on an {DEVICE}: {planned.why_not}")
    write_together(output.parent, {output.name: json.dumps(design)})
    if as_json:
        print_json(asdict(planned))
        return
    click.echo(f"{planned.sentence}: {output}")
