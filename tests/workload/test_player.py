# SPDX-License-Identifier: Apache-2.0
"""Endpoints: order, dependencies, durations, windows, and every fault found and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_tb.workload.attributes import attribute
from gavel_tb.workload.chakra import Node, NodeType, RankTrace, Trace, load_trace, save_trace
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.generate import collective_node, collective_steps, mixture_of_experts
from gavel_tb.workload.ideal_switch import Fault, play, with_fcs
from gavel_tb.workload.job import WorkloadJob
from gavel_tb.workload.measure import measure
from gavel_tb.workload.message import FrameFormat, MessageHeader
from gavel_tb.workload.player import Player
from gavel_tb.workload.program import Options, compile_trace

POD = load_config("pod")


def message(number: int, kind: NodeType, peer: int, size: int, *deps: int, tag: int = 0) -> Node:
    key = "comm_dst" if kind is NodeType.COMM_SEND else "comm_src"
    items = (attribute("comm_size", size), attribute(key, peer), attribute("comm_tag", tag))
    return Node(number, f"n{number}", kind, data_deps=deps, attributes={a.name: a for a in items})


def send(number: int, peer: int, size: int, *deps: int, tag: int = 0) -> Node:
    return message(number, NodeType.COMM_SEND, peer, size, *deps, tag=tag)


def recv(number: int, peer: int, size: int, *deps: int, tag: int = 0) -> Node:
    return message(number, NodeType.COMM_RECV, peer, size, *deps, tag=tag)


def comp(number: int, duration_us: int, *deps: int) -> Node:
    return Node(number, f"c{number}", NodeType.COMP, ctrl_deps=deps, duration_us=duration_us)


def trace(*ranks: list[Node]) -> Trace:
    return Trace("made", [RankTrace(rank, nodes) for rank, nodes in enumerate(ranks)])


def config(ports: int = 2, **changes: object) -> SwitchConfig:
    return load_config("pod", [f"ports={ports}", *(f"{k}={v}" for k, v in changes.items())])


def player(made: Trace, switch: SwitchConfig | None = None, *, options: Options | None = None,
           **more: object) -> Player:
    program = compile_trace(made, options or Options())
    return Player(switch or config(len(made.ranks)), program, **more)  # type: ignore[arg-type]  # Player checks


def test_one_message_takes_its_words_and_the_latency() -> None:
    p = player(trace([send(0, 1, 100)], [recv(0, 0, 100)]))
    words = -(-p.frames.frame_bytes(100) // 8)
    switch = play(p)
    assert p.failure is None
    assert p.endpoints[0].completed_at == words - 1
    assert p.endpoints[1].completed_at == words - 1 + POD.latency_cycles + words - 1
    assert list(p.log.latencies()) == [POD.latency_cycles]
    assert switch.count == 1


def test_dependencies_and_durations_add_up() -> None:
    """Compute 2 us, send; the other side computes 3 us after it came and answers."""
    p = player(trace([comp(0, 2), send(1, 1, 8, 0), recv(2, 1, 8, 1)],
                     [recv(5, 0, 8), comp(6, 3, 5), send(7, 0, 8, 6)]))
    play(p)
    words = -(-p.frames.frame_bytes(8) // 8)
    one_way = words - 1 + POD.latency_cycles + words - 1
    assert p.endpoints[0].completed_at == 2000 + one_way + 3000 + one_way
    assert p.endpoints[1].completed_at == 2000 + one_way + 3000 + words - 1


def test_computations_of_one_unit_run_one_after_the_other_and_cpu_beside_them() -> None:
    on_cpu = comp(2, 5)
    on_cpu.attributes["is_cpu_op"] = attribute("is_cpu_op", True)
    p = player(trace([comp(0, 2), comp(1, 2), on_cpu, send(3, 1, 8, 0, 1, 2)], [recv(0, 0, 8)]))
    play(p)
    words = -(-p.frames.frame_bytes(8) // 8)
    assert p.endpoints[0].completed_at == 5000 + words - 1


def test_a_receive_takes_the_right_message_by_tag_and_order() -> None:
    """Tag 7 is received first though sent last; two messages of one tag keep their order."""
    p = player(trace(
        [send(0, 1, 3000, tag=1), send(1, 1, 2000, 0, tag=1), send(2, 1, 50, 1, tag=7)],
        [recv(0, 0, 50, tag=7), recv(1, 0, 3000, 0, tag=1), recv(2, 0, 2000, 1, tag=1)],
    ))
    play(p)
    assert p.failure is None
    ends = [endpoint.completed_at for endpoint in p.endpoints]
    assert ends[1] is not None and ends[0] is not None and ends[1] > ends[0]


def test_overhead_is_paid_once_per_message() -> None:
    made = trace([send(0, 1, 5000)], [recv(0, 0, 5000)])
    plain, costly = player(made), player(made, overhead=77)
    play(plain)
    play(costly)
    assert costly.endpoints[1].completed_at == (plain.endpoints[1].completed_at or 0) + 77


def test_messages_to_oneself_and_of_no_bytes_arrive() -> None:
    p = player(trace([send(0, 0, 0), recv(1, 0, 0)], [comp(0, 0)]))
    play(p)
    assert p.failure is None and len(p.log) == 1


@pytest.mark.parametrize("window", [18, 40, 1024])
def test_the_window_is_never_exceeded(window: int) -> None:
    """Incast of 7 to 1: without a window each input would hold 157 cells."""
    size = 9000
    made = trace([recv(k, k, size) for k in range(1, 8)],
                 *([send(0, 0, size)] for _ in range(7)))
    p = player(made, window=window)
    switch = play(p)
    assert p.failure is None
    assert switch.most_cells <= window
    assert max(e.peak_outstanding for e in p.endpoints) <= window
    if window == 1024:
        assert switch.most_cells > 100


@pytest.mark.parametrize("profile", ["ethernet", "afh12_16", "afh12_32", "afh6", "ufh"])
@pytest.mark.parametrize("width", [64, 512])
def test_every_profile_and_width(profile: str, width: int) -> None:
    switch = config(3, profile=profile, data_width=width)
    p = player(collective_node("all-to-all", 3, 10_000), switch)
    play(p)
    assert p.failure is None
    assert sum(e.arrived_bytes for e in p.endpoints) == 10_000 * 2


@pytest.mark.parametrize("kind", ["all-reduce", "all-gather", "reduce-scatter", "all-to-all",
                                  "broadcast", "barrier"])
@pytest.mark.parametrize("algorithm", ["ring", "halving-doubling", "direct"])
def test_written_out_and_expanded_collectives_play_the_same(kind: str, algorithm: str) -> None:
    options = Options(algorithm=algorithm)
    steps = player(collective_steps(kind, 5, 7777, algorithm=algorithm), options=options)
    node = player(collective_node(kind, 5, 7777), options=options)
    play(steps)
    play(node)
    assert steps.failure is None and node.failure is None
    first, second = measure(steps, 1000), measure(node, 1000)
    for name in ("frames", "bytes", "completion_cycles", "bus_bandwidth_achieved"):
        assert first[name] == second[name], name


def test_bus_bandwidth_of_a_long_ring_comes_close_to_the_payload_share() -> None:
    p = player(collective_node("all-reduce", 8, 400_000))
    play(p)
    result = measure(p, 1000)
    share = 1024 / (-(-p.frames.frame_bytes(1024) // 8) * 8)
    assert 0.9 * share < result["bus_bandwidth_share"] <= share
    assert result["bus_bandwidth_ideal"] == 8.0
    slowest = max(result["completion_cycles"]) + 1
    assert result["bus_bandwidth_achieved"] == pytest.approx(400_000 * 2 * 7 / 8 / slowest)


def test_moe_plays_and_its_answers_wait_for_the_experts() -> None:
    p = player(mixture_of_experts(4, 20_000, compute_us=2, seed=4))
    play(p)
    assert p.failure is None
    assert min(e.completed_at or 0 for e in p.endpoints) > 2000


def test_scale_keeps_a_byte_and_a_frame() -> None:
    p = player(trace([send(0, 1, 5), send(1, 1, 10_000)], [recv(0, 0, 5), recv(1, 0, 10_000)]),
               options=Options(scale=0.01))
    play(p)
    assert p.failure is None
    assert len(p.log) == 2 and p.endpoints[1].arrived_bytes == 1 + 100


def _lose(at: int) -> Fault:
    return lambda count, target, frame: None if count == at else (target, frame)


def _change(at: int, place: int, repair: bool) -> Fault:
    def fault(count: int, target: int, frame: bytes) -> tuple[int, bytes]:
        if count != at:
            return target, frame
        changed = frame[:place] + bytes([frame[place] ^ 4]) + frame[place + 1 :]
        return target, with_fcs(changed) if repair else changed
    return fault


@pytest.mark.parametrize(("fault", "found"), [
    (_lose(2), "frame 3 of rank 0, class 0, came when 2 was due"),
    (_lose(4), "no frame has arrived for"),
    (_change(1, 100, False), "wrong FCS"),
    (_change(1, 100, True), "changed payload"),
    (_change(1, 8, True), "changed header"),
    (_change(1, 18 + 15, True), "continues at byte"),
    (lambda count, target, frame: (1 - target, frame), "wrong port"),
    (lambda count, target, frame: (target, frame[:-8]), "wrong FCS"),
    (lambda count, target, frame: (target, with_fcs(frame + bytes(8))), "wrong length"),
])
def test_what_the_switch_does_wrong_is_found(fault: Fault, found: str) -> None:
    p = player(trace([send(0, 1, 5000)], [recv(0, 0, 5000)]), config(2, vcs=1))
    play(p, fault)
    assert p.failure is not None and found in p.failure
    assert p.finished


def test_lost_frames_are_counted_as_drops() -> None:
    p = player(trace([send(0, 1, 5000)], [recv(0, 0, 5000)]))
    play(p, _lose(4))
    result = measure(p, 1000)
    assert (result["drops"], result["frames"]) == (1, 4)
    assert result["completion_cycles"][1] is None


@pytest.mark.parametrize(("made", "what"), [
    (trace([recv(3, 1, 9)], [comp(0, 1)]),
     r"rank 0: node 3 \(n3\) waits for a message from rank 1, but no send"),
    (trace([send(3, 1, 9)], [comp(0, 1)]), r"rank 0: node 3 \(n3\) sends to rank 1, but no rec"),
    (trace([send(3, 1, 9)], [recv(4, 0, 8)]),
     r"rank 0: node 3 \(n3\) sends 9 bytes, but rank 1: node 4 \(n4\) expects 8"),
    (trace([recv(0, 1, 9), send(1, 1, 9, 0)], [recv(0, 0, 9), send(1, 0, 9, 0)]),
     r"deadlock: rank 0 waits in node 0 \(n0\) for rank 1, rank 1 waits in node 0 \(n0\) for "),
    (trace([comp(0, 1, 1), comp(1, 1, 0)], [comp(0, 1)]),
     r"rank 0: nodes depend on each other in a circle: node \d \(c\d\) -> node"),
    (trace([send(0, 5, 9)], [comp(0, 1)]),
     r"rank 0, node 0 \(n0\): comm_dst is 5, but the ranks are 0\.\.\.1"),
    (trace([Node(0, "x", NodeType.COMM_SEND)], [comp(0, 1)]),
     r"rank 0, node 0 \(x\): no whole-number attribute comm_dst"),
    (trace([send(0, 1, -4)], [recv(0, 0, -4)]), r"comm_size -4 is negative"),
    (trace([Node(0, "x", NodeType.COMM_COLL, attributes={
        "comm_type": attribute("comm_type", 12), "comm_size": attribute("comm_size", 8)})],
        [comp(0, 1)]), r"comm_type 12 is no collective"),
    (Trace("t", [*collective_node("all-reduce", 2, 8).ranks[:1],
                 *collective_node("all-gather", 2, 8).ranks[1:]]),
     r"rank 1: collective 0 is all-gather of 8 bytes with root 0, but all-reduce of 8"),
    (Trace("t", [*collective_node("all-reduce", 2, 8).ranks[:1], RankTrace(1, [comp(0, 1)])]),
     r"rank 1: 0 collectives, but 1 at rank 0"),
])
def test_what_cannot_end_is_refused_by_name(made: Trace, what: str) -> None:
    with pytest.raises(WorkloadError, match=what) as caught:
        player(made)
    assert "\n" not in str(caught.value)


def test_ranks_that_do_not_fit_the_ports() -> None:
    made = collective_node("all-reduce", 3, 100)
    with pytest.raises(WorkloadError, match="3 ranks, but the switch has 2 ports"):
        player(made, config(2))
    with pytest.raises(WorkloadError, match=r"3 ranks, but .* 4 ports; choose -P ports=3"):
        player(made, config(4))
    p = player(made, config(4), allow_fewer=True)
    play(p)
    assert p.failure is None


def test_options_out_of_range_are_refused() -> None:
    made = collective_node("all-reduce", 2, 100)
    for options, what in ((Options, "scale"), (Options, "clock_mhz"), (Options, "reduce_us")):
        with pytest.raises(WorkloadError, match=what):
            options(**{what: -1.0})
    for name, value in (("mtu", 0), ("mtu", 9200), ("window", 3), ("window", 1025),
                        ("overhead", -1)):
        with pytest.raises(WorkloadError, match=f"{name} = {value}: must be"):
            player(made, **{name: value})


def test_a_frame_format_fits_a_small_switch() -> None:
    tiny = load_config("tiny")
    frames = FrameFormat(tiny)
    assert frames.frame_bytes(frames.mtu) == tiny.max_frame_bytes
    frame = frames.build(MessageHeader(0, 1, 5, 2, 300, 100, frames.mtu, 9), 1)
    assert len(frame) == 256
    words = frames.words(frame)
    assert (len(words), words[-1].sop, words[0].eop, words[0].empty) == (32, 1, 1, 0)


def test_a_job_reads_its_trace(tmp_path: Path) -> None:
    save_trace(collective_node("all-to-all", 8, 800), tmp_path)
    p = WorkloadJob(trace=str(tmp_path), scale=0.5, algorithm="direct").player(POD)
    assert p.program.message_bytes == 7 * 8 * 50
    assert load_trace(tmp_path).name == p.program.name
