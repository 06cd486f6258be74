# SPDX-License-Identifier: Apache-2.0
"""Two switches joined by a link that hits words and ordered sets at random: nothing is lost,
duplicated or reordered, and all buffers come to rest."""

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


class Wire:
    """One direction: delay, and hits. Words and sets are hit apart from each other."""

    def __init__(self, rng: random.Random, delay: int, hits: float) -> None:
        self.rng, self.hits = rng, hits
        self.queue = deque([RxPins()] * delay)
        self.perfect = False

    def step(self, pins: TxPins, ready: int, ctl_ready: int) -> RxPins:
        moved = RxPins(*pins)
        if not ready or not pins.valid:
            moved = moved._replace(valid=0, sop=0, eop=0, data=0, empty=0, llr=0, seq=0)
        elif self._hit():
            moved = self.rng.choice((
                moved._replace(err=1),
                moved._replace(data=moved.data ^ 1 << self.rng.randrange(64)),
                moved._replace(valid=0),
                moved._replace(llr=0, err=moved.sop or moved.err),
            ))
        if not ctl_ready or not pins.ctl_valid:
            moved = moved._replace(ctl_valid=0, ctl=0)
        elif self._hit(20):
            moved = self.rng.choice((
                moved._replace(ctl_valid=0),
                moved._replace(ctl=moved.ctl ^ 1 << self.rng.randrange(56)),
            ))
        self.queue.append(moved)
        return self.queue.popleft()

    def _hit(self, factor: int = 1) -> bool:
        return not self.perfect and self.rng.random() < self.hits * factor


def pair(bench: Any, rng: random.Random, hits: float, *overrides: str) -> tuple[list[Any], Any]:
    """Two benches with retry on in both directions, and a function that steps both."""
    ends = [bench("tiny", "buffer_cells=4096", *overrides) for _ in range(2)]
    wires = [Wire(rng, rng.randrange(1, 40), hits) for _ in range(2)]
    stillness = rng.choice((0.0, 0.1, 0.5))
    for n, b in enumerate(ends):
        b.switch.lookup.direct[5] = Entry(1, LINK if n == 0 else 0)
        b.switch.lookup.direct[6] = Entry(1, LINK if n == 1 else 0)
        b.setting(LINK, Port.LLR_REPLAY_TIMER, rng.choice((150, 400)))
        b.setting(LINK, Port.LLR_REPLAY_COUNT, 255)
        b.setting(LINK, Port.LLR_DATA_AGE, 0)
        b.setting(LINK, Port.LLR_PCS_LOST, 0)
        b.setting(LINK, Port.LLR_SPACING, rng.choice((0, 100)) << 16 | rng.choice((1, 400)))
        b.llr(LINK, local=1, remote=1)
        b.wires = wires[n]

    def run(cycles: int) -> None:
        for _ in range(cycles):
            still = rng.random() < stillness
            arriving = []
            for b, wire in zip(ends, wires, strict=True):
                ready = 1 - still
                # For long stretches no set leaves at all: frames and sets pass each other.
                ctl_ready = int(rng.random() >= stillness and b.cycle // 150 % 3 > 0)
                b.ready = lambda _, ready=ready: 1 | ready << LINK
                b.ctl_ready = lambda _, ready=ctl_ready: 1 | ready << LINK
                arriving.append(wire.step(b.switch.tx[LINK], ready, ctl_ready))
            for b, pins in zip(ends, reversed(arriving), strict=True):
                b._pins[LINK, b.cycle] = pins
                b.run(1)
                b._pins.pop((LINK, b.cycle - 1))

    return ends, run


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_duplicated_or_reordered(bench: Any, seed: int) -> None:
    rng = random.Random(seed)
    hits = rng.choice((0.0, 0.001, 0.01, 0.03))
    ends, run = pair(bench, rng, hits, "seq_bits=" + str(rng.choice((4, 5, 20))),
                     "vcs=1", "data_width=64")
    sent: list[list[bytes]] = [[], []]
    for n, b in enumerate(ends):
        at = 0
        for k in range(120):
            at += rng.choice((0, 0, 30, 100))
            frame = b.frame(5 + n, rng.randrange(64, 257), seed=1000 * n + k)
            at = b.send(0, frame, at) + 1
            sent[n].append(frame)
    for _ in range(400):
        run(250)
        if all(len(b.frames[0]) >= 120 for b in ends):
            break
    for b in ends:
        b.wires.perfect = True
    run(3000)
    for n, b in enumerate(ends):
        assert [s.data for s in b.frames[0]] == sent[1 - n]
        counters = b.counters(LINK)
        assert C.LLR_TX_FLUSH not in counters
        assert C.LLR_TX_REPLAY in counters or hits < 0.01
        transmitter = b.switch.ports[LINK].llr_transmitter
        assert transmitter.window.oldest == transmitter.window.next
        assert transmitter.buffer.used == transmitter.buffer.waiting == 0
        assert transmitter.asleep
        assert counters[C.LLR_RX_EXPECTED_SEQ_GOOD] == 120


def test_flushes_lose_whole_frames_and_neither_reorder_nor_duplicate(bench: Any) -> None:
    rng = random.Random(1)
    ends, run = pair(bench, rng, 0.02, "seq_bits=6", "vcs=1")
    for b in ends:
        b.setting(LINK, Port.LLR_REPLAY_COUNT, 1)
        b.setting(LINK, Port.LLR_DATA_AGE, 700)
    sent = []
    for k in range(200):
        frame = ends[0].frame(5, rng.randrange(64, 257), seed=k)
        ends[0].send(0, frame)
        sent.append(frame)
    run(40000)
    arrived = [s.data for s in ends[1].frames[0]]
    counters = ends[0].counters(LINK)
    assert counters[C.LLR_TX_FLUSH] > 3
    places = [sent.index(frame) for frame in arrived]
    assert places == sorted(set(places))
    assert 0 < len(arrived) < 200
