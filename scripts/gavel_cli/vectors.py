# SPDX-License-Identifier: Apache-2.0
"""`gavel vectors`: stimulus and expected pins for any simulator, with a player in Verilog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gavel_cli.compare_options import DEFAULTS, plan, traffic_options
from gavel_cli.errors import EXIT_CODES, check_failed
from gavel_cli.options import config_options, json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar
from gavel_tb.build_cache import BuildCache
from gavel_tb.files import check_writable, write_together
from gavel_tb.source import PATTERNS
from gavel_tb.vector_set import COMMANDS, MANIFEST_NAME, make_vectors


@click.command(epilog=EXIT_CODES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@config_options("pod")
@click.option("--seed", type=int, default=DEFAULTS.seed, show_default=True,
              help="Everything random follows from it.")
@click.option("--pattern", type=click.Choice(PATTERNS), default=DEFAULTS.pattern,
              show_default=True, help="Where frames go, and when.")
@traffic_options
@json_option
def vectors(
    *,
    folder: Path,
    config: str,
    overrides: tuple[str, ...],
    seed: int,
    pattern: str,
    as_json: bool,
    **traffic: Any,
) -> None:
    """Write DIR with the Verilog, random stimulus, and what every output pin must show.

    DIR gets the switch, a player in plain Verilog that compares every pin in every cycle, the
    vectors, a README with the command lines for Icarus Verilog and Verilator, and manifest.json:
    all files or none. The stimulus is that of `gavel compare` with the same options. Only the
    golden model runs, and its frames are checked end to end.
    """
    switch = make_config(config, overrides)
    (planned,) = plan(switch, (seed,), (pattern,), traffic)
    check_writable(folder, MANIFEST_NAME)
    with ProgressBar("gavel vectors", "generating Verilog") as bar:
        design = BuildCache().design(switch)
        made = make_vectors(switch, design, *planned.task().values(),
                            progress=lambda cycle, share: bar(share, f"cycle {cycle:,}"))
    result = made.result
    if result.report is not None:
        if as_json:
            print_json(result.as_dict())
        verdict = (result.check or result.report).partition("\n")[0]
        raise check_failed(f"{planned.name}: {verdict}", result.report, as_json=as_json)
    paths = write_together(folder, made.files)
    if as_json:
        print_json({"files": [str(path) for path in paths], "cycles": result.cycles,
                    "seed": seed, "pattern": pattern})
        return
    for path in paths:
        click.echo(f"{path}: {path.stat().st_size:,} bytes")
    click.echo(f"{result.cycles:,} cycles; in {folder}:")
    for line in COMMANDS["Icarus Verilog"]:
        click.echo(f"  {line}")
