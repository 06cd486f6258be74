# SPDX-License-Identifier: Apache-2.0
"""What a `LossyLink` is told to do, and what it says it did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

MAX_FLIPS = 64
_MAX_DELAY = 1 << 20


class Damage(StrEnum):
    """What a link does to what is on the wire."""

    DATA = "data"
    """Bits of a frame word are flipped."""

    PREAMBLE = "preamble"
    """Bits of a preamble are flipped."""

    SET = "ordered_set"
    """Bits D1...D7 of an ordered set are flipped."""

    SET_LOST = "ordered_set_lost"
    """An ordered set has vanished: dropped, or its control part was hit."""

    WORD_LOST = "word_lost"
    """A frame word has vanished."""

    DOWN = "down"
    """The link goes down; all that is under way is lost."""


class LinkEvent(NamedTuple):
    """One thing that a link did.

    Attributes
    ----------
    cycle
        In which the word was put on the wire, or the link went down.
    kind
        What happened.
    bits
        Flipped bits; bits of the word or set that vanished; of DOWN the cycles that it lasts.
    """

    cycle: int
    kind: Damage
    bits: int


@dataclass(frozen=True, kw_only=True)
class LinkOptions:
    """One direction of a link; the default is a perfect wire.

    Attributes
    ----------
    bit_errors
        Probability that a bit on the wire begins a burst of bit errors.
    word_errors
        Probability that a frame word or an ordered set is hit by 1...``flips`` flipped bits.
    flips
        Largest number of bits that a hit by ``word_errors`` flips. CRC-8 of ordered sets finds
        any three.
    word_drops, set_drops
        Probability that a frame word, an ordered set vanishes.
    burst
        Mean length of a burst: bits of ``bit_errors`` (the first is flipped, each other one with
        probability 1/2), words and sets one after the other that meet the same fate of the others.
    delay
        Cycles from one end to the other.
    down_rate, down_cycles
        Probability that the link goes down in a cycle, and how long it stays so on average.
    downs
        Planned failures: (cycle, cycles that it lasts), in order.
    protect
        Preambles have check bytes (docs/llr.md, chapter 2).

    Raises
    ------
    ValueError
        Names the option, its value, and what it may be.
    """

    bit_errors: float = 0.0
    word_errors: float = 0.0
    flips: int = 3
    word_drops: float = 0.0
    set_drops: float = 0.0
    burst: float = 1.0
    delay: int = 0
    down_rate: float = 0.0
    down_cycles: float = 100.0
    downs: tuple[tuple[int, int], ...] = ()
    protect: bool = True

    def __post_init__(self) -> None:
        for name in ("bit_errors", "word_errors", "word_drops", "set_drops", "down_rate"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} = {getattr(self, name)}: must be in 0...1, 1 excluded")
        worst = self.word_errors + max(self.word_drops, self.set_drops)
        if worst >= 1.0:
            raise ValueError(f"word_errors + drops = {worst}: must be below 1")
        if not 1 <= self.flips <= MAX_FLIPS:
            raise ValueError(f"flips = {self.flips}: must be in 1...{MAX_FLIPS}")
        for name in ("burst", "down_cycles"):
            if not 1.0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 1")
        if not 0 <= self.delay <= _MAX_DELAY:
            raise ValueError(f"delay = {self.delay}: must be in 0...{_MAX_DELAY} cycles")
        end = 0
        for start, cycles in self.downs:
            if start < end or cycles < 1:
                raise ValueError(f"downs = {self.downs}: must be pairs (cycle, cycles) in order, "
                                 "each after the end of the one before, cycles at least 1")
            end = start + cycles
