# SPDX-License-Identifier: Apache-2.0
"""`gavel trace`: writes Chakra traces of collectives and of a mixture of experts."""

from __future__ import annotations

import re
from pathlib import Path

import click

from gavel_cli.errors import EXIT_CODES, InputError
from gavel_cli.options import json_option, print_json
from gavel_tb.workload.chakra import Trace, save_trace
from gavel_tb.workload.collectives import ALGORITHMS
from gavel_tb.workload.generate import (
    KINDS,
    MOE,
    collective_node,
    collective_steps,
    mixture_of_experts,
)

_UNITS = {"": 1, "B": 1, "KB": 1000, "MB": 10**6, "GB": 10**9,
          "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


class Size(click.ParamType[int]):
    """Bytes: a whole number, optionally with kB, MB, GB, KiB, MiB or GiB."""

    name = "bytes"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number of bytes."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+)\s*([kmgKMG]?i?[bB]?)", str(value))
        if match is None or match[2].upper() not in _UNITS:
            self.fail(f"{value!r} is no size; write bytes, or a unit: 64KiB, 1MB", param, ctx)
        return int(match[1]) * _UNITS[match[2].upper()]


@click.command(epilog=EXIT_CODES)
@click.argument("kind", type=click.Choice([*KINDS, MOE]))
@click.option("--ranks", type=int, required=True, help="Number of ranks, 2...1024.")
@click.option("--size", type=Size(), default="1MiB", show_default=True,
              help="Bytes of the collective's vector per rank (nccl-tests definition); for moe, "
              "bytes of one rank's tokens.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="Folder for the files NAME.RANK.et.")
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="ring", show_default=True,
              help="How a written-out collective is made.")
@click.option("--form", type=click.Choice(["steps", "node"]), default="steps", show_default=True,
              help="Send, receive and compute nodes, or one collective node per rank.")
@click.option("--compute-us", type=click.IntRange(min=0), default=0, show_default=True,
              help="Microseconds of one reduction; for moe, of an expert with average load.")
@click.option("--token-bytes", type=Size(), default="1024", show_default=True,
              help="moe: bytes of a token.")
@click.option("--top-k", type=int, default=2, show_default=True,
              help="moe: experts that each token goes to.")
@click.option("--skew", type=float, default=1.0, show_default=True,
              help="moe: exponent of the Zipf law of expert popularity; 0 is uniform.")
@click.option("--seed", type=int, default=1, show_default=True, help="moe: seed of the routing.")
@click.option("--name", help="Name of the trace; the default tells kind, algorithm and ranks.")
@json_option
def trace(
    *,
    kind: str,
    ranks: int,
    size: int,
    output: Path,
    algorithm: str,
    form: str,
    compute_us: int,
    token_bytes: int,
    top_k: int,
    skew: float,
    seed: int,
    name: str | None,
    as_json: bool,
) -> None:
    """Write a Chakra trace of a collective, or of a mixture of experts (moe)."""
    if name is not None and not re.fullmatch(r"[\w.+-]+", name):
        raise InputError(f"--name {name!r}: use letters, digits and . _ + -")
    if kind == MOE:
        if form == "node":
            raise InputError("--form node: moe has no collective node; use --form steps")
        made = mixture_of_experts(ranks, size, token_bytes=token_bytes, top_k=top_k, skew=skew,
                                  seed=seed, compute_us=compute_us)
    elif form == "node":
        made = collective_node(kind, ranks, size)
    else:
        made = collective_steps(kind, ranks, size, algorithm=algorithm, compute_us=compute_us)
    if name is not None:
        made = Trace(name, made.ranks)
    paths = save_trace(made, output)
    nodes = sum(len(rank.nodes) for rank in made.ranks)
    if as_json:
        print_json({"trace": str(output / made.name), "ranks": ranks, "nodes": nodes,
                    "files": [str(path) for path in paths]})
    else:
        click.echo(f"{output / made.name}: {ranks} ranks, {nodes} nodes")
        click.echo(f"play it with: gavel run {output / made.name}")
