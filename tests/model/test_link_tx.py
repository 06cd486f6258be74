# SPDX-License-Identifier: Apache-2.0
"""Chapter 11 with link-level retry off: the output registers, and an output that stands still."""

from __future__ import annotations

import random
from typing import Any

from gavel_model.link_tx import LinkTx
from gavel_model.pins import TxPins

WORD = TxPins(valid=1, data=5, up=1)


def test_pins_are_those_of_both_registers() -> None:
    link = LinkTx()
    assert link.pins() == TxPins(up=1)
    link.word = WORD
    assert link.pins() == WORD
    link.ctl = 0
    assert link.pins() == WORD._replace(ctl_valid=1)
    link.word, link.ctl = None, 7
    assert link.pins() == TxPins(up=1, ctl_valid=1, ctl=7)
    link.reset()
    assert link.pins() == TxPins(up=1)


def test_a_stopped_output_holds_its_pins_and_takes_the_rest_of_the_frame(bench: Any) -> None:
    b = bench()
    b.ready = lambda cycle: 0b11 if cycle >= 100 else 0b01
    frame = b.frame(1, 200)
    t = b.send(0, frame)
    b.until(t + 9)
    assert not b.switch.tx[1].valid
    b.until(t + 10)
    first = b.switch.tx[1]
    assert first.sop
    while b.cycle < 100:
        b.run(1)
        assert b.switch.tx[1] == first
    assert b.counters(1) == {14: 1, 15: 200}
    b.drain()
    assert [s[:3] for s in b.frames[1]] == [(100, 124, frame)]


def test_no_more_is_matched_while_eight_words_wait(bench: Any) -> None:
    b = bench("fpga", "gate_stages=0", "launch_stages=0")
    b.ready = lambda _: 0b1101
    for n in range(6):
        b.send(0, b.frame(1, seed=n))
    b.drain(60)
    # One word on the pins, seven behind it: one more frame comes. Then fifteen, and no more do.
    port = b.switch.ports[1]
    assert port.llr_transmitter.buffer.unsent == 15
    assert port.llr_transmitter.hold
    assert b.switch.ports[0].voq_frames[2] == 4
    now = b.cycle
    b.ready = lambda cycle: 0b1111 if cycle < now + 7 else 0b1101
    b.run(20)
    assert port.llr_transmitter.hold  # eight are left
    b.ready = lambda _: 0b1111
    b.run(1)
    assert not port.llr_transmitter.hold
    b.drain()
    assert [s.data for s in b.frames[1]] == [b.frame(1, seed=n) for n in range(6)]


def test_random_back_pressure_loses_nothing(bench: Any) -> None:
    b = bench("fpga", "data_width=128")
    rng = random.Random(7)
    b.ready = lambda _: rng.getrandbits(4) & rng.getrandbits(4)
    sent: list[list[bytes]] = [[] for _ in range(4)]
    for n in range(60):
        for i in range(4):
            frame = b.frame((i + 1) % 4, rng.randrange(64, 300), src=i, seed=n)
            b.send(i, frame)
            sent[(i + 1) % 4].append(frame)
    for _ in range(4000):
        b.run(1)
        for port in b.switch.ports:
            buffer = port.llr_transmitter.buffer
            assert 0 <= buffer.unsent <= buffer.used
    assert [[s.data for s in frames] for frames in b.frames] == sent
    assert [port.llr_transmitter.buffer.used for port in b.switch.ports] == [0, 0, 0, 0]
    assert [port.llr_transmitter.buffer.waiting for port in b.switch.ports] == [0, 0, 0, 0]
