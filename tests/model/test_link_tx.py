# SPDX-License-Identifier: Apache-2.0
"""Chapter 11: output register, queue and hold."""

from __future__ import annotations

import random
from typing import Any

from gavel_model.link_tx import LinkTx
from gavel_model.pins import TxPins


def step(link: LinkTx, word: TxPins | None, ready: int) -> TxPins | None:
    """Steps; returns what the pins show next."""
    link.step(word, ready)
    return link.shown


WORDS = [TxPins(valid=1, data=n, up=1) for n in range(20)]


def test_words_pass_through_the_register() -> None:
    link = LinkTx()
    assert [step(link, word, 1) for word in (*WORDS[:3], None)] == [*WORDS[:3], None]
    assert not link.hold


def test_an_empty_register_is_filled_without_ready() -> None:
    link = LinkTx()
    assert step(link, WORDS[0], 0) == WORDS[0]
    assert step(link, WORDS[1], 0) == WORDS[0]
    assert step(link, None, 1) == WORDS[1]
    assert step(link, None, 0) == WORDS[1]
    assert step(link, None, 1) is None


def test_hold_from_four_words_on() -> None:
    link = LinkTx()
    holds = []
    for word in WORDS[:7]:
        step(link, word, 0)
        holds.append(link.hold)
    assert holds == [False, False, False, False, True, True, True]
    shown = []
    holds = []
    for _ in range(7):
        shown.append(step(link, None, 1))
        holds.append(link.hold)
    assert shown == [*WORDS[1:7], None]
    assert holds == [True, True, False, False, False, False, False]


def test_order_is_kept_when_words_come_and_go_together() -> None:
    link = LinkTx()
    for word in WORDS[:3]:
        step(link, word, 0)
    assert [step(link, word, 1) for word in WORDS[3:6]] == WORDS[1:4]


def test_stopped_output_holds_its_pins_and_reads_seven_words(bench: Any) -> None:
    b = bench()
    b.ready = lambda cycle: 0b11 if cycle >= 100 else 0b01
    frame = b.frame(1, 200)
    t = b.send(0, frame)
    b.until(t + 8)
    first = b.switch.tx[1]
    assert first.sop
    while b.cycle < 100:
        b.run(1)
        assert b.switch.tx[1] == first
    assert b.counters(1) == {15: 7 * 8}
    b.drain()
    # Whole at last, and without a gap: hold falls before the queue is empty.
    assert [(s.first, s.last, s.data) for s in b.frames[1]] == [(100, 124, frame)]


def test_random_back_pressure_loses_nothing_and_never_fills_the_queue(bench: Any) -> None:
    b = bench("fpga", "data_width=128")
    rng = random.Random(7)
    b.ready = lambda _: rng.getrandbits(4) & rng.getrandbits(4)
    sent: list[list[bytes]] = [[] for _ in range(4)]
    for n in range(60):
        for i in range(4):
            frame = b.frame((i + 1) % 4, rng.randrange(64, 300), src=i, seed=n)
            b.send(i, frame)
            sent[(i + 1) % 4].append(frame)
    deepest = 0
    for _ in range(4000):
        b.run(1)
        for port in b.switch.ports:
            deepest = max(deepest, len(port.link_tx._queue))
    assert [[s.data for s in frames] for frames in b.frames] == sent
    assert 4 <= deepest <= 8
