# SPDX-License-Identifier: Apache-2.0
"""XGMII words of 64 bits: characters and ordered sets (docs/xgmii.md, Words)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from gavel_model.pins import CTL_BITS

LANES = 8
COLUMN_LANES = 4
ALL_CONTROL = (1 << LANES) - 1

IDLE = 0x07
SIGNAL = 0x5C
SEQUENCE = 0x9C
START = 0xFB
TERMINATE = 0xFD
ERROR = 0xFE


class Fault(IntEnum):
    """State of the link; the value of a fault is the last byte of its set."""

    NONE = 0
    LOCAL = 1
    REMOTE = 2


class XgmiiWord(NamedTuple):
    """One word; lane n is byte n of ``data`` and bit n of ``ctl``."""

    data: int
    ctl: int

    def character(self, lane: int) -> int | None:
        """The control character of a lane, None if the lane has data."""
        return self.data >> 8 * lane & 0xFF if self.ctl >> lane & 1 else None


def control_word(*characters: int) -> XgmiiWord:
    """A word of control characters: those given from lane 0 on, and Idles."""
    lanes = bytes(characters).ljust(LANES, bytes((IDLE,)))
    return XgmiiWord(int.from_bytes(lanes, "little"), ALL_CONTROL)


def data_word(data: bytes) -> XgmiiWord:
    """Data from lane 0 on; if they do not fill the word, Terminate and Idles follow."""
    if len(data) == LANES:
        return XgmiiWord(int.from_bytes(data, "little"), 0)
    lanes = (data + bytes((TERMINATE,))).ljust(LANES, bytes((IDLE,)))
    return XgmiiWord(int.from_bytes(lanes, "little"), ALL_CONTROL & ALL_CONTROL << len(data))


def preamble_word(preamble: bytes) -> XgmiiWord:
    """Eight bytes, the first of them Start."""
    return XgmiiWord(int.from_bytes(preamble, "little"), 1)


def ordered_set_word(ctl: int) -> XgmiiWord:
    """The control ordered set of D1...D7, D1 in bits 7:0."""
    return XgmiiWord(ctl << 8 | SIGNAL, 1)


def ordered_set(word: XgmiiWord) -> int | None:
    """D1...D7 of a control ordered set, None if the word is none."""
    if word.ctl == 1 and word.data & 0xFF == SIGNAL:
        return word.data >> 8 & (1 << CTL_BITS) - 1
    return None


_FAULT_COLUMNS = {SEQUENCE | kind << 24: kind for kind in (Fault.LOCAL, Fault.REMOTE)}


def fault_sets(word: XgmiiWord) -> tuple[Fault, Fault]:
    """The fault set in each column, `Fault.NONE` where there is none."""
    low, high = (
        _FAULT_COLUMNS.get(word.data >> 8 * lane & 0xFFFF_FFFF, Fault.NONE)
        if word.ctl >> lane & 0xF == 1 else Fault.NONE
        for lane in (0, COLUMN_LANES)
    )
    return low, high


_REMOTE_FAULT_SET = bytes((SEQUENCE, 0, 0, Fault.REMOTE))

IDLE_WORD = control_word()
ERROR_WORD = control_word(*[ERROR] * LANES)
TERMINATE_WORD = control_word(TERMINATE)
REMOTE_FAULT_WORD = XgmiiWord(int.from_bytes(2 * _REMOTE_FAULT_SET, "little"), 0x11)
