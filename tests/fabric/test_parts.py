# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
from tests.fabric.conftest import leaf_spine, make, plane

from gavel_model.register_map import Port, port_address
from gavel_tb.fabric.bring_up import BringUp
from gavel_tb.fabric.links import link_plots
from gavel_tb.fabric.network import build_network
from gavel_tb.fabric.operations import CollectiveProgram
from gavel_tb.fabric.reorder import ReorderStatistics, Resequencer
from gavel_tb.fabric.usage import BINS, Usage
from gavel_tb.workload.collectives import ALGORITHMS, Collective
from gavel_tb.workload.errors import DeliveryError
from gavel_tb.workload.generate import KINDS, collective_node
from gavel_tb.workload.message import MessageHeader
from gavel_tb.workload.program import Operation, OperationKind, Options, compile_trace


def test_a_switch_has_the_credits_that_its_peer_has_room_for() -> None:
    """24 cells for each of two VCs; the partner at an accelerator has room for two frames."""
    changes = (*leaf_spine().changes, "buffer_cells=48", "max_frame_bytes=1024",
               "replay_cells=128")
    network = build_network(leaf_spine(4, 2, 1, changes=changes))
    bring_up = BringUp(network, network.cables, ber=0.0, with_credits=True, longest_bytes=300)
    values = {access.addr: access.wdata for access in bring_up.writes(0)}
    assert values[port_address(0, Port.CBFC_LIMIT)] == 32
    assert values[port_address(2, Port.CBFC_LIMIT)] == 24
    assert values[port_address(2, Port.RX_VC_LIMIT + 1)] == 24


def header(sequence: int) -> MessageHeader:
    return MessageHeader(0, 1, 0, 0, 10, 0, 10, sequence)


def put(order: list[int], reorders: bool = True) -> tuple[list[int], ReorderStatistics]:
    flow, statistics, out = Resequencer("f", reorders), ReorderStatistics(), []
    for cycle, number in enumerate(order):
        out += [ready.sequence for ready in flow.put(header(number), cycle, statistics)]
    return out, statistics


def test_frames_come_out_in_order_whatever_the_order_is_in_which_they_come() -> None:
    out, statistics = put([1, 3, 0, 2, 4])
    assert out == [0, 1, 2, 3, 4]
    # 0 comes behind 3, three places late; 2 behind 3, one.
    assert dict(statistics.distances) == {0: 3, 3: 1, 1: 1}
    assert statistics.peak == 2 and statistics.held == 0
    assert dict(statistics.waits) == {0: 3, 2: 2}


def test_numbers_wrap() -> None:
    numbers = [n & 0xFFFF for n in range(70_000)]
    numbers[65_535], numbers[65_536] = numbers[65_536], numbers[65_535]
    out, statistics = put(numbers)
    assert out == [n & 0xFFFF for n in range(70_000)]
    assert statistics.distances[1] == 1 and statistics.distances.total() == 70_000


@pytest.mark.parametrize(("order", "reorders"), [
    ([0, 0], True), ([0, 2, 2], True), ([0, 1, 0], True), ([1], False), ([0, 2], False),
])
def test_what_comes_twice_or_must_not_overtake_is_an_error(
    order: list[int], reorders: bool
) -> None:
    with pytest.raises(DeliveryError, match=rf"frame {order[-1]} came when"):
        put(order, reorders)


def test_usage_keeps_every_word_when_its_bins_grow() -> None:
    usage = Usage()
    cycles = [*range(100), 5000, 5001, 100_000]
    for cycle in cycles:
        usage.add(cycle)
    bins = usage.bins(100_001)
    assert usage.total == sum(bins) == len(cycles) and len(bins) <= BINS
    width = 1 << usage.shift
    for place, count in enumerate(bins):
        assert count == sum(cycle // width == place for cycle in cycles)


def test_links_over_time_add_up_to_the_words_that_they_carried() -> None:
    fabric = make(plane(3), 4000)
    fabric.run()
    plots = link_plots(fabric.lines, fabric.cycles, 2 * fabric.cycles)
    by_name = {line.name: line.usage.total for line in fabric.lines}
    assert len(plots["rows"]) == len(fabric.lines)
    for name, row in zip(plots["names"], plots["rows"], strict=True):
        assert round(sum(row) * plots["bin_cycles"]) == by_name[name]
    assert plots["means"] == [by_name[name] / (2 * fabric.cycles) for name in plots["names"]]


def _shape(ops: list[Operation]) -> list[tuple[object, ...]]:
    """What the operations are, without those that only hold others together."""
    return [(op.kind, op.peer, op.size, op.traffic) for op in ops
            if op.kind is not OperationKind.LOCAL]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", list(KINDS))
def test_operations_in_arrays_are_those_of_a_trace(kind: str, algorithm: str) -> None:
    program = CollectiveProgram(KINDS[kind], 7, 5000, algorithm)
    traced = compile_trace(collective_node(kind, 7, 5000), Options(algorithm=algorithm))
    assert program.bus_bytes == traced.bus_bytes
    assert program.message_bytes == traced.message_bytes
    for ours, theirs in zip(program.ranks, traced.ranks, strict=True):
        assert _shape(list(ours)) == _shape(theirs)
        for index, op in enumerate(ours):
            assert op.waits_for == sum(index in other.then for other in ours)


def test_many_sends_that_wait_for_the_same_receives_wait_for_one_operation() -> None:
    program = CollectiveProgram(Collective.ALL_REDUCE, 24, 2400, "direct")
    for ops in program.ranks:
        assert sum(len(op.then) for op in ops) < 4 * 24
        joined = [op for op in ops if op.waits_for == 23]
        assert len(joined) == 1 and len(joined[0].then) == 23
