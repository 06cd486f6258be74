# SPDX-License-Identifier: Apache-2.0
"""A run over a fabric as plain data in, figures out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gavel_model.pins import RegisterPins
from gavel_tb.fabric.block_node import BlockSwitchNode
from gavel_tb.fabric.measure import measure_fabric
from gavel_tb.fabric.network import SwitchPlan, build_network
from gavel_tb.fabric.operations import CollectiveProgram
from gavel_tb.fabric.options import FabricOptions
from gavel_tb.fabric.simulation import Fabric, MakeSwitch, Progress
from gavel_tb.fabric.switch_node import SwitchNode
from gavel_tb.fabric.topology import Topology
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.generate import KINDS
from gavel_tb.workload.program import MAX_MESSAGE_BYTES, Options


def _compiled_switch(
    plan: SwitchPlan, writes: Sequence[RegisterPins], retrying: Sequence[int], *, skipping: bool
) -> BlockSwitchNode:
    # numba takes seconds to import: only who asks for it waits for it.
    from gavel_fast.switch import FastSwitch

    return BlockSwitchNode(plan, writes, retrying, engine=FastSwitch, skipping=skipping)


SWITCHES: Mapping[str, MakeSwitch] = {"plain": SwitchNode, "compiled": _compiled_switch}
"""What makes the switches, by engine: the golden model, which skips cycles in which it is at rest,
or the compiled one, which runs all of them. All other figures are the same."""


@dataclass(frozen=True, kw_only=True)
class FabricJob:
    """What is played over a topology.

    Attributes
    ----------
    collective, size, algorithm
        A name of `KINDS`; bytes S as nccl-tests defines them; one of `ALGORITHMS`.
    scale, reduce_us, clock_mhz
        As `Options`.
    engine
        One of `SWITCHES`.
    options
        As `FabricOptions`.
    """

    collective: str = "all-reduce"
    size: int = 1 << 16
    algorithm: str = "ring"
    scale: float = 1.0
    reduce_us: float = 0.0
    clock_mhz: float = 1000.0
    engine: str = "plain"
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
        if self.engine not in SWITCHES:
            raise WorkloadError(f"engine = {self.engine!r}: must be one of {', '.join(SWITCHES)}")
        size = how.bytes(self.size)
        if not 0 <= size <= MAX_MESSAGE_BYTES:
            raise WorkloadError(f"size = {size}: must be in 0...{MAX_MESSAGE_BYTES} bytes")
        program = CollectiveProgram(KINDS[self.collective], topology.accelerators, size,
                                    self.algorithm, how.cycles(self.reduce_us, "reduce_us"))
        return Fabric(build_network(topology), program, self.options,
                      make_switch=SWITCHES[self.engine])

    def run(self, fabric: Fabric, progress: Progress | None = None) -> dict[str, Any]:
        """Runs what was built; the figures of `measure_fabric`, and the speed."""
        started = time.perf_counter()
        fabric.run(progress)
        seconds = time.perf_counter() - started
        return {**measure_fabric(fabric, self.clock_mhz), "seconds": seconds,
                "simulated_cycles_per_second": fabric.cycles / seconds}
