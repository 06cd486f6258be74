# SPDX-License-Identifier: Apache-2.0
"""Link-level retry over XGMII: two switches with an adapter each, and a wire that flips bits of
what is on it, control characters included, or brings link faults."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from gavel_model.lookup import Entry
from gavel_model.register_map import Counter, Port
from gavel_model.xgmii import IDLE_WORD, LANES, XgmiiWord
from gavel_model.xgmii_rx import XgmiiRx
from gavel_model.xgmii_tx import XgmiiTx

C = Counter
LINK = 1
LOCAL_FAULT = XgmiiWord(int.from_bytes(bytes((0x9C, 0, 0, 1)) * 2, "little"), 0x11)
_LANE_BITS = 9


class End:
    """A switch behind its adapter; frames come and go at port 0."""

    def __init__(self, bench: Any, delay: int) -> None:
        self.bench = bench
        self.tx, self.rx = XgmiiTx(), XgmiiRx()
        self.wire: deque[XgmiiWord] = deque([IDLE_WORD] * delay)
        self.protect = True
        bench.ready = lambda _: 1 | self._taken()[0] << LINK
        bench.ctl_ready = lambda _: 1 | self._taken()[1] << LINK

    def _taken(self) -> tuple[bool, bool]:
        return self.tx.ready(self.bench.switch.tx[LINK], self.rx.fault)

    def step(self, arriving: XgmiiWord) -> None:
        b = self.bench
        pins = b.switch.tx[LINK]
        fault = self.rx.fault
        b._pins[LINK, b.cycle] = self.rx.pins
        b.run(1)
        b._pins.pop((LINK, b.cycle - 1))
        self.tx.step(pins, fault, self.protect)
        self.rx.step(arriving, self.protect)


def pair(bench: Any, hit: Callable[[int, XgmiiWord], XgmiiWord], **settings: int) -> tuple[
    list[End], Callable[[int], None]
]:
    """Two ends with retry on, and a function that steps both; ``hit(cycle, word)`` is what becomes
    of a word on its way, in either direction."""
    ends = []
    for n in range(2):
        b = bench("tiny", "buffer_cells=4096", "vcs=1")
        b.switch.lookup.direct[5 + n] = Entry(1, LINK)
        b.switch.lookup.direct[6 - n] = Entry(1, 0)
        for name, value in {"LLR_REPLAY_TIMER": 400, "LLR_REPLAY_COUNT": 255, "LLR_DATA_AGE": 0,
                            "LLR_PCS_LOST": 0, **settings}.items():
            b.setting(LINK, Port[name], value)
        b.llr(LINK, local=1, remote=1)
        ends.append(End(b, 7 + 5 * n))

    def run(cycles: int) -> None:
        for _ in range(cycles):
            words = [hit(end.bench.cycle, end.tx.word) for end in ends]
            arriving = []
            for end, word in zip(ends, words, strict=True):
                end.wire.append(word)
                arriving.append(end.wire.popleft())
            for end, word in zip(ends, reversed(arriving), strict=True):
                end.step(word)

    return ends, run


def send(ends: list[End], count: int, seed: int) -> list[list[bytes]]:
    """Puts frames of both ends on their ports 0."""
    rng = random.Random(seed)
    sent = []
    for n, end in enumerate(ends):
        frames = [end.bench.frame(5 + n, rng.randrange(64, 257), seed=1000 * n + k)
                  for k in range(count)]
        for frame in frames:
            end.bench.send(0, frame)
        sent.append(frames)
    return sent


@pytest.mark.parametrize("rate", [0.0, 1e-5, 1e-4, 2e-4])
def test_nothing_is_lost_whatever_bit_flips(bench: Any, rate: float, seed: int) -> None:
    rng = random.Random(seed)
    flips = 0

    def hit(_cycle: int, word: XgmiiWord) -> XgmiiWord:
        nonlocal flips
        if rng.random() > rate * _LANE_BITS * LANES:
            return word
        flips += 1
        bit = rng.randrange(_LANE_BITS * LANES)
        if bit < LANES:
            return word._replace(ctl=word.ctl ^ 1 << bit)
        return word._replace(data=word.data ^ 1 << bit - LANES)

    ends, run = pair(bench, hit)
    sent = send(ends, 150, seed)
    for _ in range(200):
        run(250)
        if all(len(end.bench.frames[0]) >= 150 for end in ends):
            break
    rate = 0.0
    run(2000)
    for n, end in enumerate(ends):
        assert [s.data for s in end.bench.frames[0]] == sent[1 - n]
        assert C.LLR_TX_FLUSH not in end.bench.counters(LINK)
    assert bool(flips) == any(C.LLR_TX_REPLAY in end.bench.counters(LINK) for end in ends) \
        or flips < 30


@pytest.mark.parametrize(("cycles", "flushes"), [(100, 0), (900, 1)])
def test_a_link_fault_is_bridged_until_pcs_lost_says_so(
    bench: Any, cycles: int, flushes: int
) -> None:
    def hit(cycle: int, word: XgmiiWord) -> XgmiiWord:
        return LOCAL_FAULT if 1000 <= cycle < 1000 + cycles else word

    ends, run = pair(bench, hit, LLR_PCS_LOST=400)
    sent = send(ends, 150, 1)
    run(8000)
    for n, end in enumerate(ends):
        counters = end.bench.counters(LINK)
        arrived = [s.data for s in end.bench.frames[0]]
        assert counters.get(C.LLR_TX_FLUSH, 0) == flushes
        if flushes:
            # What was under way is given up, and all after it arrives under the new INIT.
            assert counters[C.LLR_TX_INIT_CTL_OS] >= 2
            assert arrived == [frame for frame in sent[1 - n] if frame in set(arrived)]
            assert arrived[-1] == sent[1 - n][-1] and 0 < len(arrived) < 150
        else:
            assert arrived == sent[1 - n]
