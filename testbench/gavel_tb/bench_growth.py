# SPDX-License-Identifier: Apache-2.0
"""How the time of a cycle grows with the number of ports, and a sweep's time with workers."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_tb.bench import BenchJob, fast_speed, model_speed
from gavel_tb.farm.dispatch import run
from gavel_tb.sweep.plan import SweepPlan

PORTS = (2, 4, 8, 16, 32, 64)
"""Numbers of ports that are measured."""

_PLAIN_CYCLES, _FAST_CYCLES = 20_000, 400_000
"""Cycles at two ports; with more, so many fewer that each measurement moves as many words."""

SWEEP_POINTS = 24
"""Points of the sweep that is timed."""

_SWEEP_CYCLES = 200_000


def with_ports(ports: int) -> SwitchConfig:
    """The preset ``pod`` with another radix."""
    return replace(load_config("pod"), ports=ports)


def growth() -> dict[int, dict[str, float]]:
    """Cycles per second of ``model`` and ``fast``, by the number of ports: 64 bits, uniform traffic
    of 256-byte frames at load 0.8 on every port."""
    found = {}
    for ports in PORTS:
        config = with_ports(ports)
        share = PORTS[0] / ports
        found[ports] = {
            "model": model_speed(config, BenchJob(cycles=int(_PLAIN_CYCLES * share))),
            "fast": fast_speed(config, BenchJob(cycles=int(_FAST_CYCLES * share))),
        }
    return found


def exponent(speeds: Sequence[tuple[int, float]]) -> float:
    """b of the least-squares fit of time = a * ports**b, by logarithms.

    Parameters
    ----------
    speeds
        Ports and cycles per second, two different numbers of ports at least.
    """
    xs = [math.log(ports) for ports, _ in speeds]
    ys = [-math.log(speed) for _, speed in speeds]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    covariance = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return covariance / sum((x - x_mean) ** 2 for x in xs)


def sweep_seconds(workers: Sequence[int]) -> dict[int, float]:
    """Seconds of one sweep of `SWEEP_POINTS` points on the compiled model, by the number of local
    processes; start and end of the processes included.

    Raises
    ------
    RuntimeError
        If a point fails.
    """
    plan = SweepPlan(config="pod", axes={"load": [0.5]}, seeds=SWEEP_POINTS,
                     cycles=_SWEEP_CYCLES)
    seconds = {}
    for number in workers:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            outcomes = run(plan.units(), folder=Path(folder), workers=number)
            seconds[number] = time.perf_counter() - began
        for outcome in outcomes:
            if outcome.error is not None:
                raise RuntimeError(outcome.error)
    return seconds
