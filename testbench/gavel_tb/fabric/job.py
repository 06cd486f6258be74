# SPDX-License-Identifier: Apache-2.0
"""A run over a fabric as plain data in, figures out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from gavel_tb.fabric.measure import measure_fabric
from gavel_tb.fabric.network import build_network
from gavel_tb.fabric.operations import CollectiveProgram
from gavel_tb.fabric.options import FabricOptions
from gavel_tb.fabric.simulation import Fabric, Progress
from gavel_tb.fabric.topology import Topology
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.generate import KINDS
from gavel_tb.workload.program import MAX_MESSAGE_BYTES, Options


@dataclass(frozen=True, kw_only=True)
class FabricJob:
    """What is played over a topology.

    Attributes
    ----------
    collective, size, algorithm
        A name of `KINDS`; bytes S as nccl-tests defines them; one of `ALGORITHMS`.
    scale, reduce_us, clock_mhz
        As `Options`.
    options
        As `FabricOptions`.
    """

    collective: str = "all-reduce"
    size: int = 1 << 16
    algorithm: str = "ring"
    scale: float = 1.0
    reduce_us: float = 0.0
    clock_mhz: float = 1000.0
    options: FabricOptions = field(default_factory=FabricOptions)

    def build(self, topology: Topology) -> Fabric:
        """Everything but the run.

        Raises
        ------
        WorkloadError
            Names what cannot be played, and the fix.
        """
        how = Options(algorithm=self.algorithm, scale=self.scale, clock_mhz=self.clock_mhz,
                      reduce_us=self.reduce_us)
        if self.collective not in KINDS:
            raise WorkloadError(f"collective {self.collective!r}: must be one of "
                                + ", ".join(KINDS))
        size = how.bytes(self.size)
        if not 0 <= size <= MAX_MESSAGE_BYTES:
            raise WorkloadError(f"size = {size}: must be in 0...{MAX_MESSAGE_BYTES} bytes")
        program = CollectiveProgram(KINDS[self.collective], topology.accelerators, size,
                                    self.algorithm, how.cycles(self.reduce_us, "reduce_us"))
        return Fabric(build_network(topology), program, self.options)

    def run(self, fabric: Fabric, progress: Progress | None = None) -> dict[str, Any]:
        """Runs what was built; the figures of `measure_fabric`, and the speed."""
        started = time.perf_counter()
        fabric.run(progress)
        seconds = time.perf_counter() - started
        return {**measure_fabric(fabric, self.clock_mhz), "seconds": seconds,
                "simulated_cycles_per_second": fabric.cycles / seconds}
