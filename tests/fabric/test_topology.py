# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fabric.conftest import leaf_spine, plane, planes

from gavel_model.profiles import FABRIC_PREFIX
from gavel_model.switch import Switch
from gavel_tb.fabric.network import Network, build_network
from gavel_tb.fabric.topology import SHIPPED, Topology, TopologyError, load_topology

LEAF_SPINE = 'kind = "leaf-spine"\naccelerators = 8\nleaves = 2\nspines = 2\n'


def reaches(network: Network, src: int, dst: int, way: int) -> list[int]:
    """Nodes on the way by routes and cables alone."""
    joined = {end: other for cable in network.cables
              for end, other in ((cable.a, cable.b), (cable.b, cable.a))}
    first = way if network.ports > 1 else 0
    end = joined[next(end for end in joined if end.node == network.node(src)
                      and end.port == first)]
    nodes = []
    while end.node < len(network.switches):
        nodes.append(end.node)
        assert len(nodes) <= 3, "a circle"
        port = network.switches[end.node].routes[network.address(dst, way)]
        end = joined[end._replace(port=port)]
    assert end.node == network.node(dst)
    return nodes


@pytest.mark.parametrize("topology", [
    plane(5), planes(3, 4), leaf_spine(7, 3, 3), leaf_spine(13, 4, 2, uplinks=3),
    leaf_spine(9, 2, 5, placement="scattered"),
], ids=lambda topology: f"{topology.kind}-{topology.accelerators}")
def test_every_way_leads_where_it_is_to_lead(topology: Topology) -> None:
    network = build_network(topology)
    for src in range(network.accelerators):
        for dst in range(network.accelerators):
            found = [reaches(network, src, dst, way)
                     for way in range(network.ways_between(src, dst))]
            assert all(len(nodes) == network.hops(src, dst) for nodes in found)
            if network.hops(src, dst) == 3:
                assert {nodes[1] for nodes in found} == set(
                    range(topology.leaves, topology.leaves + topology.spines))
    used = [end for cable in network.cables for end in cable[:2]]
    assert len(used) == len(set(used))
    for end in used:
        if end.node < len(network.switches):
            assert end.port < network.switches[end.node].config.ports


def test_the_ids_are_those_of_the_lookup_chapter() -> None:
    network = build_network(leaf_spine(5, 2, 3))
    plan = network.switches[0]
    switch = Switch(plan.config)
    switch.registers.skip(plan.config.table_init_cycles)
    switch.registers.load_routes(plan.routes)
    number = network.address(4, 2)
    assert number == 2 * 5 + 4
    assert switch.lookup.route(number, False) == plan.routes[number]
    assert switch.lookup.route(FABRIC_PREFIX << 16 | number, True) == plan.routes[number]


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_can_be_built(name: str) -> None:
    topology = load_topology(name)
    network = build_network(topology)
    assert len(network.switches) in (1, 4, 8, 64)
    if name == "leaf-spine-1024":
        assert [plan.config.ports for plan in network.switches] == [64] * 32 + [32] * 32
        assert len(network.cables) == 2048


@pytest.mark.parametrize(("text", "what"), [
    ("kind = ", r"is not TOML \("),
    ("accelerators = 4", "kind: missing"),
    ('kind = "plane"', "accelerators: missing"),
    ('kind = "torus"\naccelerators = 4', "kind = 'torus': must be one of plane, planes, leaf"),
    ('kind = "plane"\naccelerators = 4\nfoo = 1', "'foo': unknown key; one of kind, accelerators"),
    ('kind = "plane"\naccelerators = 4\nplanes = 2', "planes: a plane has none; leave it out"),
    ('kind = "plane"\naccelerators = 1', r"accelerators = 1: must be in 2\.\.\.1024"),
    ('kind = "plane"\naccelerators = 65', "switch of 65 ports: a switch has at most 64"),
    ('kind = "plane"\naccelerators = 2.5', r"accelerators = 2\.5: must be a whole number"),
    ('kind = "plane"\naccelerators = true', "accelerators = True: must be a whole number"),
    ('kind = 3\naccelerators = 4', "kind = 3: must be a string"),
    ('kind = "planes"\naccelerators = 4', "planes: missing"),
    ('kind = "plane"\naccelerators = 4\ndelay = 0', r"delay = 0: must be in 1\.\.\.100000"),
    ('kind = "plane"\naccelerators = 4\nswitch = 3', r"switch: must be a table, \[switch\]"),
    ('kind = "plane"\naccelerators = 4\n[switch]\nbase = "huge"',
     "base = 'huge': must be one of tiny, fpga, pod, rack, scale"),
    ('kind = "plane"\naccelerators = 4\n[switch]\nports = 8',
     "ports: follows from the topology; leave it out"),
    ('kind = "plane"\naccelerators = 4\n[switch]\nvcs = 9', "switch: vcs = 9: must be in 1"),
    ('kind = "plane"\naccelerators = 4\n[switch]\ncolour = 9', "switch: colour: unknown field"),
    (LEAF_SPINE + "uplinks = 40", "leaf of 84 ports: a switch has at most 64"),
    (LEAF_SPINE.replace("leaves = 2", "leaves = 5"), "leaves = 5: 8 accelerators, 2 on a leaf, "
     "leave a leaf without any"),
    (LEAF_SPINE.replace("leaves = 2", "leaves = 1"), r"leaves = 1: must be in 2\.\.\.64"),
    ('kind = "leaf-spine"\naccelerators = 1024\nleaves = 64\nspines = 33\nuplinks = 2',
     "66 ways to each of 1024 accelerators; an ID has 16 bits, so at most 64"),
    (LEAF_SPINE + 'placement = "random"', "placement = 'random': must be one of packed, scattered"),
])
def test_a_bad_topology_is_one_line_that_names_the_thing(
    tmp_path: Path, text: str, what: str
) -> None:
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(TopologyError, match=what) as caught:
        load_topology(str(path))
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))


def test_a_topology_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="no such file; give a TOML file or one of plane, "):
        load_topology(str(tmp_path / "none.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(TopologyError, match="is not UTF-8 text"):
        load_topology(str(tmp_path / "binary.toml"))
