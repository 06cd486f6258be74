# SPDX-License-Identifier: Apache-2.0
"""Chapter 2: K for every pair of ports, VC, length, P, W, number of iterations and of pipeline
registers."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model import latency_histogram
from gavel_model.ordered_set import Kind
from gavel_model.telemetry import WatchedSwitch

STAGES = [*((0, n, 0, 0, m, 0) for n in range(3) for m in range(2)),
          *((1, n, 0, 0, 0, 0) for n in range(3)), (0, 0, 0, 1, 0, 0), (0, 0, 0, 0, 0, 1),
          (0, 1, 0, 2, 1, 1)]
REQUESTS = [(0, 0, 1, 0, 0, 0), (1, 2, 1, 2, 1, 1)]


@pytest.mark.parametrize(("width", "receive", "ingress", "match", "read", "egress", "launch"), [
    *((width, *stages) for width in (64, 512) for stages in STAGES),
    *((width, *stages) for width in (64, 128) for stages in REQUESTS)])
def test_every_pipeline_register_is_a_cycle(
    bench: Any, width: int, receive: int, ingress: int, match: int, read: int, egress: int,
    launch: int,
) -> None:
    b = bench("tiny", f"data_width={width}", f"receive_stages={receive}",
              f"ingress_stages={ingress}", f"match_stages={match}", f"read_stages={read}",
              f"egress_stages={egress}", f"launch_stages={launch}")
    k = 10 + receive + ingress + match + read + egress + launch
    assert b.config.latency_cycles == k
    filed = b.switch.ports[0].ingress_buffer
    for length in (64, 65, 127, 256):
        frame = b.frame(1, length, seed=length)
        t = b.send(0, frame)
        b.run(t + 3 + receive + ingress - b.cycle)
        assert sum(filed.voq_frames) == 0
        b.run(1)
        assert sum(filed.voq_frames) == 1
        b.run(60)
        words = -(-length // (width // 8))
        assert b.frames[1].pop()[:3] == (t + k, t + k + words - 1, frame)


@pytest.mark.parametrize("width", [64, 128, 256, 512])
@pytest.mark.parametrize("ports", [2, 3, 8])
def test_latency_is_k_for_every_pair(bench: Any, ports: int, width: int) -> None:
    b = bench("pod", f"ports={ports}", f"data_width={width}")
    expected = []
    for i in range(ports):
        for j in range(ports):
            frame = b.frame(j, 64 + 7 * i + j, src=i, seed=i * ports + j)
            t = b.send(i, frame)
            b.run(t + 30 - b.cycle)
            expected.append((j, t + 10, frame))
    for j, first, frame in expected:
        sent = b.frames[j].pop(0)
        assert (sent.first, sent.data) == (first, frame)


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_latency_is_k_for_every_length(bench: Any, width: int) -> None:
    b = bench("tiny", f"data_width={width}")
    for length in range(64, 257):
        frame = b.frame(1, length, seed=length)
        t = b.send(0, frame)
        b.run(t + 10 + 40 - b.cycle)
        sent = b.frames[1].pop()
        words = -(-length // (width // 8))
        assert sent[:3] == (t + 10, t + 10 + words - 1, frame)


@pytest.mark.parametrize("iterations", [1, 2, 3, 4])
@pytest.mark.parametrize("vcs", [1, 3, 8])
def test_latency_is_k_for_every_vc(
    bench: Any, vcs: int, iterations: int
) -> None:
    b = bench("pod", f"vcs={vcs}", f"islip_iterations={iterations}")
    for traffic_class in range(8):
        frame = b.frame(5, 100, traffic_class=traffic_class)
        t = b.send(2, frame)
        b.run(t + 4 - b.cycle)
        voq = 5 * vcs + traffic_class % vcs
        assert b.switch.ports[2].voq_frames[voq] == 1
        b.run(40)
        assert b.frames[5].pop().first == t + 10


def test_a_gap_in_the_frame_does_not_change_the_latency(bench: Any) -> None:
    b = bench("tiny")
    frame = b.frame(1, 80)
    at = 3
    for word in b.words(frame):
        b.put(0, [word], at)
        at += 3
    b.run(at + 40)
    assert [(s.first, s.data) for s in b.frames[1]] == [(at - 3 + 10, frame)]


@pytest.mark.parametrize("width", [64, 512])
def test_latency_is_k_with_link_level_retry(bench: Any, width: int) -> None:
    b = bench("pod", "ports=3", f"data_width={width}")
    for port in range(3):
        b.advance(port, local=1)
        b.ordered_set(port, Kind.INIT, 100)
        b.run(3)
    sent = [0, 0, 0]
    for i in range(3):
        for n, j in enumerate((0, 1, 2, 1)):
            frame = b.frame(j, 64 + 9 * i, src=i, seed=j)
            t = b.put(i, b.eligible(frame, 100 + n))
            b.run(t + 40 - b.cycle)
            (found,) = b.frames[j]
            b.frames[j].clear()
            assert (found.first, found.data, found.seq) == (t + 10, frame, sent[j])
            sent[j] += 1


def test_longest_frame(bench: Any) -> None:
    b = bench("pod")
    frame = b.frame(7, 9216)
    t = b.send(0, frame)
    b.run(t + 10 + 1152 + 1)
    assert [s[:3] for s in b.frames[7]] == [(t + 10, t + 10 + 1151, frame)]


@pytest.mark.parametrize("stages", [
    (), ("match_stages=1",), ("receive_stages=1", "ingress_stages=2", "match_stages=1",
                              "read_stages=2", "egress_stages=1", "launch_stages=1")])
def test_telemetry_tells_the_latency_of_the_pins(
    bench: Any, monkeypatch: pytest.MonkeyPatch, stages: tuple[str, ...]
) -> None:
    b = bench("tiny", *stages)
    b.switch = WatchedSwitch(b.config)
    told: list[int] = []
    monkeypatch.setattr(latency_histogram, "latency_bin", lambda latency: told.append(latency) or 0)
    last = b.send(0, b.frame(1, 200))
    b.drain()
    assert told == [b.frames[1][0].first - last] == [b.config.latency_cycles]
