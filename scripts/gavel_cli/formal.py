# SPDX-License-Identifier: Apache-2.0
"""`gavel formal`: proofs over the RTL."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gavel_cli.errors import EXIT_CODES, CheckFailed, InputError
from gavel_cli.options import json_option, print_json
from gavel_tb.formal.catalogue import PROOFS
from gavel_tb.formal.proof import Proof, Result, run_proof
from gavel_tb.formal.tools import solver_path

SOLVERS = {"induction": "Yices", "bounded": "ABC"}
_WIDTH = 160
"""Of the table, where there is no terminal."""


@click.command(epilog=EXIT_CODES)
@click.argument("names", nargs=-1)
@click.option("--short", is_flag=True, help="With the depths of continuous integration.")
@click.option("--jobs", type=click.IntRange(min=1),
              help="Proofs at a time.  [default: the cores]")
@click.option("--traces", type=click.Path(file_okay=False, path_type=Path),
              help="Folder for problems and counterexamples (trace.vcd).")
@json_option
def formal(names: tuple[str, ...], short: bool, jobs: int | None, traces: Path | None,
           as_json: bool) -> None:
    """Prove properties of the RTL, all of them or those that are named.

    A property is proved by induction, for every time, or bounded, for so many cycles from the
    initial state on.
    """
    known = {proof.name for proof in PROOFS}
    for name in names:
        if name not in known:
            raise InputError(f"no proof {name!r}: one of {', '.join(sorted(known))}")
    # Before the first proof, and not in the middle of the table.
    solver_path()
    chosen = [proof for proof in PROOFS
              if proof.name in names or (not names and (proof.short_depth or not short))]

    def run(proof: Proof) -> Result:
        result = run_proof(proof, short=short and bool(proof.short_depth),
                           folder=traces / proof.name if traces else None)
        if not as_json:
            click.echo(f"{proof.name}: {result.outcome}, {result.seconds:.1f} s", err=True)
        return result

    with ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0))) as pool:
        rows = [_row(proof, result)
                for proof, result in zip(chosen, pool.map(run, chosen), strict=True)]
    if as_json:
        print_json({"proofs": rows})
    else:
        _print(rows)
    missed = [row for row in rows if row["outcome"] != "proved"]
    if missed:
        first = missed[0]
        raise CheckFailed(f"{first['name']}: {first['outcome']}" + (
            f": {first['failed']}" if first["failed"] else ""))


def _row(proof: Proof, result: Result) -> dict[str, Any]:
    return {"name": proof.name, "claim": proof.claim, "method": proof.method,
            "depth": result.depth, "solver": SOLVERS[proof.method],
            "seconds": round(result.seconds, 1), "outcome": result.outcome,
            "failed": result.failed}


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table()
    for title in ("proof", "property", "method", "solver"):
        table.add_column(title)
    for title in ("depth", "seconds"):
        table.add_column(title, justify="right")
    table.add_column("result")
    for row in rows:
        table.add_row(row["name"], row["claim"], row["method"], row["solver"], str(row["depth"]),
                      f"{row['seconds']:.1f}", row["outcome"])
    terminal = Console()
    (terminal if terminal.is_terminal else Console(width=_WIDTH)).print(table)
