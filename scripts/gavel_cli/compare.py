# SPDX-License-Identifier: Apache-2.0
"""`gavel compare`: RTL and model side by side on random traffic of given seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from gavel_cli.compare_engines import run_at, run_fast, run_lockstep
from gavel_cli.compare_options import DEFAULTS, Planned, plan, traffic_options
from gavel_cli.errors import EXIT_CODES, InputError, check_failed
from gavel_cli.options import config_options, json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import SwitchConfig
from gavel_tb.effort import LONG, SHORT
from gavel_tb.native_library import NativeSwitch
from gavel_tb.simulate import prepare
from gavel_tb.source import PATTERNS

SUMMED = ("cycles", "mismatches")
LONG_CYCLES = 1_000_000
"""From here on code that takes twice as long to compile saves more than that."""

Engine = Callable[[Planned], dict[str, Any]]


@click.command(epilog=EXIT_CODES)
@config_options("pod")
@click.option("--seed", "seeds", type=int, multiple=True, default=(DEFAULTS.seed,),
              show_default=True, help="Everything random follows from it; may be repeated.")
@click.option("--pattern", "patterns", type=click.Choice([*PATTERNS, "all"]), multiple=True,
              default=(DEFAULTS.pattern,), show_default=True,
              help="Where frames go, and when; may be repeated.")
@traffic_options
@click.option("--fast", is_flag=True,
              help="Pins only, at the speed of compiled RTL; then all registers are read.")
@click.option("--at", type=click.IntRange(min=0), metavar="CYCLE",
              help="Lockstep with waves around this cycle; the run ends shortly after it.")
@click.option("--waves", is_flag=True, help="Write a waveform of each run, and print its path.")
@json_option
def compare(
    *,
    config: str,
    overrides: tuple[str, ...],
    seeds: tuple[int, ...],
    patterns: tuple[str, ...],
    fast: bool,
    at: int | None,
    waves: bool,
    as_json: bool,
    **traffic: Any,
) -> None:
    """Run RTL and golden model side by side, and stop at the first difference.

    Every pin and probe point is compared in every cycle, and a scoreboard that is independent of
    the model checks every frame end to end. A difference is printed with cycle, block, signal,
    both values, the cycles before it, and the command that repeats it with a waveform.

    With --fast the RTL runs compiled and without probe points, behind the model: pins are compared
    in every cycle, in blocks. A difference then comes with the command that looks at its
    neighbourhood with --at.
    """
    switch = make_config(config, overrides)
    if fast and (waves or at is not None):
        raise InputError("--fast: has no probe points and no waves; leave out --waves and --at")
    jobs = plan(switch, seeds, patterns, traffic)
    if at is not None and len(jobs) > 1:
        raise InputError(f"--at: is for one seed and one pattern, not for {len(jobs)} runs")
    runs: list[dict[str, Any]] = []
    cycles = sum(job.job.cycles for job in jobs)
    with _engine(switch, cycles, fast=fast, at=at, waves=waves) as engine:
        for job in jobs:
            runs.append({"seed": job.job.seed, "pattern": job.job.pattern, **engine(job)})
            if not as_json:
                _show(runs[-1], fast=fast)
            if not runs[-1]["passed"]:
                break
    _summary(switch, runs, len(jobs), as_json)
    if not runs[-1]["passed"]:
        raise check_failed(_verdict(runs[-1]), runs[-1]["report"], as_json=as_json)


@contextmanager
def _engine(
    switch: SwitchConfig, cycles: int, *, fast: bool, at: int | None, waves: bool
) -> Iterator[Engine]:
    if fast:
        with ProgressBar("gavel compare", "generating Verilog and building"):
            rtl = NativeSwitch(switch, effort=LONG if cycles >= LONG_CYCLES else SHORT)
        with rtl:
            yield lambda job: run_fast(switch, rtl, job)
        return
    with ProgressBar("gavel compare", "generating Verilog"):
        prepared = prepare(switch, waves=waves or at is not None)
    yield lambda job: (run_lockstep(prepared, job) if at is None
                       else run_at(prepared, job, at))


def _show(run: dict[str, Any], *, fast: bool) -> None:
    state = "equal" if run["passed"] else "FAILED"
    native = (f"  RTL {run['rtl_cycles_per_second']:>9,.0f} alone, {run['wall_over_rtl']:.2f} x "
              "its time" if fast else "")
    click.echo(f"{run['pattern']:12} seed {run['seed']:<6} {run['cycles']:>9,} cycles  "
               f"{run['cycles_per_second']:>9,.0f} cycles/s{native}  {state}")
    if run["waves_note"]:
        click.echo(run["waves_note"])
    if run["waves"]:
        click.echo(f"waves: {run['waves']}")


def _summary(
    switch: SwitchConfig, runs: list[dict[str, Any]], planned: int, as_json: bool
) -> None:
    total = {name: sum(run[name] for run in runs) for name in SUMMED}
    if as_json:
        print_json({"ports": switch.ports, "planned": planned, **total,
                    "passed": all(run["passed"] for run in runs), "runs": runs})
    else:
        click.echo(f"{len(runs)} of {planned} runs, {total['cycles']:,} cycles, "
                   f"{total['mismatches']} mismatches")


def _verdict(run: dict[str, Any]) -> str:
    """One line: what failed in a run."""
    where = f"{run['pattern']}, seed {run['seed']}"
    if run["mismatches"]:
        return f"{where}: model and RTL differ"
    if run["check"]:
        return f"{where}: {str(run['check']).splitlines()[0]}"
    return f"{where}: the switch did not drain in {run['cycles']:,} cycles"
