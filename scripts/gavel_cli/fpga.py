# SPDX-License-Identifier: Apache-2.0
"""`gavel fpga`: the folder that an FPGA engineer gets."""

from __future__ import annotations

import math
from pathlib import Path

import click

from gavel_cli.errors import EXIT_CODES, InputError, ToolError
from gavel_cli.options import config_options, json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import SwitchConfig
from gavel_model.top_options import (
    FCS,
    LEAST_CLOCK,
    PORTS,
    REGISTERS,
    XGMII_BITS,
    TopOptions,
)
from gavel_tb.files import check_writable, write_together
from gavel_tb.fpga.estimate import check_tools, estimate, without_estimate
from gavel_tb.fpga.folder import README_NAME, make_folder
from gavel_tb.fpga.targets import TARGETS
from gavel_tb.rdl.errors import RegisterToolError
from gavel_tb.rdl.exports import c_header, check_programs, header_name
from gavel_tb.rdl.maps import SWITCH, TELEMETRY
from gavel_tb.synthesis.place_route import LINE_RATE_MHZ


@click.command(epilog=EXIT_CODES)
@click.option("--target", type=click.Choice(tuple(TARGETS)), required=True,
              help="FPGA family.")
@config_options("fpga")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True,
              metavar="DIR", help="Folder for all files.")
@click.option("--ports", type=click.Choice(PORTS), default=None,
              help="Pins of a port.  [default: xgmii where data_width is 64, or with --crossing; "
                   "else segment]")
@click.option("--registers", type=click.Choice(REGISTERS), default="axi_lite", show_default=True,
              help="Pins of the registers.")
@click.option("--crossing", is_flag=True,
              help="Each direction of each port has a clock of its own.")
@click.option("--fcs", type=click.Choice(FCS), default=FCS[0], show_default=True,
              help="What a MAC on AXI4-Stream does with the FCS.")
@click.option("--telemetry", is_flag=True,
              help="Snapshots, histograms, events and records: docs/telemetry.md.")
@click.option("--mhz", type=click.FloatRange(min=1, max=2000), default=None,
              help="Clock of the switch, for the constraints and for place and route.  [default: "
                   f"{LINE_RATE_MHZ:g}; with XGMII and more than 64 bits the least that keeps up "
                   "with ports of that clock]")
@click.option("--port-mhz", type=click.FloatRange(min=1, max=2000), default=None,
              help="Clocks of the ports, with --crossing.  [default: the fastest that the switch "
                   "keeps up with, which is --mhz with 64 bits]")
@click.option("--seeds", type=click.IntRange(min=1, max=99), default=1, show_default=True,
              help="Runs of place and route; the median counts.")
@click.option("--no-estimate", is_flag=True, help="Only the files: no synthesis.")
@json_option
def fpga(*, target: str, config: str, overrides: tuple[str, ...], output: Path,
         ports: str | None, registers: str, crossing: bool, fcs: str, telemetry: bool,
         mhz: float | None, port_mhz: float | None, seeds: int, no_estimate: bool,
         as_json: bool) -> None:
    """Write a folder for an FPGA: Verilog, constraints, core file, bench, README, estimate.

    The estimate is synthesis by Yosys (ecp5, ice40, xc7, xcup, gowin) and place and route by
    nextpnr (ecp5, ice40), which takes minutes to half an hour; for agilex it is lint. A design that
    does not fit is no error: README.md and estimate.json say so. All files are written or none.
    """
    switch = make_config(config, overrides)
    options = TopOptions(ports=ports or _ports_for(switch, crossing), registers=registers,
                         crossing=crossing, fcs=fcs, telemetry=telemetry)
    switch = options.switch_config(switch)
    mhz, port_clocks = asked_clocks(switch, options, mhz, port_mhz)
    check_writable(output, README_NAME)
    try:
        from gavel_rtl.emit import generate
    except ImportError as error:
        raise ToolError(f"{error.name} is not installed: run `gavel doctor`") from error
    chosen = TARGETS[target]
    if not no_estimate:
        check_tools(chosen.family)
    with ProgressBar("gavel fpga", "generating Verilog") as bar:
        made = generate(switch, options)
        top = str(made.sidecar["top"])
        known = (without_estimate(chosen.family, mhz, port_clocks) if no_estimate else
                 estimate(made.verilog, top, chosen.family, range(1, seeds + 1), mhz, bar,
                          port_clocks))
    contents = make_folder(switch, options, chosen, made.verilog, made.sidecar, known,
                           _headers(switch, options))
    paths = write_together(output, contents)
    if as_json:
        print_json({"files": [str(path) for path in paths], "top": top,
                    "estimate": known.as_dict()})
        return
    for path in paths:
        click.echo(f"{path}: {path.stat().st_size:,} bytes")
    click.echo(f"{chosen.family.title}: {known.verdict}")


def asked_clocks(switch: SwitchConfig, options: TopOptions, mhz: float | None,
                 port_mhz: float | None) -> tuple[float, dict[str, float]]:
    """Frequency of the clock of the switch, and those of the ports by name: what the user has said,
    or what fits it, or what fits 10 Gbit/s of XGMII.

    Raises
    ------
    InputError
        If ports without clocks of their own shall have another one.
    """
    if port_mhz and not options.crossing:
        raise InputError("--port-mhz: only with --crossing")
    least = LEAST_CLOCK[options.slices(switch)]
    port_mhz = port_mhz or (mhz / least if mhz else LINE_RATE_MHZ)
    # In steps of a kilohertz, and not below what is needed.
    mhz = mhz or math.ceil(1000 * least * port_mhz) / 1000
    return mhz, {f"{name}_clk": port_mhz for name in options.clocks(switch.ports)}


def _headers(switch: SwitchConfig, options: TopOptions) -> dict[str, str]:
    """The C headers of the registers by name; none where the extra `registers` is not installed."""
    try:
        check_programs()
    except RegisterToolError:
        return {}
    maps = [SWITCH, TELEMETRY] if options.telemetry else [SWITCH]
    return {header_name(source): c_header(switch, source) for source in maps}


def _ports_for(switch: SwitchConfig, crossing: bool) -> str:
    return "xgmii" if crossing or switch.data_width == XGMII_BITS else "segment"
