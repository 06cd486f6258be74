# SPDX-License-Identifier: Apache-2.0
"""Framing, length and FCS of received frames (docs/spec.md, LinkRx)."""

from __future__ import annotations

import zlib
from collections import deque

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import join_words
from gavel_model.pins import RxPins
from gavel_model.received_frame import Fcs, ReceivedFrame
from gavel_model.register_map import Counter

WORD = 1
"""Event bit: the cycle had a word of a frame."""
SOP = 2
"""Event bit: that word is the frame's first."""
EOP = 4
"""Event bit: that word is the frame's last."""
ABORT = 8
"""Event bit: the frame that was open before that word, or instead of it, was aborted."""
STRAY = 16
"""Event bit: the cycle had a word outside of a frame."""
CTL = 32
"""Event bit: the cycle had a control ordered set."""

EVENT_BITS = 6
EVENT_MASK = (1 << EVENT_BITS) - 1
"""An event as a run of bits, where those of several cycles stand in one number."""

POISON = 0xAAAAAAAA
"""What the FCS of a poisoned frame differs by from the good one."""

_GOOD_CRC = zlib.crc32(bytes(FCS_BYTES))
_POISONED_CRC = zlib.crc32(POISON.to_bytes(FCS_BYTES, "little"))
"""CRC of a whole frame with its FCS, good and poisoned: the same for all frames, as the CRC of a
frame's body cancels out of it."""

_ERR = int(Counter.RX_ERR)
_UNDERSIZE = int(Counter.RX_UNDERSIZE)
_OVERSIZE = int(Counter.RX_OVERSIZE)
_FCS = int(Counter.RX_FCS)
_GOOD = Fcs.GOOD


class LinkRx:
    """Receive side of a port's link.

    Attributes
    ----------
    enabled
        Bit 0 of the port's ``CONTROL`` as visible in the cycle.
    up
        The port was not down in the last cycle that was stepped.
    open
        A frame has begun and not ended.
    ended
        Frames whose last word has been on the pins and that `Parser` has not seen yet.
    ordered_sets
        Control ordered sets D1...D7 that have been on the pins and have not taken effect yet.
    """

    __slots__ = (
        "_crc", "_error", "_folded", "_llr", "_max_bytes", "_max_words", "_seq", "_word_bytes",
        "_words", "enabled", "ended", "open", "ordered_sets", "up",
    )

    def __init__(self, config: SwitchConfig) -> None:
        self._word_bytes = config.word_bytes
        self._max_words = config.max_frame_words
        self._max_bytes = config.max_frame_bytes
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.enabled = True
        self.up = False
        self.open = False
        self.ended: deque[ReceivedFrame] = deque()
        self.ordered_sets: deque[int] = deque()
        self._words: list[int] = []
        self._error = False
        self._llr = 0
        self._seq = 0
        self._folded = 0
        self._crc = 0

    def step(self, pins: RxPins) -> int:
        """Takes the pins of cycle t; returns what they were, as event bits for t+1."""
        valid, sop, eop, err, empty, llr, seq, ctl_valid, ctl, up, data = pins
        if not (up and self.enabled):
            self.up = False
            if self.open:
                self.open = False
                return ABORT
            return 0
        self.up = True
        event = 0
        if ctl_valid:
            event = CTL
            self.ordered_sets.append(ctl)
        if not valid:
            return event
        if sop:
            event |= WORD | SOP | ABORT if self.open else WORD | SOP
            self.open = True
            self._words = words = []
            self._error = False
            self._llr = llr
            self._seq = seq
            self._folded = 0
        elif self.open:
            event |= WORD
            words = self._words
        else:
            return event | STRAY
        if err:
            self._error = True
        if eop:
            self.open = False
            words.append(data & (1 << 8 * (self._word_bytes - empty)) - 1)
            self.ended.append(self._frame(words, empty))
            return event | EOP
        words.append(data)
        if len(words) > self._max_words:
            self._fold(words)
        return event

    def _fold(self, words: list[int]) -> None:
        """Forgets words of a frame that is too long, all but their number and their CRC."""
        data = join_words(words, self._word_bytes)
        self._crc = zlib.crc32(data, self._crc if self._folded else 0)
        self._folded += len(words)
        words.clear()

    def _frame(self, words: list[int], empty: int) -> ReceivedFrame:
        length = (self._folded + len(words)) * self._word_bytes - empty
        data = b""
        fcs = Fcs.BAD
        fits = MIN_FRAME_BYTES <= length <= self._max_bytes
        if (fits or self._llr) and not self._error:
            data = join_words(words, self._word_bytes)
            if empty:
                data = data[:-empty]
            fcs = self._verdict(data, length)
        if self._error:
            reason = _ERR
        elif not fits:
            reason = _UNDERSIZE if length < MIN_FRAME_BYTES else _OVERSIZE
        else:
            reason = 0 if fcs is _GOOD else _FCS
        frame = ReceivedFrame(words, data, length, reason)
        if self._llr:
            frame.llr = 1
            frame.seq = self._seq
            frame.error = self._error
            frame.fcs = fcs
        return frame

    def _verdict(self, data: bytes, length: int) -> Fcs:
        """What the FCS says, with the last ``data`` of a frame of ``length`` bytes."""
        if length < FCS_BYTES:
            return Fcs.BAD
        crc = zlib.crc32(data, self._crc if self._folded else 0)
        if crc == _GOOD_CRC:
            return _GOOD
        return Fcs.POISONED if crc == _POISONED_CRC else Fcs.BAD
