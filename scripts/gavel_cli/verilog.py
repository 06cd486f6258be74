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
from gavel_tb.files import write_together

VERILOG_NAME = "gavel_switch.v"
SIDECAR_NAME = "gavel_switch.json"


@click.command(epilog=EXIT_CODES)
@config_options("pod")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=None,
              metavar="DIR", help="Folder for both files; without it the Verilog goes to standard "
                                  "output.")
@json_option
def verilog(config: str, overrides: tuple[str, ...], output: Path | None, as_json: bool) -> None:
    """Write the Verilog of a configuration, and a JSON file that describes it.

    DIR gets gavel_switch.v and gavel_switch.json: configuration, latency, hash, ports, modules
    with their instance counts, and the path of every probe point. Both are written or neither.
    The same configuration gives the same bytes.
    """
    switch = make_config(config, overrides)
    if output is None and as_json:
        raise click.UsageError("--json needs -o DIR: standard output is the Verilog")
    try:
        from gavel_rtl.emit import generate
    except ImportError as error:
        raise ToolError(f"{error.name} is not installed: run `gavel doctor`") from error
    begin = perf_counter()
    with ProgressBar("gavel verilog", "generating Verilog"):
        generated = generate(switch)
    seconds = perf_counter() - begin
    if output is None:
        click.echo(generated.verilog, nl=False)
        return
    sidecar = json.dumps(generated.sidecar, indent=2) + "\n"
    paths = write_together(output, {VERILOG_NAME: generated.verilog, SIDECAR_NAME: sidecar})
    lines = generated.verilog.count("\n")
    if as_json:
        print_json({"files": [str(path) for path in paths], "lines": lines,
                    "seconds": round(seconds, 3), "sidecar": generated.sidecar})
        return
    click.echo(f"{paths[0]}: {lines} lines, made in {seconds:.1f} s")
    click.echo(f"{paths[1]}: configuration, ports, modules, probe points")
