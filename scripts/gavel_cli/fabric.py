# SPDX-License-Identifier: Apache-2.0
"""`gavel fabric`: a collective over several model switches joined by links."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from gavel_cli.errors import EXIT_CODES, InputError, check_failed
from gavel_cli.fabric_report import render_fabric
from gavel_cli.options import json_option, print_json, print_pairs
from gavel_cli.report import REPORT_NAME
from gavel_cli.run_progress import ProgressBar
from gavel_cli.trace import Size
from gavel_tb.fabric.job import SWITCHES, FabricJob
from gavel_tb.fabric.options import SPRAYS, FabricOptions
from gavel_tb.fabric.simulation import Fabric
from gavel_tb.fabric.topology import SHIPPED, Topology, load_topology, shipped_text
from gavel_tb.files import check_writable, write_together
from gavel_tb.workload.collectives import ALGORITHMS
from gavel_tb.workload.generate import KINDS

UNITS = {
    "frames": "delivered", "bytes": "of messages", "wire_bytes": "of frames",
    "completion_cycles": "slowest rank", "completion_first": "fastest rank",
    "completion_uncontended": "cycles, if messages never met", "completion_share": "of these",
    "bus_bandwidth_achieved": "GB/s", "bus_bandwidth_ideal": "GB/s, line rate of an accelerator",
    "bus_bandwidth_share": "of ideal",
    "bus_bandwidth_framed": "GB/s, what headers and padding leave of ideal",
    "bus_bandwidth_share_framed": "of that",
    "latency_min": "cycles", "latency_p50": "cycles", "latency_p99": "cycles",
    "latency_p999": "cycles", "latency_max": "cycles",
    "drops": "frames", "lossless_drops": "by a full buffer",
    "reordered_frames": "came late", "reordered_share": "of those with several ways",
    "reorder_distance_max": "places late, at most",
    "reorder_buffer_peak": "frames in one reorder buffer", "reorder_wait_p99": "cycles",
    "errors_injected": "by the links", "link_replays": "of the switches",
    "partner_replays": "of the accelerators", "cycles": "simulated",
    "switch_steps": "of all switches; the rest was skipped",
    "simulated_cycles_per_second": "",
}
"""What is printed, in this order, and the unit beside it; the JSON object has the same names."""


@click.command(epilog=EXIT_CODES)
@click.argument("topology", metavar="TOPOLOGY")
@click.option("--collective", type=click.Choice(list(KINDS)), default="all-reduce",
              show_default=True)
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="ring", show_default=True)
@click.option("--size", type=Size(), default="64KiB", show_default=True,
              help="Bytes of the collective's vector per rank (nccl-tests definition).")
@click.option("--scale", type=float, default=1.0, show_default=True, help="Factor on --size.")
@click.option("--spray", type=click.Choice(SPRAYS), default="flow", show_default=True,
              help="What takes a way of its own where there are several.")
@click.option("--mtu", type=int, help="Message bytes in a frame.  [default: 1024, or what fits]")
@click.option("--window", type=int, help="Cells that an accelerator may have outstanding.  "
              "[default: an ingress buffer, shared by the accelerators of a leaf]")
@click.option("--ber", type=float, metavar="RATE",
              help="Bit error rate of every link; link-level retry is then on at all ends.")
@click.option("--credits", "with_credits", is_flag=True,
              help="Credits on all links, in the place of --window; with link-level retry.")
@click.option("--reduce-us", type=float, default=0.0, show_default=True,
              help="Microseconds of one reduction.")
@click.option("--clock-mhz", type=float, default=1000.0, show_default=True,
              help="Clock that turns microseconds into cycles and bytes per cycle into GB/s.")
@click.option("--seed", type=int, default=1, show_default=True,
              help="Of message contents, choice of ways, and errors.")
@click.option("--engine", type=click.Choice(list(SWITCHES)), default="plain", show_default=True,
              help="The golden model, which skips cycles at rest, or the compiled one, which runs "
              "all: the same figures.")
@click.option("--print", "print_text", is_flag=True,
              help="Print the file of a topology that comes with Gavel, and do nothing else.")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help=f"Write the page DIR/{REPORT_NAME}.")
@json_option
def fabric(
    *,
    topology: str,
    collective: str,
    algorithm: str,
    size: int,
    scale: float,
    spray: str,
    mtu: int | None,
    window: int | None,
    ber: float | None,
    with_credits: bool,
    reduce_us: float,
    clock_mhz: float,
    seed: int,
    engine: str,
    print_text: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Play a collective over the switches of TOPOLOGY: a TOML file, or plane, planes, leaf-spine,
    leaf-spine-1024, which come with Gavel.

    Every switch is the golden model; links have delays, and with --ber errors. Every frame is
    checked at its destination: content, order in its flow, loss, repetition.
    """
    if print_text:
        if topology not in SHIPPED:
            raise InputError(f"--print {topology}: only of {', '.join(SHIPPED)}")
        click.echo(shipped_text(topology), nl=False)
        return
    what = load_topology(topology)
    job = FabricJob(
        collective=collective, size=size, algorithm=algorithm, scale=scale, reduce_us=reduce_us,
        clock_mhz=clock_mhz, engine=engine,
        options=FabricOptions(spray=spray, mtu=mtu, window=window, ber=ber, credits=with_credits,
                              seed=seed),
    )
    if report is not None:
        check_writable(report, REPORT_NAME)
    with ProgressBar("gavel fabric", "building") as bar:
        built = job.build(what)
        result: dict[str, Any] = _describe(topology, what, job, built)
        result |= job.run(built, lambda share, cycle: bar(share, f"playing, cycle {cycle:,}"))
    plots = result.pop("plots")
    command = "gavel " + shlex.join(sys.argv[1:])
    if report is not None:
        result["report"] = str(report / REPORT_NAME)
    # The figures come first: no trouble with the page shall lose them.
    if as_json:
        print_json(result)
    else:
        _print(result)
    if report is not None:
        write_together(report, {REPORT_NAME: render_fabric(result, plots, command)})
    if result["failure"] is not None:
        raise check_failed(result["failure"], None, as_json=as_json)


def _describe(
    source: str, topology: Topology, job: FabricJob, built: Fabric
) -> dict[str, Any]:
    """What is run, by the names of the result."""
    options = job.options
    return {
        "topology": source, "kind": topology.kind, "accelerators": topology.accelerators,
        "switches": len(built.switches), "links": len(built.cables), "ways": topology.ways,
        "switch_config": " ".join([topology.base, *topology.changes]),
        "collective": job.collective, "algorithm": job.algorithm, "size": built.program.size,
        "spray": options.spray, "mtu": built.frames.mtu, "window": built.window,
        "ber": options.ber, "credits": options.credits, "seed": options.seed,
        "engine": job.engine,
        "clock_mhz": job.clock_mhz,
    }


def _print(result: dict[str, Any]) -> None:
    click.echo(f"{result['collective']} ({result['algorithm']}) of {result['accelerators']} "
               f"accelerators over {result['switches']} model switches and {result['links']} links")
    rows: list[tuple[str, object, str]] = []
    for name, unit in UNITS.items():
        value = result[name]
        if value is None:
            continue
        shown = f"{value:.4g}" if isinstance(value, float) and value < 1000 else f"{value:,.0f}"
        rows.append((name, shown, unit))
    print_pairs(rows)
    for hot in result["hot_links"][:3]:
        click.echo(f"hot link: {hot['link']}: {100 * hot['mean']:.1f} %, "
                   f"{hot['times_tier']:.2f} times the mean of its kind")
    if result.get("report"):
        click.echo(f"report: {result['report']}")
