# SPDX-License-Identifier: Apache-2.0
"""Puts the frame check sequence behind frames that come without (docs/axi_stream.md)."""

from __future__ import annotations

import zlib
from collections import deque

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.pins import RxPins

QUEUE_WORDS = 16
"""Words that wait while FCS take words of their own."""

_STAGES = 3


class FcsAppend:
    """Appends the FCS to the frames of receive pins.

    Attributes
    ----------
    overflow
        In the cycle before, a word was lost.
    """

    __slots__ = ("_crc", "_lanes", "_lost", "_queue", "_rest", "_stages", "overflow")

    def __init__(self, config: SwitchConfig) -> None:
        self._lanes = config.word_bytes
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._queue: deque[RxPins] = deque()
        self._stages: deque[RxPins | None] = deque([None] * _STAGES, maxlen=_STAGES)
        self._crc = 0
        self._rest = False
        self._lost = False
        self.overflow = False

    @property
    def _tail(self) -> bytes | None:
        """What the last word of a frame holds with its FCS behind it, None if stage D has none."""
        word = self._stages[-1]
        if word is None or not word.eop:
            return None
        data = self._bytes(word)
        return data + zlib.crc32(data, self._crc).to_bytes(FCS_BYTES, "little")

    def _bytes(self, word: RxPins) -> bytes:
        used = self._lanes - word.empty if word.eop else self._lanes
        return word.data.to_bytes(self._lanes, "little")[:used]

    def pins(self, up: int) -> RxPins:
        """Receive pins with the FCS, as visible in the cycle, with this on ``up``."""
        word, tail = self._stages[-1], self._tail
        if word is None:
            return RxPins(up=up)
        if tail is None:
            return word._replace(up=up, empty=0)
        lanes = self._lanes
        if self._rest:
            tail = tail[lanes:]
            word = word._replace(sop=0, err=0)
        return word._replace(up=up, eop=int(len(tail) <= lanes), empty=max(0, lanes - len(tail)),
                             data=int.from_bytes(tail[:lanes], "little"))

    def step(self, pins: RxPins) -> None:
        """Takes receive pins without the FCS."""
        full = len(self._queue) >= QUEUE_WORDS
        self._move()
        self.overflow = bool(pins.valid and full)
        if not pins.valid:
            return
        if not full:
            spoilt = self._lost and not pins.sop
            self._queue.append(pins._replace(err=1) if spoilt else pins)
        self._lost = full

    def _move(self) -> None:
        tail, leaving = self._tail, self._stages[-1]
        self._rest = tail is not None and len(tail) > self._lanes and not self._rest
        if self._rest:
            return
        if leaving is not None:
            self._crc = 0 if leaving.eop else zlib.crc32(self._bytes(leaving), self._crc)
        self._stages.appendleft(self._queue.popleft() if self._queue else None)
        following = self._stages[-1]
        if following is not None and following.sop:
            self._crc = 0
