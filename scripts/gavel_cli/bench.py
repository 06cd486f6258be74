# SPDX-License-Identifier: Apache-2.0
"""`gavel bench`: cycles per second of every way to run a switch."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import click

from gavel_cli.errors import EXIT_CODES
from gavel_cli.options import json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import SwitchConfig
from gavel_model.loader import PRESETS
from gavel_tb.bench import bench as measure
from gavel_tb.bench_growth import SWEEP_POINTS, exponent, growth, sweep_seconds
from gavel_tb.build_cache import DEFAULT_CACHE, BuildCache

SPEEDS = ("native", "cocotb", "lockstep", "compare", "model", "fast")
"""Cycles per second: C++ main; cocotb without the model; both in lockstep; both in blocks; the
model alone, plain and compiled."""

BIT_BUDGET = 10_000_000
"""Bits per port side that a measurement moves when the user names no number of cycles."""

FEWEST_CYCLES = 1000
NATIVE_FACTOR = 10
"""The native run is so much faster that it needs more cycles to be timed."""

COLUMNS = ("preset", "ports × bits", "Verilog lines", "Verilog made in", "Verilator build",
           "native, cycles/s", "cocotb", "lockstep", "compare --fast", "model", "compiled model")


def machine() -> str:
    """The processor and the number of its cores that this process may use."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"


def cycles_for(config: SwitchConfig) -> int:
    """Cycles that give a steady figure in seconds, not minutes."""
    return max(FEWEST_CYCLES, BIT_BUDGET // (config.ports * config.data_width))


def row(name: str, result: dict[str, object]) -> str:
    """A line of the table: the native speed, and ratios to it."""
    ratios = [f"{result[f'{speed}_ratio']:.4f}" for speed in SPEEDS[1:]]
    cells = [f"`{name}`", f"{result['ports']} × {result['data_width']}",
             f"{result['verilog_lines']:,}", f"{result['verilog_seconds']:.1f} s",
             f"{result['build_seconds']:.0f} s", f"{result['native']:,.0f}", *ratios]
    return "| " + " | ".join(cells) + " |"


@click.command(epilog=EXIT_CODES)
@click.option("-c", "--config", "names", multiple=True, default=PRESETS, metavar="NAME|FILE",
              help="Preset or TOML file; may be repeated.  [default: every preset]")
@click.option("-P", "overrides", multiple=True, metavar="NAME=VALUE",
              help="Change one field of each configuration; may be repeated.")
@click.option("--cycles", type=click.IntRange(min=1),
              help="Cycles of each measurement, ten times as many of the native one.  "
                   "[default: by the size of the switch]")
@click.option("--growth", "growing", is_flag=True,
              help="Growth with the number of ports, and with workers, instead.")
@json_option
def bench(
    names: tuple[str, ...], overrides: tuple[str, ...], cycles: int | None, growing: bool,
    as_json: bool,
) -> None:
    """Measure the switch driven natively, through cocotb, compared with the model, and the model
    alone.

    All get the same traffic: uniform, load 0.8. Figures are cycles per second, and ratios to the
    native one, which travel better between machines; the times are those of a cold build. With
    --growth, how the time of a cycle of the model grows with the number of ports, and how a sweep
    gains from workers. The tables are Markdown.
    """
    if growing:
        print_growth(as_json)
        return
    switches = {name: make_config(name, overrides) for name in names}
    results: dict[str, dict[str, object]] = {}
    if not as_json:
        click.echo(f"{machine()}\n\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for done, (name, switch) in enumerate(switches.items()):
        with ProgressBar("gavel bench") as bar:
            bar(done / len(switches), f"{name}: generating, building and measuring")
            results[name] = measure_one(switch, cycles or cycles_for(switch))
        if not as_json:
            click.echo(row(name, results[name]))
    if as_json:
        print_json(results)


def print_growth(as_json: bool) -> None:
    """Measures and prints growth with ports and with workers."""
    workers = sorted({1, len(os.sched_getaffinity(0))})
    with ProgressBar("gavel bench") as bar:
        bar(0.0, "growth with the number of ports")
        speeds = growth()
        bar(0.6, "a sweep with more and more workers")
        seconds = sweep_seconds(workers)
    exponents = {name: exponent([(ports, found[name]) for ports, found in speeds.items()])
                 for name in ("model", "fast")}
    if as_json:
        print_json({"machine": machine(), "growth": speeds, "exponents": exponents,
                    "sweep_seconds": seconds})
        return
    click.echo(f"{machine()}\n\n| ports, 64 bits | model, cycles/s | compiled model, cycles/s |\n"
               "|---|---|---|")
    for ports, found in speeds.items():
        click.echo(f"| {ports} | {found['model']:,.0f} | {found['fast']:,.0f} |")
    click.echo(f"| time ~ ports^b, b = | {exponents['model']:.2f} | {exponents['fast']:.2f} |")
    click.echo(f"\n| workers | sweep of {SWEEP_POINTS} points | gain |\n|---|---|---|")
    for number, took in seconds.items():
        click.echo(f"| {number} | {took:.1f} s | {seconds[workers[0]] / took:.2f} |")


def measure_one(switch: SwitchConfig, cycles: int) -> dict[str, object]:
    """Figures of one switch, by the names of the JSON output."""
    figures = measure(switch, cycles=cycles, native_cycles=NATIVE_FACTOR * cycles)
    lines = BuildCache(DEFAULT_CACHE).design(switch).verilog.count("\n")
    return {
        **figures,
        **{f"{speed}_ratio": figures[speed] / figures["native"] for speed in SPEEDS[1:]},
        "ports": switch.ports,
        "data_width": switch.data_width,
        "verilog_lines": lines,
        "cycles": cycles,
        "machine": machine(),
    }
