# SPDX-License-Identifier: Apache-2.0
"""`gavel fpga`: the folder that an FPGA engineer gets."""

from __future__ import annotations

from pathlib import Path

import click

from gavel_cli.errors import EXIT_CODES, ToolError
from gavel_cli.options import config_options, json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import SwitchConfig
from gavel_model.top_options import FCS, PORTS, REGISTERS, XGMII_BITS, TopOptions
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
              help="Pins of a port.  [default: xgmii where data_width is 64, else segment]")
@click.option("--registers", type=click.Choice(REGISTERS), default="axi_lite", show_default=True,
              help="Pins of the registers.")
@click.option("--crossing", is_flag=True,
              help="Each direction of each port has a clock of its own.")
@click.option("--fcs", type=click.Choice(FCS), default=FCS[0], show_default=True,
              help="What a MAC on AXI4-Stream does with the FCS.")
@click.option("--telemetry", is_flag=True,
              help="Snapshots, histograms, events and records: docs/telemetry.md.")
@click.option("--mhz", type=click.FloatRange(min=1, max=2000), default=LINE_RATE_MHZ,
              show_default=True, help="Clock, for the constraints and for place and route.")
@click.option("--seeds", type=click.IntRange(min=1, max=99), default=1, show_default=True,
              help="Runs of place and route; the median counts.")
@click.option("--no-estimate", is_flag=True, help="Only the files: no synthesis.")
@json_option
def fpga(*, target: str, config: str, overrides: tuple[str, ...], output: Path,
         ports: str | None, registers: str, crossing: bool, fcs: str, telemetry: bool, mhz: float,
         seeds: int, no_estimate: bool, as_json: bool) -> None:
    """Write a folder for an FPGA: Verilog, constraints, core file, bench, README, estimate.

    The estimate is synthesis by Yosys (ecp5, ice40, xc7, xcup, gowin) and place and route by
    nextpnr (ecp5, ice40), which takes minutes to half an hour; for agilex it is lint. A design that
    does not fit is no error: README.md and estimate.json say so. All files are written or none.
    """
    switch = make_config(config, overrides)
    options = TopOptions(ports=ports or _ports_for(switch), registers=registers,
                         crossing=crossing, fcs=fcs, telemetry=telemetry)
    switch = options.switch_config(switch)
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
        known = (without_estimate(chosen.family, mhz) if no_estimate else
                 estimate(made.verilog, top, chosen.family, range(1, seeds + 1), mhz, bar))
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


def _headers(switch: SwitchConfig, options: TopOptions) -> dict[str, str]:
    """The C headers of the registers by name; none where the extra `registers` is not installed."""
    try:
        check_programs()
    except RegisterToolError:
        return {}
    maps = [SWITCH, TELEMETRY] if options.telemetry else [SWITCH]
    return {header_name(source): c_header(switch, source) for source in maps}


def _ports_for(switch: SwitchConfig) -> str:
    return "xgmii" if switch.data_width == XGMII_BITS else "segment"
