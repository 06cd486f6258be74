# SPDX-License-Identifier: Apache-2.0
"""docs/xgmii.md, TxSlice: one case per rule, before an XGMII port."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable

import pytest

from gavel_model.config import ConfigError
from gavel_model.loader import load_config
from gavel_model.pins import TxPins
from gavel_model.tx_slice import TxSlice
from gavel_model.xgmii import IDLE_WORD, START, TERMINATE, XgmiiWord
from gavel_model.xgmii_port import XgmiiInputs, XgmiiPort

NOTHING = TxPins(up=1)


def words(count: int, empty: int = 0) -> list[TxPins]:
    """A frame."""
    return [TxPins(valid=1, sop=int(n == 0), eop=int(n == count - 1), up=1, data=n + 1,
                   empty=empty if n == count - 1 else 0) for n in range(count)]


class Run:
    """A port with a slice, and a switch whose words and sets hold until they are taken."""

    def __init__(self, transmit_stages: int = 1) -> None:
        self.port = XgmiiPort(transmit_stages)
        self.words: deque[TxPins] = deque()
        self.sets: deque[int] = deque()
        self.out: list[XgmiiWord] = []
        self.taken: list[str] = []
        self.up = 1

    def run(self, cycles: int) -> list[XgmiiWord]:
        """XGMII in these cycles and before; ``out[n]`` is that of n + 1."""
        for _ in range(cycles):
            pins = (self.words[0] if self.words else NOTHING)._replace(
                up=self.up, ctl_valid=int(bool(self.sets)), ctl=self.sets[0] if self.sets else 0)
            ready, ctl_ready = self.port.ready(XgmiiInputs(), pins)
            self.port.step(XgmiiInputs(), pins, True)
            if self.sets and ctl_ready:
                self.taken.append(f"s{self.sets.popleft()}")
            if self.words and ready:
                word = self.words.popleft()
                self.taken += ["P"] * word.sop
            self.out.append(self.port.transmit.word)
            assert not self.port.transmit.aborted
        return self.out

    @property
    def names(self) -> list[str]:
        """What was sent: ``P`` for a Start, ``s1`` for set 1."""
        return [f"s{word.data >> 8}" if word.character(0) == 0x5C else "P"
                for word in self.out if word.character(0) in (0x5C, START)]


def cycle_of(out: Iterable[XgmiiWord], character: int) -> int:
    """The first cycle with this character in lane 0."""
    return next(n for n, word in enumerate(out, 1) if word.character(0) == character)


@pytest.mark.parametrize("stages", [0, 1])
def test_a_word_and_a_set_are_a_cycle_later(stages: int) -> None:
    run = Run(stages)
    run.words.extend(words(8))
    assert cycle_of(run.run(4), START) == 1 + stages
    run = Run(stages)
    run.sets.append(5)
    assert cycle_of(run.run(4), 0x5C) == 1 + stages


def gaps(out: list[XgmiiWord]) -> list[int]:
    """Bytes from each Terminate to the next Start."""
    found, end = [], None
    for number, word in enumerate(out):
        if word.character(0) == START and end is not None:
            found.append(8 * number - end)
        end = next((8 * number + lane for lane in range(8)
                    if word.character(lane) == TERMINATE), end)
    return found


@pytest.mark.parametrize("empty", range(8))
def test_full_load_has_the_gaps_of_a_port_without_a_slice(empty: int) -> None:
    sent = []
    for stages in (0, 1):
        run = Run(stages)
        for _ in range(20):
            run.words.extend(words(8, empty))
        out = run.run(300)
        sent.append(out[cycle_of(out, START) - 1:][:200])
        assert len(gaps(out)) == 19
    assert sent[0] == sent[1]


def test_ready_is_what_was_known_in_the_cycle_before() -> None:
    tx_slice = TxSlice()
    frame = words(8)
    seen = []
    for pins, ready in ((frame[0], False), (frame[1], False), (frame[2], False), (frame[2], True),
                        (frame[2], True), (frame[3], True)):
        seen.append(tx_slice.ready)
        tx_slice.step(pins, ready=ready, ctl_ready=False)
    assert seen == [True, True, False, False, True, True]
    assert tx_slice.link(1).data == frame[3].data


def test_two_sets_wait_within_a_frame_and_go_before_the_next() -> None:
    run = Run()
    run.words.extend(words(12))
    run.run(5)
    run.sets.extend((1, 2, 3))
    run.words.extend(words(8))
    run.run(60)
    assert run.taken == ["P", "s1", "s2", "P", "s3"]
    assert run.names == ["P", "s1", "s2", "P", "s3"]


def test_a_set_and_a_first_word_of_one_cycle() -> None:
    run = Run()
    run.sets.extend((1, 2))
    run.words.extend(words(8))
    run.run(30)
    # The second one comes while the first word is in the slice.
    assert run.names == ["s1", "P", "s2"]


def test_a_frame_does_not_wait_for_sets_without_end() -> None:
    run = Run()
    run.sets.extend(range(300))
    for _ in range(5):
        run.words.extend(words(8))
    run.run(100)
    between = "".join(name[0] for name in run.names).split("P")
    assert len(between) == 6
    assert all(len(sets) in (1, 2) for sets in between[:5])


def test_order_at_random(seed: int) -> None:
    rng = random.Random(seed)
    run = Run()
    for number in range(4000):
        if not run.words and rng.random() < 0.3:
            run.words.extend(words(rng.randrange(8, 12), rng.randrange(8)))
        if not run.sets and rng.random() < 0.2:
            run.sets.append(number)
        run.run(1)
    run.run(100)
    # A set that was taken within a frame goes behind it, which is where it stands in both.
    assert run.names == run.taken
    assert run.names.count("P") > 100


def test_a_closed_port_empties_the_slice() -> None:
    run = Run()
    run.words.extend(words(8))
    run.run(4)
    run.up = 0
    run.sets.extend((1, 2, 3))
    for _ in range(3):
        run.words.extend(words(8))
    run.run(60)
    assert not run.words and not run.sets
    assert run.names == ["P"]
    run.up = 1
    run.words.extend(words(8))
    assert run.run(20)[-1] == IDLE_WORD
    assert run.names == ["P", "P"]


def test_what_was_thrown_away_in_part_is_not_sent_when_the_port_opens() -> None:
    run = Run()
    run.up = 0
    run.words.extend(words(8))
    run.run(4)
    run.up = 1
    run.words.extend(words(9))
    out = run.run(40)
    assert run.names == ["P"]
    assert sum(word.ctl == 0 for word in out) == 9


def test_other_numbers_of_registers_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"transmit_stages = 2: must be in 0\.\.\.1"):
        load_config("tiny", ("transmit_stages=2",))
