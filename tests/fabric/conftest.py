# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

from gavel_tb.fabric.network import Cable, build_network
from gavel_tb.fabric.operations import CollectiveProgram
from gavel_tb.fabric.options import FabricOptions
from gavel_tb.fabric.simulation import Fabric, MakeSwitch
from gavel_tb.fabric.switch_node import SwitchNode
from gavel_tb.fabric.topology import Topology
from gavel_tb.workload.collectives import Collective

SMALL = ("vcs=2", "buffer_cells=64", "max_frame_bytes=512", "replay_cells=64", "replay_frames=64",
         "replay_timer=1024", "loop_cycles=100")
"""Changes of `pod` that make a switch small and its frames short."""


def plane(accelerators: int = 3, **more: object) -> Topology:
    values = {"kind": "plane", "accelerators": accelerators, "delay": 5, "changes": SMALL, **more}
    return Topology(**values)  # type: ignore[arg-type]  # it checks its values


def planes(accelerators: int = 3, count: int = 3, **more: object) -> Topology:
    return plane(accelerators, kind="planes", planes=count, **more)


def leaf_spine(
    accelerators: int = 7, leaves: int = 3, spines: int = 3, **more: object
) -> Topology:
    return plane(accelerators, **{"kind": "leaf-spine", "leaves": leaves, "spines": spines,
                                  "spine_delay": 8, **more})


def make(
    topology: Topology, size: int = 2000, *, kind: Collective = Collective.ALL_REDUCE,
    algorithm: str = "ring", cables: Sequence[Cable] | None = None,
    make_switch: MakeSwitch = SwitchNode, **options: object,
) -> Fabric:
    network = build_network(topology)
    program = CollectiveProgram(kind, topology.accelerators, size, algorithm)
    chosen = FabricOptions(**options)  # type: ignore[arg-type]  # it checks its values
    return Fabric(network, program, chosen, cables, make_switch)
