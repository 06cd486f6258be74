# SPDX-License-Identifier: Apache-2.0
"""`gavel verilog`: the switch as Verilog, and the sidecar that describes it."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter

import click

from gavel_cli.errors import EXIT_CODES, ToolError
from gavel_cli.options import config_options, json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar
from gavel_model.top_options import FCS, PORTS, REGISTERS, TopOptions
from gavel_tb.files import write_together

MEMORY_FILE = "gavel_memories.v"


@click.command(epilog=EXIT_CODES)
@config_options("pod")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=None,
              metavar="DIR", help="Folder for both files; without it the Verilog goes to standard "
                                  "output.")
@click.option("--ports", type=click.Choice(PORTS), default=PORTS[0], show_default=True,
              help="Pins of a port: those of docs/spec.md, or an adapter.")
@click.option("--registers", type=click.Choice(REGISTERS), default=REGISTERS[0],
              show_default=True, help="Pins of the registers.")
@click.option("--fcs", type=click.Choice(FCS), default=FCS[0], show_default=True,
              help="What a MAC on AXI4-Stream does with the FCS.")
@click.option("--crossing", is_flag=True,
              help="Each direction of each port has a clock of its own.")
@click.option("--self-test", is_flag=True,
              help="A traffic generator and a checker at every port: docs/selftest.md.")
@click.option("--telemetry", is_flag=True,
              help="Snapshots, histograms, events and records: docs/telemetry.md.")
@click.option("--split-memories", is_flag=True,
              help=f"Memories in a file of their own, {MEMORY_FILE}, to be replaced by macros: "
                   "docs/asic.md.")
@json_option
def verilog(*, config: str, overrides: tuple[str, ...], output: Path | None, ports: str,
            registers: str, fcs: str, crossing: bool, self_test: bool, telemetry: bool,
            split_memories: bool, as_json: bool) -> None:
    """Write the Verilog of a configuration, and a JSON file that describes it.

    DIR gets gavel_switch.v and gavel_switch.json: configuration, latency, hash, ports, modules
    with their instance counts, memories, and the path of every probe point. With adapters around
    the switch both are called gavel_top. All files are written or none. The same configuration
    and options give the same bytes.
    """
    options = TopOptions(ports=ports, registers=registers, crossing=crossing, fcs=fcs,
                         self_test=self_test, telemetry=telemetry)
    switch = options.switch_config(make_config(config, overrides))
    if output is None and as_json:
        raise click.UsageError("--json needs -o DIR: standard output is the Verilog")
    if output is None and split_memories:
        raise click.UsageError("--split-memories needs -o DIR: standard output is one file")
    try:
        from gavel_rtl.emit import generate
        from gavel_rtl.verilog import split_memories as split
    except ImportError as error:
        raise ToolError(f"{error.name} is not installed: run `gavel doctor`") from error
    begin = perf_counter()
    with ProgressBar("gavel verilog", "generating Verilog"):
        generated = generate(switch, options)
    seconds = perf_counter() - begin
    if output is None:
        click.echo(generated.verilog, nl=False)
        return
    sidecar = json.dumps(generated.sidecar, indent=2) + "\n"
    name = generated.sidecar["top"]
    texts = {f"{name}.v": generated.verilog}
    if split_memories:
        texts = dict(zip((f"{name}.v", MEMORY_FILE), split(generated.verilog), strict=True))
    paths = write_together(output, {**texts, f"{name}.json": sidecar})
    lines = generated.verilog.count("\n")
    if as_json:
        print_json({"files": [str(path) for path in paths], "lines": lines,
                    "seconds": round(seconds, 3), "sidecar": generated.sidecar})
        return
    for path in paths[:-1]:
        lines = texts[path.name].count("\n")
        click.echo(f"{path}: {lines} lines, made in {seconds:.1f} s")
    click.echo(f"{paths[-1]}: configuration, ports, modules, memories, probe points")
