# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import pytest
from tests.fabric.conftest import leaf_spine, make, planes

from gavel_model.frame import append_fcs
from gavel_tb.fabric.measure import measure_fabric
from gavel_tb.fabric.network import Cable, End, build_network
from gavel_tb.fabric.simulation import Fabric
from gavel_tb.fabric.topology import Topology
from gavel_tb.workload.collectives import Collective


def failed(fabric: Fabric) -> str:
    fabric.run()
    assert fabric.failure is not None
    assert "\n" not in fabric.failure
    return fabric.failure


def swapped(topology: Topology, one: int, other: int) -> list[Cable]:
    """The far ends of two cables are exchanged."""
    cables = list(build_network(topology).cables)
    a, b = cables[one], cables[other]
    cables[one], cables[other] = a._replace(b=b.b), b._replace(b=a.b)
    return cables


def test_swapped_cables_of_two_accelerators() -> None:
    topology = leaf_spine(6, 3, 2)
    text = failed(make(topology, cables=swapped(topology, 0, 1)))
    assert "came to the wrong rank" in text
    assert "the cable of rank 0 goes to leaf 0 port 1, not to leaf 0 port 0" in text


def test_swapped_cables_between_switches() -> None:
    """A spine gets frames of IDs that are none of its own: they have no route there."""
    topology = leaf_spine(4, 2, 2, placement="scattered")
    text = failed(make(topology, spray="packet", cables=swapped(topology, 4, 5)))
    assert "the cable of leaf 0 port 2 goes to spine 1 port 0, not to spine 0 port 0" in text
    text = failed(make(topology, spray="packet", cables=swapped(topology, 4, 6)))
    assert "the cable of leaf 0 port 2 goes to spine 0 port 1, not to spine 0 port 0" in text


@pytest.mark.parametrize(("port", "what"), [
    (None, "leaf 1 has no route for ID 1, which is for port"),
    (0, "leaf 1 sends to port 0 ID 1, which is for port"),
])
def test_a_broken_route(port: int | None, what: str) -> None:
    fabric = make(leaf_spine(4, 2, 1))
    fabric.switches[1].reroute(1, port)
    fabric.switches[1].reroute(0, port)
    text = failed(fabric)
    assert what in text or what.replace("ID 1", "ID 0") in text
    if port is None:
        assert "counts RX_NO_ROUTE" in text


@pytest.mark.parametrize(("spray", "found"), [
    ("flow", "came when"), ("packet", "no frame has arrived since"),
])
def test_a_lost_frame(spray: str, found: str) -> None:
    """Where frames of a flow have one way the next one shows the gap; else they wait for it."""
    fabric = make(leaf_spine(4, 2, 2, placement="scattered"), 4000, spray=spray)
    fabric.line(End(fabric.network.node(0), 0)).lose = frozenset((1,))
    text = failed(fabric)
    assert found in text
    assert "rank 0 → leaf 0 port 0: 1 of" in text
    assert measure_fabric(fabric, 1000.0)["drops"] >= 1
    if spray == "packet":
        assert "is missing" in text and "wait for it" in text and "waiting: rank" in text


def test_a_lost_last_frame() -> None:
    """Nothing comes after it: the run ends because nothing is under way any more."""
    fabric = make(planes(2, 2), 60, kind=Collective.BROADCAST, spray="packet")
    fabric.line(End(fabric.network.node(0), 0)).lose = frozenset((0,))
    text = failed(fabric)
    assert "the first is frame 0 of rank 0 to rank 1, class 2, by way 0" in text
    assert "rank 0 port 0 → plane 0 port 0: 1 of 1 frames were lost" in text


def test_a_frame_that_comes_twice() -> None:
    fabric = make(planes(2, 2), 1000, kind=Collective.BROADCAST)
    seen: list[Any] = []
    owner = fabric.accelerators[1]
    deliver = owner.arrived

    def twice(frame: bytes, port: int, first: int) -> None:
        deliver(frame, port, first)
        if not seen:
            seen.append(frame)
            deliver(frame, port, first)

    owner.arrived = twice  # type: ignore[method-assign]  # a planted fault
    assert "came twice" in failed(fabric)


@pytest.mark.parametrize(("place", "found"), [
    (60, "has changed payload"), (8, "has a changed header"), (-1, "wrong FCS"),
])
def test_a_frame_that_was_changed(place: int, found: str) -> None:
    fabric = make(leaf_spine(4, 2, 1), 1000)
    owner = fabric.accelerators[2]
    deliver = owner.arrived

    def changed(frame: bytes, port: int, first: int) -> None:
        wrong = bytearray(frame)
        wrong[place] ^= 1
        if place >= 0:
            wrong = bytearray(append_fcs(bytes(wrong[:-4])))
        deliver(bytes(wrong), port, first)

    owner.arrived = changed  # type: ignore[method-assign]  # a planted fault
    assert found in failed(fabric)


def test_a_link_that_never_comes_up() -> None:
    """A port without its partner: link-level retry does not begin, and the run says so."""
    fabric = make(planes(2, 1), 600, ber=0.0)
    fabric.accelerators[0].ports[0].partner.silence(1 << 40)  # type: ignore[union-attr]  # it has one with ber
    assert "link-level retry does not come up" in failed(fabric)
