# SPDX-License-Identifier: Apache-2.0
"""The two ways to run a workload: in lockstep under the simulator, and on the model alone."""

from __future__ import annotations

import time
from typing import Any

from gavel_cli.errors import ToolError
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import SwitchConfig
from gavel_tb.workload.job import WorkloadJob
from gavel_tb.workload.measure import measure
from gavel_tb.workload.on_model import play_on_model
from gavel_tb.workload.player import Player

MODEL_ALONE = "golden model alone"
LOCKSTEP = "Verilated switch in lockstep with the golden model"


def describe(job: WorkloadJob, player: Player) -> dict[str, Any]:
    """What is run, by the names of the result."""
    collective = player.program.collective
    return {
        "trace": job.trace,
        "trace_name": player.program.name,
        "ranks": len(player.program.ranks),
        "operations": sum(len(ops) for ops in player.program.ranks),
        "collective": collective[0].label if collective else "none",
        "algorithm": job.algorithm,
        "scale": job.scale,
        "mtu": player.frames.mtu,
        "window": player.window,
        "overhead": job.overhead,
        "clock_mhz": job.clock_mhz,
        "seed": job.seed,
    }


def run_on_model(player: Player, clock_mhz: float) -> dict[str, Any]:
    """Result on the golden model alone; ``mismatches`` is None, for nothing is compared."""
    started = time.perf_counter()
    with ProgressBar("playing") as bar:
        play_on_model(player, lambda share, cycle: bar(share, f"cycle {cycle:,}"))
    seconds = time.perf_counter() - started
    return {
        "engine": MODEL_ALONE,
        "mismatches": None,
        "mismatch_report": None,
        **measure(player, clock_mhz),
        "simulated_cycles_per_second": player.cycles / seconds,
    }
