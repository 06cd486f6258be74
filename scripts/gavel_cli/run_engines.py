# SPDX-License-Identifier: Apache-2.0
"""The two ways to run a workload: in lockstep under the simulator, and on the model alone."""

from __future__ import annotations

import time
from typing import Any

from gavel_cli.run_progress import ProgressBar
from gavel_model.config import SwitchConfig
from gavel_model.switch import Switch
from gavel_tb.lockstep import Watch
from gavel_tb.record_tap import RecordTap
from gavel_tb.workload.job import WorkloadJob
from gavel_tb.workload.measure import LINK_FIGURES, measure_run
from gavel_tb.workload.on_model import play_on_model
from gavel_tb.workload.player import Player

MODEL_ALONE = "golden model alone"
LOCKSTEP = "Verilated switch in lockstep with the golden model"
FIGURES = (
    "frames", "bytes", "wire_bytes", "completion_cycles", "bus_bandwidth_achieved",
    "bus_bandwidth_ideal", "bus_bandwidth_share", "latency_p50", "latency_p99", "latency_max",
    "drops", "lossless_drops", "cycles", "peak_outstanding_cells", "failure", "plots",
    *LINK_FIGURES,
)
"""What `measure_run` gives, by name."""


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
        "ber": job.ber,
        "credits": job.credits,
        "slow": job.slow,
        "slow_rate": job.slow_rate if job.slow else None,
        "link_delay": job.delay if job.linked else None,
    }


def _all_of(watches: list[Watch]) -> Watch | None:
    """One that calls all; None without any, as a run is faster then."""
    def watch(switch: Switch) -> None:
        for each in watches:
            each(switch)

    return watch if watches else None


def run_on_model(config: SwitchConfig, job: WorkloadJob, player: Player,
                 tap: RecordTap | None = None) -> dict[str, Any]:
    """Result on the golden model alone; ``mismatches`` is None, for nothing is compared. ``tap``
    gets the records of telemetry."""
    started = time.perf_counter()
    with ProgressBar("gavel run", "playing on the model") as bar:
        stimulus = job.stimulus(player)
        account = job.stall_account(config)
        switch = play_on_model(
            config, stimulus, lambda share, cycle: bar(share, f"playing, cycle {cycle:,}"),
            _all_of([watcher.watch for watcher in (account, tap) if watcher is not None]),
        )
    seconds = time.perf_counter() - started
    return {
        "engine": MODEL_ALONE,
        "mismatches": None,
        **measure_run(stimulus, job.clock_mhz, [port.counters.values for port in switch.ports],
                      account),
        "simulated_cycles_per_second": switch.cycle / seconds,
    }


def run_in_lockstep(
    config: SwitchConfig, job: WorkloadJob, *, repeat: str, waves: bool
) -> dict[str, Any]:
    """Result under the simulator, compared with the model in every cycle.

    The first difference stops the run: ``mismatches`` is 1, ``failure`` tells where, with
    ``repeat`` as the command that runs it again with waves, and the figures are None.

    Raises
    ------
    SimulationError
        A missing tool, a build that fails, or a simulator that stops without a result.
    """
    # Imported here, so that the model alone runs where no simulator is installed.
    from gavel_tb.simulate import prepare

    task = {"kind": "workload", "parameters": job.parameters(), "seed": job.seed, "repeat": repeat}
    with ProgressBar("gavel run", "generating Verilog") as bar:
        prepared = prepare(config, waves=waves)
        bar(None, "building")
        outcome = prepared.run(
            task, progress=lambda cycle, share: bar(share, f"simulating, cycle {cycle:,}")
        )
    figures = outcome["figures"] or dict.fromkeys(FIGURES)
    if not outcome["figures"]:
        figures |= {"cycles": outcome["cycles"], "failure": outcome["report"]}
    return {
        "engine": LOCKSTEP,
        "mismatches": outcome["mismatches"],
        **figures,
        "simulated_cycles_per_second": outcome["cycles_per_second"],
        "waves": outcome["waves"],
        "waves_note": outcome["waves_note"],
    }
