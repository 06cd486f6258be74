# SPDX-License-Identifier: Apache-2.0
"""Switches, cables and routes of a topology, and the ways between accelerators.

A direct table gives one port for an ID, so an accelerator that is reached by several ways through
the same switches has an ID for each: ID = way * N + rank. [ours]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from gavel_model.config import SwitchConfig
from gavel_tb.fabric.topology import Topology


class End(NamedTuple):
    """A port of a switch or of an accelerator; ``node`` numbers the switches first."""

    node: int
    port: int


class Cable(NamedTuple):
    """A link in both directions, ``delay`` cycles each way."""

    a: End
    b: End
    delay: int


@dataclass
class SwitchPlan:
    """One switch: its name, its configuration, and its routes, ID to port."""

    name: str
    config: SwitchConfig
    routes: dict[int, int] = field(default_factory=dict)


@dataclass
class Network:
    """What is built.

    Attributes
    ----------
    accelerators
        N.
    ports
        Ports of an accelerator.
    ways
        Ways between two accelerators that have a choice.
    leaf_of
        Leaf of each rank, where there are leaves: two ranks of one leaf have one way.
    switches, cables
        All of them.
    """

    accelerators: int
    ports: int
    ways: int
    leaf_of: list[int] | None
    switches: list[SwitchPlan]
    cables: list[Cable]

    def node(self, rank: int) -> int:
        """Node number of an accelerator."""
        return len(self.switches) + rank

    def name(self, node: int) -> str:
        """Name of a node."""
        count = len(self.switches)
        return self.switches[node].name if node < count else f"rank {node - count}"

    def end_name(self, end: End) -> str:
        """Name of a port; that of an accelerator with one port is the accelerator's."""
        if end.node >= len(self.switches) and self.ports == 1:
            return self.name(end.node)
        return f"{self.name(end.node)} port {end.port}"

    def ways_between(self, src: int, dst: int) -> int:
        """Number of ways from one rank to another."""
        if self.leaf_of is not None and self.leaf_of[src] == self.leaf_of[dst]:
            return 1
        return self.ways

    def address(self, dst: int, way: int) -> int:
        """ID of a destination by a way."""
        return dst if self.leaf_of is None else way * self.accelerators + dst

    def hops(self, src: int, dst: int) -> int:
        """Switches on the way."""
        leaf_of = self.leaf_of
        return 1 if leaf_of is None or leaf_of[src] == leaf_of[dst] else 3

    def delays(self, src: int, dst: int) -> int:
        """Cycles of all links on the way from one rank to another, one way."""
        access = 2 * self.cables[0].delay
        return access if self.hops(src, dst) == 1 else access + 2 * self.cables[-1].delay


def build_network(topology: Topology) -> Network:
    """The network of a topology; cables of accelerators come before those between switches."""
    if topology.kind == "leaf-spine":
        return _leaf_spine(topology)
    count = topology.planes if topology.kind == "planes" else 1
    config = topology.config("switch")
    routes = {rank: rank for rank in range(topology.accelerators)}
    switches = [SwitchPlan(f"plane {n}" if topology.kind == "planes" else "switch", config,
                           dict(routes)) for n in range(count)]
    cables = [Cable(End(count + rank, plane), End(plane, rank), topology.delay)
              for rank in range(topology.accelerators) for plane in range(count)]
    return Network(topology.accelerators, count, count, None, switches, cables)


def _leaf_spine(topology: Topology) -> Network:
    count, leaves, ways = topology.accelerators, topology.leaves, topology.ways
    uplinks = topology.uplinks
    if topology.placement == "packed":
        places = [(rank // topology.per_leaf, rank % topology.per_leaf) for rank in range(count)]
    else:
        places = [(rank % leaves, rank // leaves) for rank in range(count)]
    leaf_config, spine_config = topology.config("leaf"), topology.config("spine")
    switches = [SwitchPlan(f"leaf {n}", leaf_config) for n in range(leaves)]
    switches += [SwitchPlan(f"spine {n}", spine_config) for n in range(topology.spines)]
    for way in range(ways):
        spine = switches[leaves + way // uplinks]
        for rank, (leaf, port) in enumerate(places):
            number = way * count + rank
            spine.routes[number] = leaf * uplinks + way % uplinks
            for n in range(leaves):
                switches[n].routes[number] = port if n == leaf else topology.per_leaf + way
    nodes = len(switches)
    cables = [Cable(End(nodes + rank, 0), End(leaf, port), topology.delay)
              for rank, (leaf, port) in enumerate(places)]
    cables += [
        Cable(End(leaf, topology.per_leaf + way),
              End(leaves + way // uplinks, leaf * uplinks + way % uplinks), topology.spine_delay)
        for leaf in range(leaves) for way in range(ways)
    ]
    return Network(count, 1, ways, [leaf for leaf, _ in places], switches, cables)
