# SPDX-License-Identifier: Apache-2.0
"""Chapters 7 and 8 with one queue per input: what is shown, and what that costs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gavel_model.head_order import HeadOrder
from gavel_model.loader import load_config
from gavel_model.register_map import Counter, Port
from gavel_model.switch import Switch
from gavel_tb.traffic import Traffic, TrafficJob

FIFO = "queueing=fifo"
ONE_WORD = ("ports=3", "data_width=512")


def starts(b: Any, output: int) -> list[int]:
    return [sent.first for sent in b.frames[output]]


@pytest.mark.parametrize(("queueing", "delay"), [("voq", 0), ("fifo", 15)])
def test_a_head_whose_output_is_busy_holds_up_the_frame_behind_it(
    bench: Any, queueing: str, delay: int
) -> None:
    """Input 0 sends to output 1, which has just begun a long frame of input 2, and then to 2."""
    b = bench("tiny", *ONE_WORD, f"queueing={queueing}", "max_frame_bytes=1024", "replay_cells=80")
    long = b.send(2, b.frame(1, 1024, src=2), at=0)
    b.send(0, b.frame(1, seed=1), at=long + 1)
    last = b.send(0, b.frame(2, seed=2))
    b.drain()
    # The long frame has 16 words, so the head is matched in long + 4 + 16, and the next one in the
    # cycle after that and not in last + 4 = long + 6.
    assert starts(b, 1) == [long + 10, long + 26]
    assert starts(b, 2) == [last + 10 + delay]


@pytest.mark.parametrize("queueing", ["voq", "fifo"])
def test_a_head_whose_vc_may_not_send_holds_up_all_others(bench: Any, queueing: str) -> None:
    b = bench("tiny", *ONE_WORD, f"queueing={queueing}")
    b.setting(1, Port.VC_CONTROL, 0b10 << 8, at=0)
    b.send(0, b.frame(1, traffic_class=1), at=10)
    last = b.send(0, b.frame(1, traffic_class=0, seed=1), at=11)
    other = b.send(0, b.frame(0, seed=2), at=12)
    b.until(100)
    waits = queueing == "fifo"
    assert (starts(b, 1), starts(b, 0)) == (
        ([], []) if waits else ([last + 10], [other + 10]))
    at = b.setting(1, Port.VC_CONTROL, 0)
    b.drain()
    first = starts(b, 1)[0 if waits else 1]
    assert first > at
    if waits:
        assert (starts(b, 1), starts(b, 0)) == ([first, first + 1], [first + 2])


def test_alone_every_frame_takes_k_cycles(bench: Any) -> None:
    """One-word frames back to back: a new head in every cycle."""
    b = bench("tiny", *ONE_WORD, FIFO)
    ends = [b.send(0, b.frame(n % 3, seed=n), at=5 + n) for n in range(40)]
    b.drain()
    assert sorted(at for j in range(3) for at in starts(b, j)) == [t + 10 for t in ends]


def test_a_reset_forgets_the_order(bench: Any) -> None:
    b = bench("tiny", *ONE_WORD, FIFO)
    b.setting(1, Port.VC_CONTROL, 0b11 << 8, at=0)
    b.send(0, b.frame(1), at=10)
    b.reset(30)
    last = b.send(0, b.frame(2), at=40)
    b.drain()
    assert (starts(b, 1), starts(b, 2)) == ([], [last + 10])


def test_only_the_head_may_be_taken() -> None:
    order = HeadOrder()
    assert order.file(3)
    assert not order.file(1)
    with pytest.raises(ValueError, match="a frame of VOQ 1 is taken while the head is in 3"):
        order.take(1)
    order.take(3)
    assert order.head == 1


@pytest.mark.parametrize("shape", [
    ("ports=2", "vcs=2"),
    ("ports=3", "vcs=1", "data_width=128", "buffer_cells=24"),
    ("ports=4", "vcs=4", "data_width=512", "buffer_cells=200", "max_frame_bytes=128"),
    ("ports=5", "vcs=3", "data_width=256", "buffer_cells=40", "islip_iterations=3"),
], ids=" ".join)
def test_what_is_shown_by_definition(bench: Any, seed: int, shape: tuple[str, ...]) -> None:
    """In each cycle an input shows the frame at place n of those that it has filed, n being the
    number of those that it has begun to read; frames leave in the order in which they came."""
    b = bench("tiny", FIFO, *shape)
    config, rng = b.config, random.Random(f"{seed} {shape}")
    sent: list[list[int]] = [[] for _ in range(config.ports)]
    begun = [0] * config.ports
    end = [0] * config.ports
    inside = [False] * config.ports
    blocked, feeding = 0, 1500
    stall = [rng.getrandbits(config.ports) | 1 for _ in range(40)]
    b.ready = lambda now: stall[now // 25 % 40] if now < feeding else -1

    def feed(i: int) -> None:
        output, vc = rng.randrange(config.ports), rng.randrange(config.vcs)
        size = rng.choice((64, 65, config.max_frame_bytes))
        end[i] = b.send(i, b.frame(output, size, src=i, traffic_class=vc))
        sent[i].append(output * config.vcs + vc)

    for j in range(config.ports):
        b.setting(j, Port.VC_CONTROL, 0, at=feeding + j)
    for cycle in range(2500):
        for i, port in enumerate(b.switch.ports):
            room = port.ingress_buffer.free > 2 * config.max_frame_cells
            if end[i] < cycle < feeding and room and rng.random() < 0.8:
                feed(i)
        if cycle < feeding and rng.random() < 0.05:
            b.setting(rng.randrange(config.ports), Port.VC_CONTROL,
                      rng.getrandbits(config.vcs) << 8, at=cycle)
        for i, j, v, last in b.switch.reading:
            if not inside[i]:
                assert sent[i][begun[i]] == j * config.vcs + v
                begun[i] += 1
            inside[i] = not last
        for i, port in enumerate(b.switch.ports):
            filed = port.counters[Counter.RX_FRAMES]
            head = sent[i][begun[i]] if filed > begun[i] else None
            shown = [j * config.vcs + v for j, rows in enumerate(b.switch.scheduler.ready)
                     for v in range(config.vcs) if rows[i] >> v & 1]
            assert shown == ([] if head is None else [head])
            blocked += sum(map(bool, port.voq_frames)) > 1
        b.run(1)
    assert blocked > 100
    assert begun == [len(frames) for frames in sent]
    assert min(begun) > 10


def test_head_of_line_blocking_costs_what_theory_says(seed: int) -> None:
    """Karol, Hluchyj and Morgan (1987): 0.6552 of the line rate with 4 ports, cells, uniform
    traffic and saturated inputs. That is for a random choice among the inputs."""
    config = load_config("rack", ["ports=4", "vcs=1", FIFO])
    cycles = 5000
    traffic = Traffic(config, TrafficJob(seed=seed, cycles=cycles, load=1.0, size="min"))
    switch = Switch(config)
    for cycle in range(cycles):
        switch.step(traffic.step(cycle, switch.tx))
    rate = sum(traffic.settled_words) / config.ports / (cycles // 2)
    assert abs(rate - 0.6552) < 0.025, f"throughput per port {rate:.4f}"
