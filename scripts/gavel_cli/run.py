# SPDX-License-Identifier: Apache-2.0
"""`gavel run`: plays a Chakra trace through the switch, in lockstep with the model."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from gavel_cli.errors import EXIT_CODES, InputError, check_failed
from gavel_cli.options import config_options, json_option, make_config, print_json, print_pairs
from gavel_cli.report import REPORT_NAME, render
from gavel_cli.run_engines import describe, run_in_lockstep, run_on_model
from gavel_model.config import SwitchConfig
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.record_format import PERIOD_BITS
from gavel_model.telemetry_map import least_period
from gavel_tb.files import check_writable, write_together
from gavel_tb.record_tap import RecordTap
from gavel_tb.workload.collectives import ALGORITHMS
from gavel_tb.workload.job import WorkloadJob
from gavel_tb.workload.measure import LINK_FIGURES
from gavel_tb.workload.on_link import DEFAULT_DELAY

UNITS = {
    "mismatches": "", "frames": "delivered", "bytes": "of messages",
    "wire_bytes": "with headers and padding", "completion_cycles": "by rank",
    "bus_bandwidth_achieved": "GB/s", "bus_bandwidth_ideal": "GB/s, line rate of a port",
    "bus_bandwidth_share": "of ideal",
    "latency_p50": "cycles", "latency_p99": "cycles", "latency_max": "cycles",
    "drops": "frames", "lossless_drops": "by a full buffer",
    "errors_injected": "by the links", "link_replays": "of the switch",
    "partner_replays": "of the ranks", "cycles": "simulated", "simulated_cycles_per_second": "",
}
"""What is printed, in this order, and the unit beside it; the JSON object has the same names."""


@click.command(epilog=EXIT_CODES)
@click.argument("trace", type=click.Path(path_type=Path))
@config_options("pod")
@click.option("--profile", type=click.Choice(PROFILE_NAMES), help="Header of all frames.")
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="ring", show_default=True,
              help="How collective nodes are expanded.")
@click.option("--scale", type=float, default=1.0, show_default=True,
              help="Factor on message sizes; a message keeps at least one frame.")
@click.option("--mtu", type=int, help="Message bytes in a frame.  [default: 1024, or what fits]")
@click.option("--window", type=int, help="Cells that an endpoint may have outstanding.  "
              "[default: the ingress buffer]")
@click.option("--overhead", type=int, default=0, show_default=True,
              help="Cycles that each message costs before its first word.")
@click.option("--reduce-us", type=float, default=0.0, show_default=True,
              help="Microseconds of one reduction in an expanded collective.")
@click.option("--clock-mhz", type=float, default=1000.0, show_default=True,
              help="Clock that turns microseconds into cycles and bytes per cycle into GB/s.")
@click.option("--allow-fewer", is_flag=True, help="Leave ports without a rank idle.")
@click.option("--ber", type=float, metavar="RATE",
              help="Put a link with this bit error rate before each port, and turn link-level "
                   "retry on; 0 for links without errors.  [default: no links]")
@click.option("--link-delay", type=int, default=DEFAULT_DELAY, show_default=True,
              help="Cycles of each link, each way; with --ber or --credits.")
@click.option("--credits", "with_credits", is_flag=True,
              help="Credits on all links, in the place of --window; without --ber, links without "
                   "errors.")
@click.option("--slow", default="", metavar="RANKS",
              help="Ranks that read slowly: numbers with commas, or all; with --credits.")
@click.option("--slow-rate", type=float, default=0.1, show_default=True,
              help="Words in a cycle that a slow rank reads.")
@click.option("--seed", type=int, default=1, show_default=True,
              help="Of the message contents and the errors.")
@click.option("--model", "model_alone", is_flag=True,
              help="Golden model alone: no simulator, nothing is compared.")
@click.option("--waves", is_flag=True, help="Write a waveform, and print its path.")
@click.option("--records", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="With --model: write the records that telemetry would send, for `gavel "
                   "telemetry`.")
@click.option("--record-cycles", type=int, default=1000, show_default=True,
              help="Cycles from record to record.")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help=f"Write the page DIR/{REPORT_NAME}.")
@json_option
def run(
    *,
    trace: Path,
    config: str,
    overrides: tuple[str, ...],
    profile: str | None,
    algorithm: str,
    scale: float,
    mtu: int | None,
    window: int | None,
    overhead: int,
    reduce_us: float,
    clock_mhz: float,
    allow_fewer: bool,
    ber: float | None,
    link_delay: int,
    with_credits: bool,
    slow: str,
    slow_rate: float,
    seed: int,
    model_alone: bool,
    waves: bool,
    records: Path | None,
    record_cycles: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Play the Chakra trace TRACE (a folder, one of its files, or DIR/NAME), one rank per port.

    Frames of the chosen header profile go through the Verilated switch, which is compared with
    the golden model in every cycle; the endpoints check every frame by its content.
    """
    if profile is not None:
        overrides = (*overrides, f"profile={profile}")
    switch = make_config(config, overrides)
    if waves and model_alone:
        raise InputError("--waves: the model alone has no waveform; leave out --model")
    job = WorkloadJob(
        trace=str(trace.absolute()), algorithm=algorithm, scale=scale, clock_mhz=clock_mhz,
        reduce_us=reduce_us, mtu=mtu, window=window, overhead=overhead, allow_fewer=allow_fewer,
        seed=seed, ber=ber, delay=link_delay, credits=with_credits, slow=slow,
        slow_rate=slow_rate, stalls=report is not None,
    )
    player = job.player(switch)
    if report is not None:
        check_writable(report, REPORT_NAME)
    tap = None
    if records is not None:
        tap = _record_tap(switch, records, record_cycles, model_alone=model_alone)
    result: dict[str, Any] = describe(job, player)
    command = "gavel " + shlex.join(sys.argv[1:])
    if model_alone:
        result |= run_on_model(switch, job, player, tap)
    else:
        repeat = command if waves else f"{command} --waves"
        result |= run_in_lockstep(switch, job, repeat=repeat, waves=waves)
    plots = result.pop("plots")
    if report is not None and plots is not None:
        result["report"] = str(report / REPORT_NAME)
    # The figures come first: no trouble with the page shall lose them.
    if as_json:
        print_json(result)
    else:
        _print(result)
    if records is not None and tap is not None:
        if not tap.data:
            raise InputError(f"--record-cycles {record_cycles}: the run was over after "
                             f"{result['cycles']} cycles, before there was a record")
        write_together(records.parent, {records.name: bytes(tap.data)})
    if report is not None and plots is not None:
        write_together(report, {REPORT_NAME: render(result, plots, switch, command)})
    failure = result["failure"]
    if failure is not None:
        differs = f"{result['trace_name']}: model and RTL differ"
        raise check_failed(differs if result["mismatches"] else failure, failure, as_json=as_json)


def _record_tap(config: SwitchConfig, records: Path, cycles: int, *,
                model_alone: bool) -> RecordTap:
    """What gets the records; refuses what could not be recorded, before the work is done."""
    if not model_alone:
        raise InputError("--records: records are of the model; add --model")
    least = least_period(config.ports)
    if not least <= cycles < 1 << PERIOD_BITS:
        raise InputError(f"--record-cycles {cycles}: must be {least} to {(1 << PERIOD_BITS) - 1} "
                         f"with {config.ports} ports")
    check_writable(records.parent, records.name)
    return RecordTap(config, cycles)


def _print(result: dict[str, Any]) -> None:
    click.echo(f"{result['trace_name']}: {result['ranks']} ranks, {result['operations']} "
               f"operations, {result['engine']}")
    rows: list[tuple[str, object, str]] = []
    for name, unit in UNITS.items():
        value = result[name]
        if value is None and name in LINK_FIGURES:
            continue
        if value is None:
            shown = "not compared" if name == "mismatches" else "none"
        elif isinstance(value, float):
            shown = f"{value:.4g}" if value < 1000 else f"{value:,.0f}"
        elif isinstance(value, list):
            done = [cycle for cycle in value if cycle is not None]
            shown = f"{max(done):,}" if len(done) == len(value) else "not all complete"
            unit = "slowest of: " + " ".join("-" if c is None else f"{c}" for c in value)
        else:
            shown = f"{value:,}"
        rows.append((name, shown, unit))
    print_pairs(rows)
    for name in ("report", "waves", "waves_note"):
        if result.get(name):
            click.echo(f"{name.replace('_', ' ')}: {result[name]}")
