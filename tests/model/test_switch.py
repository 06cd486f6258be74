# SPDX-License-Identifier: Apache-2.0
"""The whole switch: throughput, fairness, reset in traffic, probe points."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from gavel_model.ordered_set import Kind
from gavel_model.pins import IDLE, Inputs
from gavel_model.probes import probe_points
from gavel_model.register_map import DROPS, Counter, Port

C = Counter


def saturate(
    b: Any, cycles: int, choose: Callable[[int, int], tuple[int, int] | None]
) -> None:
    """Keeps inputs busy: ``choose(port, n)`` gives destination and bytes of the n-th frame."""
    ports = b.config.ports
    words: dict[tuple[int, int, int], Any] = {}
    waiting: list[Any] = [[] for _ in range(ports)]
    count = [0] * ports
    for _ in range(cycles):
        rx = []
        for i in range(ports):
            if not waiting[i]:
                chosen = choose(i, count[i])
                count[i] += 1
                if chosen is None:
                    waiting[i] = [IDLE]
                else:
                    key = (i, *chosen)
                    if key not in words:
                        words[key] = b.words(b.frame(chosen[0], chosen[1], src=i))[::-1]
                    waiting[i] = list(words[key])
            rx.append(waiting[i].pop())
        b.switch.step(Inputs(tuple(rx), (1 << ports) - 1))


def sent_bytes(b: Any) -> list[int]:
    return [port.counters[C.TX_BYTES] for port in b.switch.ports]


def drops(b: Any) -> int:
    return sum(port.counters[n] for port in b.switch.ports for n in DROPS)


@pytest.mark.parametrize("length", [64, 65, 200, 1500])
@pytest.mark.parametrize("width", [64, 512])
def test_a_permutation_runs_at_line_rate(bench: Any, width: int, length: int) -> None:
    b = bench("pod", f"data_width={width}")
    saturate(b, 2000, lambda i, _: ((i + 3) % 8, length))
    words = -(-length * 8 // width)
    # All but the frame that is in the input, the latency, and the one in the output.
    least = (2000 - 7 - 2 * words) // words * length
    assert min(sent_bytes(b)) >= least
    assert drops(b) == 0


@pytest.mark.long
def test_uniform_single_cell_traffic_is_delivered(bench: Any) -> None:
    b = bench("rack", "ports=8")
    rng = random.Random(3)
    # At load 1.0 the queues only grow, ever more slowly: what counts is the rate once they have.
    saturate(b, 15000, lambda *_: (rng.randrange(8), 64))
    before = sum(sent_bytes(b))
    saturate(b, 15000, lambda *_: (rng.randrange(8), 64))
    assert (sum(sent_bytes(b)) - before) / 64 / 15000 / 8 >= 0.99
    assert drops(b) == 0


@pytest.mark.parametrize("lengths", [(64, 64), (256, 256), (1500, 1500)])
def test_two_inputs_share_an_output_equally(bench: Any, lengths: tuple[int, int]) -> None:
    b = bench("fpga")
    saturate(b, 20000, lambda i, _: (2, lengths[i]) if i < 2 else None)
    b.drain(0)
    words = sum(sent_bytes(b)) / 8
    assert words >= 20000 - 600
    taken = [p.counters[C.RX_FRAMES] - sum(p.voq_frames) for p in b.switch.ports[:2]]
    assert abs(taken[0] - taken[1]) <= 1


def taken_by_output_2(b: Any, cycles: int) -> tuple[int, int]:
    """Frames that output 2 takes from inputs 0 and 1, while input 1 also has some for output 3.

    All three VOQs are filled first, with the outputs stopped; then the outputs start at
    different times, so that every frame from 1 to 3 ends in the middle of one from 0 to 2.
    """
    start = 600
    sent = {(0, 2): 0, (1, 2): 0, (1, 3): 0}
    words = {flow: b.words(b.frame(flow[1], 64, src=flow[0]))[::-1] for flow in sent}
    waiting: list[Any] = [[], []]
    for cycle in range(cycles):
        order = ((0, 2), (1, 3), (1, 2)) if cycle < start else ((0, 2), (1, 2), (1, 3))
        for i, j in order:
            if not waiting[i] and b.switch.ports[i].voq_frames[j * b.config.vcs] < 20:
                waiting[i] = list(words[i, j])
                sent[i, j] += 1
        ready = 0b1111 if cycle >= start + 3 else 0b1011 if cycle >= start else 0b0011
        rx = (*(w.pop() if w else IDLE for w in waiting), IDLE, IDLE)
        b.switch.step(Inputs(rx, ready))
    frames = [port.voq_frames[2 * b.config.vcs] for port in b.switch.ports]
    return sent[0, 2] - frames[0], sent[1, 2] - frames[1]


@pytest.mark.parametrize("limit", [1, 8, 64, 255])
def test_an_input_that_is_busy_whenever_the_output_is_free_is_served(
    bench: Any, limit: int
) -> None:
    b = bench("fpga", f"bypass_limit={limit}")
    from_0, from_1 = taken_by_output_2(b, 40000)
    assert from_0 <= (limit + 1) * (from_1 + 1)
    assert from_1 > 0
    assert drops(b) == 0


def test_without_waiting_it_starves(bench: Any) -> None:
    b = bench("fpga", "bypass_limit=0")
    from_0, from_1 = taken_by_output_2(b, 40000)
    assert from_0 > 4800
    assert from_1 == 0


def test_order_within_a_flow_and_nothing_lost(bench: Any) -> None:
    b = bench("pod", "ports=5", "data_width=128")
    rng = random.Random(11)
    sent: dict[tuple[int, int, int], list[bytes]] = {}
    for n in range(80):
        for i in range(5):
            j, traffic_class = rng.randrange(5), rng.randrange(4)
            frame = b.frame(
                j, rng.randrange(64, 400), src=i, traffic_class=traffic_class, seed=5 * n + i
            )
            b.send(i, frame)
            sent.setdefault((i, j, traffic_class), []).append(frame)
    b.drain(1500)
    assert drops(b) == 0
    for (i, j, traffic_class), frames in sent.items():
        arrived = [
            s.data for s in b.frames[j] if s.data[11] == i and s.data[14] >> 5 == traffic_class
        ]
        assert arrived == frames


@pytest.mark.parametrize("at", range(40, 64))
def test_reset_in_traffic_leaves_a_switch_like_new(bench: Any, at: int) -> None:
    def traffic(b: Any, start: int) -> None:
        for n in range(10):
            for i in range(4):
                b.send(i, b.frame((i + n) % 4, 64 + 30 * i, src=i), at=start if n == 0 else None)

    new = bench("fpga")
    traffic(new, 10)
    new.run(400)
    old = bench("fpga")
    traffic(old, 0)
    old.reset(at)
    old.until(at)
    old.switch.step(Inputs((IDLE,) * 4, 15, reset=1))
    old._pins.clear()
    old._open = [[] for _ in range(4)]
    old.frames = [[] for _ in range(4)]
    fresh = bench("fpga")
    assert old.switch.probe_values() == fresh.switch.probe_values()
    assert old.switch.tx == fresh.switch.tx
    start = old.cycle
    old._next = [start] * 4
    traffic(old, start + 10)
    old.run(400)
    assert old.switch.probe_values() == new.switch.probe_values()
    assert [[(s.first - start, s.data) for s in frames] for frames in old.frames] == [
        [(s.first, s.data) for s in frames] for frames in new.frames
    ]


def test_inputs_in_a_reset_cycle_are_ignored(bench: Any) -> None:
    b = bench()
    b.send(0, b.frame(1), at=0)
    b.reset(0)
    b.drain()
    assert b.counters(0) == {C.RX_STRAY_WORDS: 7}


def test_probe_values_are_packed_as_the_specification_says(bench: Any) -> None:
    b = bench("pod", "ports=3", "vcs=3", "profile=afh6")
    b.advance(2)
    b.llr(1, local=1)
    b.run(3)
    b.ordered_set(1, Kind.INIT, 0xFFFFF)
    b.setting(1, Port.VC_WEIGHTS, 0x213)
    rng = random.Random(2)
    for n in range(40):
        for i in range(3):
            b.send(i, b.frame(rng.randrange(4), rng.randrange(64, 200), seed=n,
                              traffic_class=rng.randrange(8)))
    points = probe_points(b.config)
    for _ in range(600):
        b.run(1)
        values = dict(zip((p.name for p in points), b.switch.probe_values(), strict=True))
        for i, port in enumerate(b.switch.ports):
            packed = sum(n << 11 * voq for voq, n in enumerate(port.voq_frames))
            assert values[f"p{i}.voq_frames"] == packed
            assert values[f"p{i}.free_cells"] == port.ingress_buffer.free
            assert values[f"p{i}.counters"] == sum(port.counters[n] << 32 * n for n in range(55))
            receiver, transmitter = port.llr_receiver, port.llr_transmitter
            assert values[f"p{i}.llr_rx"] == receiver.state + (receiver.next_rx << 2)
            window = transmitter.window
            assert values[f"p{i}.llr_tx"] == (
                transmitter.state + (window.oldest << 3) + (window.next << 23)
                + (window.send << 43) + (transmitter.buffer.used << 63)
            )
        scheduler = b.switch.scheduler
        for name in ("grant", "accept"):
            pointers = getattr(scheduler, name)
            masks = [7 & -(1 << p) if p else 0 for p in pointers]
            assert values[f"scheduler.{name}"] == sum(m << 3 * j for j, m in enumerate(masks))
        for name, width in (("turn", 3), ("quota", 4)):
            elements = [n for of_output in getattr(scheduler, name) for n in of_output]
            assert values[f"scheduler.{name}"] == sum(
                n << width * voq for voq, n in enumerate(elements))
        assert values["scheduler.catch_up"] == sum(
            c << 3 * j for j, c in enumerate(scheduler.catch_up)
        )
    assert any(values["scheduler.turn"] >> 3 * 3 * j & 0x1FF for j in (0, 2))
    assert values["scheduler.quota"]
    for value, point in zip(b.switch.probe_values(), points, strict=True):
        assert 0 <= value < 1 << point.width


def test_counters_wrap(bench: Any) -> None:
    b = bench()
    b.switch.ports[0].counters.add(C.RX_BYTES, (1 << 32) - 10)
    b.send(0, b.frame(1))
    b.drain()
    assert b.counters(0) == {C.RX_FRAMES: 1, C.RX_BYTES: 54}


def test_the_model_is_the_same_with_idle_pins_that_are_not_the_shared_ones(bench: Any) -> None:
    plain, other = bench("fpga"), bench("fpga")
    rng = random.Random(5)
    for n in range(30):
        i = rng.randrange(4)
        frame = plain.frame(rng.randrange(5), rng.randrange(40, 300), seed=n)
        at = max(plain._next[i], plain.cycle) + rng.randrange(20)
        plain.send(i, frame, at)
        other.send(i, frame, at)
    for cycle in range(2000):
        for i in range(4):
            other._pins.setdefault((i, cycle), IDLE._replace(data=cycle, sop=1, empty=3))
    for _ in range(2000):
        plain.run(1)
        other.run(1)
        assert plain.switch.probe_values() == other.switch.probe_values()
        assert plain.switch.tx == other.switch.tx


@pytest.mark.parametrize("launch_stages", [0, 1])
def test_link_level_retry_is_the_same_when_nothing_may_sleep(
    bench: Any, launch_stages: int
) -> None:
    plain, other = (bench("fpga", "seq_bits=8", "replay_timer=0", f"launch_stages={launch_stages}")
                    for _ in range(2))
    rng = random.Random(6)
    down = set(range(300, 340)) | set(range(1200, 1204))
    for b in (plain, other):
        for port in range(3):
            b.setting(port, Port.LLR_PCS_LOST, 30)
            b.advance(port, local=1)
            b.ordered_set(port, Kind.INIT, 0)
        b.up = lambda cycle: 0b1110 if cycle in down else -1
    for n in range(60):
        i = rng.randrange(4)
        at = max(plain._next[i], plain.cycle) + rng.randrange(60)
        for b in (plain, other):
            frame = b.frame(n % 4, 100, seed=n)
            b.put(i, b.eligible(frame, n) if n % 3 else b.words(frame), at)
    for cycle in range(200, 3000, 37):
        port, value = rng.randrange(3), rng.randrange(12)
        kind = rng.choice((Kind.ACK, Kind.NACK, Kind.INIT_ECHO))
        for b in (plain, other):
            b.ordered_set(port, kind, value, at=cycle)
    seen = set()
    for _ in range(3500):
        for port in other.switch.ports:
            port.quiet = port.llr_transmitter.asleep = False
        other.switch._retrying = list(other.switch.ports)
        plain.run(1)
        other.run(1)
        assert plain.switch.probe_values() == other.switch.probe_values()
        assert plain.switch.tx == other.switch.tx
        seen |= {port.llr_transmitter.asleep for port in plain.switch.ports}
    assert seen == {True, False}


@pytest.mark.parametrize("at", range(100, 130, 3))
def test_reset_with_link_level_retry_leaves_a_switch_like_new(bench: Any, at: int) -> None:
    b, fresh = bench("fpga"), bench("fpga")
    for port in range(4):
        b.advance(port, local=1)
        b.ordered_set(port, Kind.INIT, 7)
    for i in range(4):
        for n in range(3):
            b.put(i, b.eligible(b.frame((i + n) % 4, 80, src=i), 7 + n))
    b.ordered_set(1, Kind.NACK, (1 << 20) - 1, at=at - 10)
    b.reset(at)
    b.until(at + 1)
    b._pins.clear()
    b._open = [[] for _ in range(4)]
    assert b.switch.probe_values() == fresh.switch.probe_values()
    assert b.switch.tx == fresh.switch.tx
    for _ in range(30):
        b.run(1)
        fresh.run(1)
        assert b.switch.probe_values() == fresh.switch.probe_values()
    for other in (b, fresh):
        other.advance(2)
        other.send(0, other.frame(2), at=other.cycle + 5)
        other.run(60)
    assert b.switch.probe_values() == fresh.switch.probe_values()
