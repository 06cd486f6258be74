# SPDX-License-Identifier: Apache-2.0
"""`gavel selftest`: the switch tests itself, and software reads its registers."""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from typing import Any

import click

from gavel_cli.errors import EXIT_CODES, check_failed
from gavel_cli.options import config_options, json_option, make_config, print_json
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.selftest_format import FrameFormat
from gavel_model.selftest_map import SelfTestFault, SelfTestMode, SelfTestPayload
from gavel_tb.build_cache import DEFAULT_CACHE, BuildCache
from gavel_tb.effort import LONG
from gavel_tb.errors import SimulationError
from gavel_tb.selftest_driver import PortResult, SelfTestDriver, SelfTestPlan, verdict
from gavel_tb.selftest_native import NativeSelfTest
from gavel_tb.selftest_registers import open_registers, python_package

_INJECT = {"fcs": SelfTestFault.FCS, "payload": SelfTestFault.PAYLOAD,
           "lost": SelfTestFault.LEFT_OUT}
_MOST_EVERY = (1 << 24) - 1
_STEPS = 100
_DRAIN = 2000
_MOST_DRAINS = 10_000
_COLUMNS = ("port", "sent", "received", "of line rate", "latency min", "mean", "max", "bad FCS",
            "header", "payload", "lost", "out of order")


def _size(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?::(\d+))?", value)
    if match is None:
        raise click.BadParameter(f"{value!r}: say BYTES or SHORTEST:LONGEST", context, parameter)
    low = int(match[1])
    return low, int(match[2] or low)


def _pattern(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, int]:
    match = re.fullmatch(r"(uniform|turn)|(rotate|port):(\d+)", value)
    if match is None:
        raise click.BadParameter(f"{value!r}: say uniform, turn, rotate:K or port:N", context,
                                 parameter)
    return match[1] or match[2], int(match[3] or 0)


def _inject(context: click.Context, parameter: click.Parameter,
            value: str | None) -> tuple[SelfTestFault, int]:
    if value is None:
        return SelfTestFault.FCS, 0
    match = re.fullmatch(rf"({'|'.join(_INJECT)}):(\d+)", value)
    if match is None or not 1 <= int(match[2]) <= _MOST_EVERY:
        raise click.BadParameter(
            f"{value!r}: say {':N, '.join(_INJECT)}:N, N in 1...{_MOST_EVERY}", context, parameter)
    return _INJECT[match[1]], int(match[2])


@click.command(epilog=EXIT_CODES)
@config_options("tiny")
@click.option("--cycles", type=click.IntRange(min=1), default=200_000, show_default=True,
              help="Cycles for which the generators send.")
@click.option("--load", type=click.FloatRange(0, 1, min_open=True), default=0.8,
              show_default=True, help="Share of line rate that each port sends.")
@click.option("--pattern", default="uniform", show_default=True, callback=_pattern,
              metavar="PATTERN", help="uniform; turn, one port after the other; rotate:K, from "
                                      "port p to p + K; port:N, all to one.")
@click.option("--size", callback=_size, metavar="BYTES|LOW:HIGH", default="64:1500",
              show_default=True, help="Lengths with FCS, drawn evenly. Those above the longest "
                                      "frame of the switch are that.")
@click.option("--payload", type=click.Choice([kind.name.lower() for kind in SelfTestPayload]),
              default="prbs", show_default=True, help="What the frames hold.")
@click.option("--inject", callback=_inject, metavar="KIND:N",
              help="Spoil every N-th frame of each port: fcs, payload, or lost.")
@click.option("--mode", type=click.Choice([mode.name.lower() for mode in SelfTestMode if mode]),
              default="internal", show_default=True,
              help="What stands in the loop: the switch; the switch and the links, which are "
                   "looped back here; the links alone.")
@click.option("--seed", type=click.IntRange(1, 0xFFFF_FFFF), default=1, show_default=True,
              help="Of all that is drawn.")
@json_option
def selftest(
    config: str, overrides: tuple[str, ...], cycles: int, load: float, pattern: tuple[str, int],
    size: tuple[int, int], payload: str, inject: tuple[SelfTestFault, int], mode: str, seed: int,
    as_json: bool,
) -> None:
    """Let the Verilated switch send frames to itself and check them, at every port.

    Generators and checkers are hardware (docs/selftest.md) and run at full speed; here they are
    only set up and read, through AXI4-Lite, with the Python package that PeakRDL makes of the
    register map (extra `registers`). A board is driven the same way. The latency is that of the
    switch from a word in to the same word out, in cycles.
    """
    switch = make_config(config, overrides)
    plan = _plan(switch, load, pattern, size, payload, inject, mode, seed)
    package = python_package(switch, BuildCache(DEFAULT_CACHE))
    with ProgressBar("gavel selftest", "building") as bar, \
            NativeSelfTest(switch, effort=LONG) as board:
        registers = open_registers(package, board.read, board.write)
        driver = SelfTestDriver(registers, switch.ports, FrameFormat(switch).classes)
        elapsed, seconds = _run(driver, board, plan, cycles, bar)
        results = driver.results()
    wrong = verdict(plan, results)
    if as_json:
        print_json({"passed": not wrong, "errors": wrong, "cycles": elapsed,
                    "cycles_per_second": round(elapsed / seconds),
                    "ports": [{**asdict(result), "line_rate": _rate(switch, result, elapsed)}
                              for result in results]})
    else:
        _print(switch, results, elapsed)
        frames = sum(result.frames for result in results)
        click.echo(f"{frames:,} frames checked in {elapsed:,} cycles, "
                   f"{elapsed / seconds:,.0f} cycles a second of processor time; "
                   + (f"{sum(result.injected for result in results):,} spoilt, all found"
                      if plan.every and not wrong else "nothing lost" if not wrong else "failed"))
    if wrong:
        first = next((f"; port {result.port}: {result.first_error}" for result in results
                      if result.first_error), "")
        raise check_failed(", ".join(wrong) + first, None, as_json=as_json)


def _plan(
    switch: SwitchConfig, load: float, pattern: tuple[str, int], size: tuple[int, int],
    payload: str, inject: tuple[SelfTestFault, int], mode: str, seed: int,
) -> SelfTestPlan:
    name, shift = pattern
    if name == "port" and shift >= switch.ports:
        raise click.UsageError(f"--pattern port:{shift}: must be in 0...{switch.ports - 1}")
    shortest, longest = size
    longest = min(longest, switch.max_frame_bytes)
    if not MIN_FRAME_BYTES <= shortest <= longest:
        raise click.UsageError(f"--size: must be LOW:HIGH with {MIN_FRAME_BYTES} <= LOW <= HIGH, "
                               f"LOW at most {switch.max_frame_bytes}")
    return SelfTestPlan(mode=SelfTestMode[mode.upper()], load=load, pattern=name, shift=shift,
                        shortest=shortest, longest=longest,
                        payload=SelfTestPayload[payload.upper()], seed=seed,
                        inject=inject[0], every=inject[1])


def _run(driver: SelfTestDriver, board: NativeSelfTest, plan: SelfTestPlan, cycles: int,
         bar: ProgressBar) -> tuple[int, float]:
    """Cycles for which the generators sent, and processor time of the whole run."""
    began = time.process_time()
    driver.prepare(plan)
    first = driver.start()
    done = 0
    for step in range(1, _STEPS + 1):
        board.run(cycles * step // _STEPS - done)
        done = cycles * step // _STEPS
        bar(step / _STEPS, f"{done:,} cycles, {driver.frames:,} frames checked")
    elapsed = driver.stop() - first
    bar(1.0, "waiting for the last frames")
    before = -1
    for _ in range(_MOST_DRAINS):
        board.run(_DRAIN)
        frames = driver.frames
        if frames == before and not driver.under_way:
            return elapsed, time.process_time() - began
        before = frames
    raise SimulationError("the self-test does not come to an end")


def _rate(switch: SwitchConfig, result: PortResult, cycles: int) -> float:
    return round(result.bytes / (switch.word_bytes * cycles), 4)


def _print(switch: SwitchConfig, results: list[PortResult], cycles: int) -> None:
    rows: list[tuple[Any, ...]] = [_COLUMNS]
    for result in results:
        rows.append((
            result.port, f"{result.sent:,}", f"{result.frames:,}",
            f"{100 * _rate(switch, result, cycles):.1f} %", result.latency_min,
            f"{result.latency_mean:.1f}", result.latency_max, result.bad_fcs,
            result.header_errors, result.payload_errors, result.lost, result.out_of_order))
    widths = [max(len(str(row[n])) for row in rows) for n in range(len(_COLUMNS))]
    for row in rows:
        click.echo("  ".join(f"{cell!s:>{width}}"
                             for cell, width in zip(row, widths, strict=True)))
