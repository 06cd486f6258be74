# SPDX-License-Identifier: Apache-2.0
"""`gavel registers`: the register map as C header, Python package, web page and SystemRDL."""

from __future__ import annotations

from pathlib import Path

import click

from gavel_cli.errors import EXIT_CODES, InputError
from gavel_cli.options import config_options, json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar


@click.command(epilog=EXIT_CODES)
@config_options("pod")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=None,
              metavar="DIR", help="Folder to make.")
@click.option("--self-test", is_flag=True,
              help="With the registers of the self-test: gavel_selftest_registers.h, "
                   "html/gavel_selftest, and a package beside that of the switch.")
@click.option("--telemetry", is_flag=True,
              help="With the registers of telemetry, in the same way: gavel_telemetry.")
@click.option("--table", is_flag=True,
              help="In a source tree: write anew what is made from the SystemRDL source, "
                   "the tables of the model and docs/registers.md.")
@json_option
def registers(*, config: str, overrides: tuple[str, ...], output: Path | None,
              self_test: bool, telemetry: bool, table: bool, as_json: bool) -> None:
    """Write DIR with the register map of a configuration.

    DIR gets rdl (the SystemRDL source, its parameters those of the configuration),
    gavel_registers.h, html and python, made by the exporters of PeakRDL, which the extra
    `registers` brings: all of it or nothing. `gavel info --registers` prints the map, and
    docs/registers.md has it for any number of ports and VCs.
    """
    if (output is None) == (not table):
        raise click.UsageError("say -o DIR for the files of a configuration, or --table")
    switch = make_config(config, overrides)
    with ProgressBar("gavel registers", "reading the SystemRDL"):
        if output is None:
            paths = _write_table()
        else:
            from gavel_tb.rdl.exports import export
            from gavel_tb.rdl.maps import SELF_TEST, TELEMETRY

            asked = ((SELF_TEST, self_test), (TELEMETRY, telemetry))
            try:
                paths = export(switch, output, [source for source, is_so in asked if is_so])
            except FileExistsError as error:
                raise InputError(f"{error.filename}: {error.strerror}") from error
    if as_json:
        print_json({"files": [str(path) for path in paths]})
        return
    for path in paths:
        click.echo(str(path))


def _write_table() -> list[Path]:
    from gavel_tb.files import write_together
    from gavel_tb.rdl.compiled import read_map
    from gavel_tb.rdl.generated import generated_files
    from gavel_tb.rdl.maps import MAPS

    docs = Path(__file__).resolve().parents[2] / "docs"
    if not docs.is_dir():
        raise InputError("--table needs a source tree: there is no folder docs beside scripts")
    written = []
    for path, text in generated_files([read_map(source) for source in MAPS], docs).items():
        written += write_together(path.parent, {path.name: text})
    return written
