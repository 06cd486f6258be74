# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import pytest
from tests.fabric.conftest import leaf_spine, make, plane, planes

from gavel_model.loader import load_config
from gavel_tb.fabric.measure import measure_fabric
from gavel_tb.fabric.network import build_network
from gavel_tb.fabric.operations import CollectiveProgram
from gavel_tb.fabric.options import FabricOptions
from gavel_tb.fabric.simulation import Fabric
from gavel_tb.fabric.topology import Topology
from gavel_tb.workload.collectives import Collective
from gavel_tb.workload.errors import WorkloadError


def played(fabric: Fabric) -> dict[str, Any]:
    fabric.run()
    assert fabric.failure is None, fabric.failure
    assert not any(found.in_flight for found in fabric.accelerators)
    figures = measure_fabric(fabric, 1000.0)
    assert figures["drops"] == 0 and figures["bytes"] == fabric.program.message_bytes
    return figures


@pytest.mark.parametrize("spray", ["flow", "packet"])
@pytest.mark.parametrize("topology", [
    plane(2), plane(5), planes(3, 3), planes(4, 1), leaf_spine(7, 3, 3), leaf_spine(4, 2, 1),
    leaf_spine(5, 5, 2), leaf_spine(6, 2, 2, uplinks=3, placement="scattered"),
], ids=lambda topology: f"{topology.kind}-{topology.accelerators}-{topology.ways}")
def test_every_topology_and_spray(topology: Topology, spray: str) -> None:
    played(make(topology, 1500, spray=spray))


@pytest.mark.parametrize("kind", [Collective.ALL_REDUCE, Collective.ALL_GATHER,
                                  Collective.REDUCE_SCATTER, Collective.ALL_TO_ALL])
@pytest.mark.parametrize("algorithm", ["ring", "halving-doubling", "direct"])
def test_every_collective(kind: Collective, algorithm: str) -> None:
    played(make(leaf_spine(5, 2, 2), 1000, kind=kind, algorithm=algorithm, spray="packet"))


@pytest.mark.parametrize("profile", ["esun", "afh12_16", "afh6", "ufh"])
def test_every_profile_with_ids_of_16_bits_goes_over_three_switches(profile: str) -> None:
    changes = (*leaf_spine().changes, f"profile={profile}")
    played(make(leaf_spine(4, 2, 2, changes=changes), 600, spray="packet"))


def test_latency_without_contention() -> None:
    """One message from leaf to leaf: each switch stores the frame, and takes K cycles."""
    fabric = make(leaf_spine(2, 2, 1), 200, kind=Collective.BROADCAST)
    figures = played(fabric)
    k = load_config("pod").latency_cycles
    words = -(-fabric.frames.frame_bytes(100) // 8)
    access, between = 5, 8
    expected = 2 * access + 2 * between + 3 * k + 2 * (words - 1)
    assert figures["latency_min"] == expected
    # A chain of two chunks: the second frame follows the first without a gap.
    assert figures["latency_max"] == expected
    assert figures["completion_cycles"] == 2 * words + expected + words - 1


def test_one_plane_gives_what_the_same_switch_gives_with_several_ways_it_does_not_have() -> None:
    one, several = make(plane(4), 3000), make(planes(4, 1), 3000, spray="packet")
    assert played(one)["completion_cycles"] == played(several)["completion_cycles"]


def test_planes_share_the_work() -> None:
    """Three planes with frames sprayed over them: nearly three times as fast as one."""
    one = played(make(plane(3), 18_000))
    three = played(make(planes(3, 3), 18_000, spray="packet"))
    assert one["completion_cycles"] > 2.2 * three["completion_cycles"]
    assert three["bus_bandwidth_ideal"] == 3 * one["bus_bandwidth_ideal"]


def test_a_hash_makes_a_hot_link_and_spraying_spreads_it() -> None:
    """Two leaves of four, scattered, so that every flow crosses: a hash puts several flows on one
    uplink and leaves others empty; frame by frame, uplinks carry about the same."""
    topology = leaf_spine(8, 2, 4, placement="scattered")
    by_flow = make(topology, 12_000)
    by_packet = make(topology, 12_000, spray="packet")
    slow, fast = played(by_flow), played(by_packet)
    words = {line.name: line.usage.total for line in by_flow.lines}
    hottest = slow["hot_links"][0]
    assert words[hottest["link"]] == max(words.values())
    assert "spine" in hottest["link"] and hottest["times_tier"] > 1.5
    assert hottest["mean"] == max(words.values()) / slow["completion_cycles"]
    assert fast["tiers"]["leaf → spine"]["max"] < 1.3 * fast["tiers"]["leaf → spine"]["mean"]
    assert fast["completion_cycles"] < slow["completion_cycles"]


def test_reordering_is_seen_and_repaired() -> None:
    """Frames of a flow over ways of unequal load come late; with one way each they never do."""
    options = {"kind": Collective.ALL_TO_ALL, "algorithm": "direct", "mtu": 64}
    sprayed = played(make(leaf_spine(9, 3, 2), 9000, spray="packet", window=64, **options))
    assert sprayed["reordered_frames"] > 0
    assert sprayed["reorder_distance_max"] >= 1
    assert sprayed["reorder_buffer_peak"] >= 1
    assert sprayed["reorder_wait_max"] > 0
    assert sum(sprayed["reorder_distances"].values()) > sprayed["reordered_frames"]
    by_flow = played(make(leaf_spine(9, 3, 2), 9000, spray="flow", window=64, **options))
    assert by_flow["reordered_frames"] == 0 and not by_flow["reorder_distances"]


@pytest.mark.parametrize(("topology", "spray"), [
    (plane(3), "flow"), (planes(3, 2), "packet"), (leaf_spine(5, 2, 2), "packet"),
], ids=["plane", "planes", "leaf-spine"])
def test_errors_on_all_links_lose_nothing(topology: Topology, spray: str) -> None:
    figures = played(make(topology, 1500, ber=3e-4, credits=True, spray=spray))
    assert figures["errors_injected"] > 10
    assert figures["link_replays"] > 0 and figures["partner_replays"] > 0
    assert figures["lossless_drops"] == 0


def test_credits_keep_an_incast_from_losing_what_a_wide_window_loses() -> None:
    """All send to all at once over a single spine, which has room for 64 cells an input."""
    options = {"kind": Collective.ALL_TO_ALL, "algorithm": "direct"}
    topology = leaf_spine(8, 2, 1, placement="scattered")
    lost = make(topology, 16_000, window=1000, **options)
    lost.run()
    assert lost.failure is not None and "came when" in lost.failure
    assert "counts RX_NO_BUFFER" in lost.failure and "choose credits" in lost.failure
    assert measure_fabric(lost, 1000.0)["drops"] > 0
    figures = played(make(topology, 16_000, credits=True, **options))
    assert figures["lossless_drops"] == 0


def test_64_ranks_on_a_leaf_spine() -> None:
    topology = leaf_spine(64, 8, 8, changes=(*leaf_spine().changes, "data_width=512"))
    figures = played(make(topology, 64 * 64, algorithm="halving-doubling", spray="packet"))
    assert figures["frames"] >= 64 * 12


def test_a_seed_decides_all() -> None:
    first, again, other = (
        played(make(leaf_spine(6, 3, 3), 1500, ber=3e-4, seed=seed)) for seed in (4, 4, 5))
    for figures in (first, again, other):
        figures.pop("plots")
    assert first == again and first != other


@pytest.mark.parametrize(("options", "what"), [
    ({"window": 3}, "window = 3: must be in 8...1048576 cells"),
    ({"window": 30, "credits": True}, "window: credits take its place"),
    ({"spray": "rain"}, "spray = 'rain': must be one of packet, flow"),
    ({"ber": 1.0}, "ber = 1.0: must be in 0...1"),
    ({"block": 6}, "block = 6: must be in 1...5"),
    ({"mtu": 0}, "mtu = 0: must be"),
    ({"credits": True}, "a VC of spine 0 has room for 16 credits, less than a longest frame of "
                        "leaf 0, 17: choose more buffer_cells"),
])
def test_options_that_do_not_fit(options: dict[str, Any], what: str) -> None:
    changes = (*leaf_spine().changes, "vcs=4", "max_frame_bytes=1040", "replay_cells=128")
    topology = leaf_spine(changes=changes) if options == {"credits": True} else leaf_spine()
    if options == {"credits": True}:
        options = {"credits": True, "mtu": 400}
    with pytest.raises(WorkloadError) as caught:
        make(topology, **options)
    assert what in str(caught.value), caught.value


def test_where_messages_never_meet_the_run_takes_what_is_computed() -> None:
    """A ring on one switch: every rank sends to one and receives from one, so nothing contends."""
    figures = played(make(plane(5), 5 * 400))
    assert figures["completion_cycles"] == figures["completion_uncontended"]
    crossing = played(make(leaf_spine(6, 3, 2), 6 * 400))
    assert crossing["completion_cycles"] == crossing["completion_uncontended"]
    incast = played(make(plane(5), 4000, kind=Collective.REDUCE, algorithm="direct"))
    assert incast["completion_cycles"] > 2 * incast["completion_uncontended"]


@pytest.mark.parametrize("window", [8, 20, 1000])
def test_the_window_is_never_exceeded(window: int) -> None:
    fabric = make(planes(4, 2), 12_000, kind=Collective.ALL_TO_ALL, algorithm="direct",
                  window=window)
    played(fabric)
    peak = max(found.peak_outstanding for found in fabric.accelerators)
    assert peak <= window
    if window == 1000:
        assert peak > 20


def test_a_hash_uses_every_way() -> None:
    for topology in (planes(6, 3), leaf_spine(12, 2, 3, placement="scattered")):
        fabric = make(topology, 600, kind=Collective.ALL_TO_ALL, algorithm="direct")
        played(fabric)
        ups = [line for line in fabric.lines if "→ plane" in line.name or "→ spine" in line.name]
        assert len(ups) in (18, 6)
        used = [line for line in ups if line.usage.total]
        assert len({line.name.rpartition("→ ")[2].split(" port")[0] for line in used}) == 3


def test_reductions_take_their_time() -> None:
    """A ring of n reduces n - 1 times, one after the other. A message can begin in the cycle in
    which a reduction of 70 cycles is over, and one cycle after the arrival without it."""
    runs = []
    for cycles in (0, 70):
        program = CollectiveProgram(Collective.ALL_REDUCE, 4, 4 * 200, "ring", cycles)
        fabric = Fabric(build_network(plane(4)), program, FabricOptions())
        figures = played(fabric)
        assert figures["completion_cycles"] == figures["completion_uncontended"]
        runs.append(figures["completion_cycles"])
    assert runs[1] == runs[0] + 3 * 69
