# SPDX-License-Identifier: Apache-2.0
"""`gavel soak`: link-level retry under fire for as long as asked, in lockstep."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import click

from gavel_cli.errors import EXIT_CODES, InputError, check_failed
from gavel_cli.options import json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar
from gavel_tb.effort import LONG
from gavel_tb.llr_traffic import LlrTrafficJob
from gavel_tb.simulate import Prepared, prepare
from gavel_tb.soak import SoakTotals, soak_jobs

Failure = tuple[str, LlrTrafficJob, dict[str, Any]]
"""Mix, job and result of a run that failed."""

DEFAULT_PRESETS = ("tiny", "fpga", "pod", "rack")


@click.command(epilog=EXIT_CODES)
@click.option("-c", "--config", "names", multiple=True, default=DEFAULT_PRESETS,
              metavar="NAME|FILE", show_default=True, help="Preset or TOML file; may be repeated.")
@click.option("-P", "overrides", multiple=True, metavar="NAME=VALUE",
              help="Change one field of each configuration; may be repeated.")
@click.option("--frames", type=click.IntRange(min=1), default=1_000_000, show_default=True,
              help="Frames to be checked on each switch.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True),
              help="Begin no run on a switch after so many minutes.  [default: no limit]")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the first run.")
@click.option("--jobs", type=click.IntRange(min=1),
              help="Simulations at a time.  [default: the cores]")
@json_option
def soak(
    names: tuple[str, ...],
    overrides: tuple[str, ...],
    frames: int,
    minutes: float | None,
    seed: int,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Run traffic over links with errors at every port, and lose nothing.

    RTL and golden model are compared in every cycle; partners of their own reading of the rules
    stand at every port, check them, and check every frame end to end. Runs take turns with what
    the links do: bit errors, words hit and lost, bursts, links that go down, pins that stall, and
    all at once; and with credits and pauses, slow, stuck and blocked receivers, full load, incast,
    requests and responses. The first failure ends the soak.
    """
    switches = {name: make_config(name, overrides) for name in names}
    for switch in switches.values():
        try:
            next(soak_jobs(seed))[1].check(switch)
        except ValueError as error:
            raise InputError(str(error)) from None
    totals: dict[str, dict[str, Any]] = {}
    for name, switch in switches.items():
        with ProgressBar(f"gavel soak {name}", "building") as bar:
            prepared = prepare(switch, effort=LONG)
            began = time.monotonic()
            end = None if minutes is None else began + 60 * minutes
            total = SoakTotals()
            failed: Failure | None = None
            try:
                failed = _soak(prepared, soak_jobs(seed, switch.vcs), frames, end,
                               jobs or len(os.sched_getaffinity(0)), bar, total)
            finally:
                # Also when it is interrupted: what has passed until then has passed.
                seconds = time.monotonic() - began
                totals[name] = {**total.as_dict(), "seconds": round(seconds, 1)}
                if not as_json:
                    click.echo(_line(name, total, seconds))
        if failed is not None:
            if as_json:
                print_json(totals)
            mix, job, result = failed
            verdict = f"{name}, {mix}, seed {job.seed}: " + (
                "model and RTL differ" if result["mismatches"] else "a check failed")
            raise check_failed(verdict, result["report"], as_json=as_json)
    if as_json:
        print_json(totals)


def _soak(
    prepared: Prepared, work: Iterator[tuple[str, LlrTrafficJob]], frames: int, end: float | None,
    jobs: int, bar: ProgressBar, total: SoakTotals,
) -> Failure | None:
    """Runs jobs until enough frames are checked or the time is over, and adds them to ``total``;
    the first failure ends it."""
    failed: Failure | None = None
    running: dict[Future[dict[str, Any]], tuple[str, LlrTrafficJob]] = {}
    under_way = 0
    with ThreadPoolExecutor(jobs) as pool:
        while True:
            late = end is not None and time.monotonic() > end and total.runs + len(running) > 0
            while (failed is None and not late and len(running) < jobs
                   and total.frames + under_way < frames):
                mix, job = next(work)
                task = {"kind": "llr", "parameters": job.parameters()}
                running[pool.submit(prepared.run, task)] = mix, job
                under_way += job.frames
            if not running:
                return failed
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                mix, job = running.pop(future)
                under_way -= job.frames
                result = future.result()
                if result["passed"]:
                    total.add(result)
                elif failed is None:
                    failed = mix, job, result
            bar(min(1.0, total.frames / frames), f"{total.frames:,} frames checked, "
                f"{sum(total.errors.values()):,} errors")


def _line(name: str, total: SoakTotals, seconds: float) -> str:
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(total.errors.items()))
    return (f"{name}: {total.frames:,} frames checked in {total.runs} runs, {total.cycles:,} "
            f"cycles, {sum(total.errors.values()):,} errors injected ({kinds}), {total.replays:,} "
            f"replays, nothing lost in them; {seconds:,.0f} s")
