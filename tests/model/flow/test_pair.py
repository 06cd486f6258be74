# SPDX-License-Identifier: Apache-2.0
"""Two switches with credits on the link between them: nothing is dropped for want of room, and
all credits come home, whatever the link loses."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import pytest

from gavel_model.lookup import Entry
from gavel_model.pins import RxPins, TxPins
from gavel_model.register_map import Counter, Port

C = Counter
LINK = 1
"""Port at each end of the link; frames come and go at port 0."""
BOTH = 0x0303
RESYNC, TOTAL = 1 << 17, 1 << 16
FRAMES = 100


class Wire:
    """One direction: delay, frames damaged and ordered sets lost by chance."""

    def __init__(self, rng: random.Random, losses: float) -> None:
        self.rng, self.losses = rng, losses
        self.queue = deque([RxPins()] * rng.randrange(1, 30))
        self.up = 1

    def step(self, pins: TxPins) -> RxPins:
        moved = RxPins(*pins)
        if pins.valid and self.rng.random() < self.losses:
            moved = moved._replace(err=1)
        if pins.ctl_valid and self.rng.random() < 10 * self.losses:
            moved = moved._replace(ctl_valid=0, ctl=0)
        self.queue.append(moved)
        return self.queue.popleft()._replace(up=self.up)


class Pair:
    """Two benches and the link between them; port 0 of each takes frames at a rate."""

    def __init__(self, bench: Any, rng: random.Random, losses: float, *overrides: str) -> None:
        self.ends = [bench("tiny", "buffer_cells=32", "replay_cells=64", *overrides)
                     for _ in range(2)]
        self.wires = [Wire(rng, losses) for _ in range(2)]
        self.rng, self.rate = rng, 1.0
        for n, b in enumerate(self.ends):
            b.switch.lookup.direct[5] = Entry(1, LINK if n == 0 else 0)
            b.switch.lookup.direct[6] = Entry(1, LINK if n == 1 else 0)
            b.sent = []
            b.ready = lambda _: int(self.rng.random() < self.rate) | 1 << LINK

    def settings(self, control: int, **values: int) -> None:
        for b in self.ends:
            for name, value in values.items():
                b.setting(LINK, Port[name], value)
            b.setting(LINK, Port.CBFC_CONTROL, control)
        self.run(len(values) + 10)

    def run(self, cycles: int) -> None:
        for _ in range(cycles):
            arriving = [wire.step(b.switch.tx[LINK])
                        for b, wire in zip(self.ends, self.wires, strict=True)]
            for n, (b, pins) in enumerate(zip(self.ends, reversed(arriving), strict=True)):
                if len(b.sent) < FRAMES and b._next[0] <= b.cycle and self._room(b):
                    frame = b.frame(5 + n, self.rng.randrange(64, 257), seed=len(b.sent),
                                    src=n, traffic_class=self.rng.randrange(2))
                    b.sent.append(frame)
                    b.send(0, frame)
                b._pins[LINK, b.cycle] = pins
                b.run(1)
                b._pins.pop((LINK, b.cycle - 1))

    def _room(self, b: Any) -> bool:
        """Port 0 has no credits: what it does not take is not sent."""
        return b.switch.ports[0].ingress_buffer.free > 8 and self.rng.random() < 0.1

    def finish(self) -> None:
        for _ in range(200):
            self.run(100)
            if all(len(b.sent) == FRAMES for b in self.ends):
                break
        for wire in self.wires:
            wire.losses = 0.0
        self.rate = 1.0
        self.run(2500)


def check(pair: Pair, vcs: int = 2) -> None:
    """No drop for want of room, no count that cannot be, no credit lost."""
    for n, b in enumerate(pair.ends):
        peer = pair.ends[1 - n].switch.ports[LINK]
        counters = b.counters(LINK)
        for counter in (C.RX_LOSSLESS_DROP, C.RX_NO_BUFFER, C.RX_VC_LIMIT, C.CBFC_RX_CC_ERROR):
            assert counter not in counters
        assert counters[C.CBFC_RX_CF_UPDATE] > 5
        sender = b.switch.ports[LINK].flow_control.credit_sender
        assert (sender.used, sender.waiting) == ([0] * vcs, 0)
        receiver = peer.flow_control.credit_receiver
        assert receiver.stored == [0] * vcs
        assert sender.consumed == receiver.consumed


@pytest.mark.parametrize("seed", range(6))
def test_credits_over_a_link_that_loses_frames_and_sets(bench: Any, seed: int) -> None:
    rng = random.Random(seed)
    width = (64, 512, 256)[seed % 3]
    pair = Pair(bench, rng, 0.003, f"data_width={width}")
    pair.rate = rng.choice((1.0, 0.1))
    unit = rng.choice((0x0001, 0x1401, 0x0000, 0x0002))
    cells = {0x0001: 16, 0x1401: 16, 0x0000: 32, 0x0002: 8}[unit]
    pair.settings(BOTH | RESYNC | TOTAL * (seed % 2), CBFC_SENDER=unit, CBFC_RECEIVER=unit,
                  CBFC_LIMIT=cells, CBFC_TOTAL_LIMIT=cells, CBFC_CF_MIN=100, CBFC_CF_MAX=2000,
                  CBFC_CC_PERIOD=300)
    for b in pair.ends:
        b.write(0x500 + Port.CBFC_LIMIT + 1, cells)
    pair.run(4)
    pair.finish()
    check(pair)
    for n, b in enumerate(pair.ends):
        counters = pair.ends[1 - n].counters(LINK)
        lost = counters.get(C.RX_ERR, 0) + counters.get(C.RX_FRAGMENT, 0)
        arrived = len(pair.ends[1 - n].frames[0])
        assert len(b.sent) == FRAMES >= arrived >= FRAMES - lost
        assert counters.get(C.CBFC_RX_RECOVERED, 0) <= lost


@pytest.mark.parametrize("seed", range(4))
def test_resynchronisation_after_link_faults(bench: Any, seed: int) -> None:
    rng = random.Random(seed)
    pair = Pair(bench, rng, 0.001, f"data_width={(64, 256)[seed % 2]}", "replay_timer=400",
                "replay_count=255", "pcs_lost_timer=30", "ctl_spacing=400", "loop_cycles=64")
    pair.settings(BOTH | RESYNC, CBFC_LIMIT=16, CBFC_CF_MIN=100, CBFC_CF_MAX=2000,
                  CBFC_CC_PERIOD=500)
    for b in pair.ends:
        b.llr(LINK, local=1, remote=1)
    for _ in range(3):
        pair.run(rng.randrange(300, 600))
        for wire in pair.wires:
            wire.up = 0
        pair.run(60)
        for wire in pair.wires:
            wire.up = 1
    pair.finish()
    check(pair)
    assert all(C.LLR_TX_FLUSH in b.counters(LINK) for b in pair.ends)
