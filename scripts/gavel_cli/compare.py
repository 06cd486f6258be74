# SPDX-License-Identifier: Apache-2.0
"""`gavel compare`: RTL and model in lockstep on random traffic of given seeds."""

from __future__ import annotations

from typing import Any

import click

from gavel_cli.errors import EXIT_CODES, InputError, check_failed
from gavel_cli.options import config_options, json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import SwitchConfig
from gavel_model.profiles import PROFILE_NAMES
from gavel_tb.simulate import Prepared, prepare
from gavel_tb.source import PATTERNS
from gavel_tb.traffic import BACKPRESSURE, TrafficJob

DEFAULTS = TrafficJob()
SUMMED = ("cycles", "mismatches")


@click.command(epilog=EXIT_CODES)
@config_options("pod")
@click.option("--seed", "seeds", type=int, multiple=True, default=(DEFAULTS.seed,),
              show_default=True, help="Everything random follows from it; may be repeated.")
@click.option("--cycles", type=click.IntRange(min=1), default=DEFAULTS.cycles, show_default=True,
              help="Cycles in which frames begin; then the switch drains.")
@click.option("--pattern", "patterns", type=click.Choice([*PATTERNS, "all"]), multiple=True,
              default=(DEFAULTS.pattern,), show_default=True,
              help="Where frames go, and when; may be repeated.")
@click.option("--load", type=float, default=DEFAULTS.load, show_default=True,
              help="Share of the cycles in which an input sends a word.")
@click.option("--size", default=str(DEFAULTS.size), show_default=True,
              metavar="BYTES|min|max|mixed", help="Frame length, FCS included.")
@click.option("--gaps", type=float, default=DEFAULTS.gaps, show_default=True,
              help="Probability of an idle cycle before each word inside a frame.")
@click.option("--backpressure", type=click.Choice(BACKPRESSURE), default=DEFAULTS.backpressure,
              show_default=True, help="When the transmit pins are not ready.")
@click.option("--faults", type=float, default=DEFAULTS.faults, show_default=True,
              help="Share of the frames that are faulty.")
@click.option("--profile", type=click.Choice(["mixed", *PROFILE_NAMES]), metavar="NAME",
              help=f"Header of all ports: {', '.join(PROFILE_NAMES)}, or mixed.  "
                   "[default: the configuration's]")
@click.option("--registers", is_flag=True, help="Read and write registers meanwhile.")
@click.option("--resets", type=click.IntRange(min=0), default=DEFAULTS.resets, show_default=True,
              help="Resets at random times.")
@click.option("--waves", is_flag=True, help="Write a waveform of each run, and print its path.")
@json_option
def compare(
    *,
    config: str,
    overrides: tuple[str, ...],
    seeds: tuple[int, ...],
    cycles: int,
    patterns: tuple[str, ...],
    load: float,
    size: str,
    gaps: float,
    backpressure: str,
    faults: float,
    profile: str | None,
    registers: bool,
    resets: int,
    waves: bool,
    as_json: bool,
) -> None:
    """Run RTL and golden model side by side, and stop at the first difference.

    Every pin and probe point is compared in every cycle, and a scoreboard that is independent of
    the model checks every frame end to end. A difference is printed with cycle, block, signal,
    both values, the cycles before it, and the command that repeats it with a waveform.
    """
    switch = make_config(config, overrides)
    chosen = PATTERNS if "all" in patterns else patterns
    jobs = [
        TrafficJob(seed=seed, cycles=cycles, pattern=pattern, load=load, size=size, gaps=gaps,
                   backpressure=backpressure, faults=faults,
                   profile=DEFAULTS.profile if profile is None else profile,
                   registers=registers, resets=resets)
        for pattern in chosen for seed in seeds
    ]
    for job in jobs:
        try:
            job.check(switch)
        except ValueError as error:
            raise InputError(f"--{error}") from None
    with ProgressBar("gavel compare", "generating Verilog"):
        prepared = prepare(switch, waves=waves)
    runs: list[dict[str, Any]] = []
    for job in jobs:
        runs.append(_run(prepared, job, as_json))
        if not runs[-1]["passed"]:
            break
    _summary(switch, runs, len(jobs), as_json)
    if not runs[-1]["passed"]:
        raise check_failed(_verdict(runs[-1]), runs[-1]["report"], as_json=as_json)


def _run(prepared: Prepared, job: TrafficJob, as_json: bool) -> dict[str, Any]:
    with ProgressBar(f"{job.pattern}, seed {job.seed}", "building") as bar:
        result = prepared.run(
            {"kind": "traffic", "parameters": job.parameters()},
            progress=lambda cycle, share: bar(share, f"simulating, cycle {cycle:,}"),
        )
    run = {"seed": job.seed, "pattern": job.pattern, **result}
    if not as_json:
        state = "equal" if result["passed"] else "FAILED"
        click.echo(f"{job.pattern:12} seed {job.seed:<6} {result['cycles']:>9,} cycles  "
                   f"{result['cycles_per_second']:>9,.0f} cycles/s  {state}")
        if result["waves_note"]:
            click.echo(result["waves_note"])
        if result["waves"]:
            click.echo(f"waves: {result['waves']}")
    return run


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
