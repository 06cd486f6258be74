# SPDX-License-Identifier: Apache-2.0
"""Framing, length and FCS of received frames (docs/spec.md, LinkRx)."""

from __future__ import annotations

import zlib
from collections import deque

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import join_words
from gavel_model.pins import RxPins
from gavel_model.received_frame import ReceivedFrame
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

_ERR = int(Counter.RX_ERR)
_UNDERSIZE = int(Counter.RX_UNDERSIZE)
_OVERSIZE = int(Counter.RX_OVERSIZE)
_FCS = int(Counter.RX_FCS)


class LinkRx:
    """Receive side of a port's link.

    Attributes
    ----------
    enabled
        Bit 0 of the port's ``CONTROL`` as visible in the cycle.
    open
        A frame has begun and not ended.
    ended
        Frames whose last word has been on the pins and that `Parser` has not seen yet.
    """

    __slots__ = (
        "_error", "_max_bytes", "_max_words", "_word_bytes", "_words", "enabled", "ended", "open",
    )

    def __init__(self, config: SwitchConfig) -> None:
        self._word_bytes = config.word_bytes
        self._max_words = config.max_frame_words
        self._max_bytes = config.max_frame_bytes
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.enabled = True
        self.open = False
        self.ended: deque[ReceivedFrame] = deque()
        self._words: list[int] = []
        self._error = False

    def step(self, pins: RxPins) -> int:
        """Takes the pins of cycle t; returns what they were, as event bits for t+1."""
        valid, sop, eop, err, empty, _, _, ctl_valid, _, up, data = pins
        if not (up and self.enabled):
            if self.open:
                self.open = False
                return ABORT
            return 0
        event = CTL if ctl_valid else 0
        if not valid:
            return event
        if sop:
            event |= WORD | SOP | ABORT if self.open else WORD | SOP
            self.open = True
            self._words = words = []
            self._error = False
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
        # One word more than the longest frame is enough to know that this one is longer.
        if len(words) <= self._max_words:
            words.append(data)
        return event

    def _frame(self, words: list[int], empty: int) -> ReceivedFrame:
        length = len(words) * self._word_bytes - empty
        if self._error:
            return ReceivedFrame(words, b"", length, _ERR)
        if length < MIN_FRAME_BYTES:
            return ReceivedFrame(words, b"", length, _UNDERSIZE)
        if length > self._max_bytes:
            return ReceivedFrame(words, b"", length, _OVERSIZE)
        data = join_words(words, self._word_bytes)[:length]
        body = length - FCS_BYTES
        good = zlib.crc32(data[:body]) == int.from_bytes(data[body:], "little")
        return ReceivedFrame(words, data, length, 0 if good else _FCS)
