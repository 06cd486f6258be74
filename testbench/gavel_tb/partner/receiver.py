# SPDX-License-Identifier: Apache-2.0
"""The receiving side of a link partner: framing, FCS, order (docs/llr.md, chapter 4)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import NamedTuple

from gavel_model.config import FCS_BYTES
from gavel_model.frame import join_words
from gavel_model.pins import RxPins, TxPins
from gavel_tb.partner.outgoing import POISON
from gavel_tb.partner.settings import PartnerSettings

# A CRC over data and its FCS depends on what the FCS is XORed with alone.
_GOOD = zlib.crc32(bytes(FCS_BYTES))
_POISONED = zlib.crc32(POISON.to_bytes(FCS_BYTES, "little"))


class FrameClass(Enum):
    """What a frame's end shows."""

    GOOD = "good"
    POISONED = "poisoned"
    BAD = "bad"


class ReceiverState(IntEnum):
    """State of the receiving side."""

    OFF = 0
    SEND_ACKS = 1
    SEND_NACK = 2
    NACK_SENT = 3


class Arrival(NamedTuple):
    """A frame that has ended.

    Attributes
    ----------
    data
        All bytes, FCS included.
    seq
        Its number, None for an ineligible frame.
    kind
        State of its FCS.
    """

    data: bytes
    seq: int | None
    kind: FrameClass


def frame_class(data: bytes, error: int) -> FrameClass:
    """Class of a frame by its FCS."""
    if error or len(data) < FCS_BYTES:
        return FrameClass.BAD
    check = zlib.crc32(data)
    if check == _GOOD:
        return FrameClass.GOOD
    return FrameClass.POISONED if check == _POISONED else FrameClass.BAD


class Framer:
    """Makes frames of the words of a link."""

    __slots__ = ("_error", "_head", "_open", "_values", "_word_bytes", "aborted", "stray")

    def __init__(self, word_bytes: int) -> None:
        self._word_bytes = word_bytes
        self._open = False
        self._error = 0
        self._head: RxPins | TxPins = RxPins()
        self._values: list[int] = []
        self.aborted = self.stray = 0

    def abort(self) -> None:
        """The link is down."""
        if self._open:
            self._open = False
            self.aborted += 1

    def word(self, pins: RxPins | TxPins) -> Arrival | None:
        """Takes a word; gives the frame that it ends."""
        if pins[1]:
            self.abort()
            self._head = pins
            self._values = [pins[10]]
            self._error = pins[3]
            self._open = True
        elif self._open:
            self._values.append(pins[10])
            self._error |= pins[3]
        else:
            self.stray += 1
            return None
        if not pins[2]:
            return None
        self._open = False
        data = join_words(self._values, self._word_bytes)
        if pins[4]:
            data = data[: -pins[4]]
        head = self._head
        return Arrival(data, head[6] if head[5] else None, frame_class(data, self._error))


class Receiver:
    """Takes frames in order, and says what the other end is to be told.

    Parameters
    ----------
    settings
        Of the partner.
    deliver
        Called with each frame that is accepted, and each good or poisoned ineligible one.

    Attributes
    ----------
    state, next_rx, ack_pending
        As in docs/llr.md.
    echo
        (value, data) of the echo to be sent.
    accepted, duplicates, missing, bad, poisoned, loose
        Counts of eligible frames: accepted, seen before, after a gap, expected and bad, accepted
        with poisoned FCS; and of ineligible frames.
    """

    def __init__(self, settings: PartnerSettings, deliver: Callable[[Arrival], None]) -> None:
        self._llr = settings.llr
        self._deliver = deliver
        self._mask = (1 << settings.seq_bits) - 1
        self._half = 1 << settings.seq_bits - 1
        self.framer = Framer(settings.word_bytes)
        self.state = ReceiverState.OFF
        self.next_rx = 0
        self.ack_pending = False
        self.echo: tuple[int, int] | None = None
        self.accepted = self.duplicates = self.missing = 0
        self.bad = self.poisoned = self.loose = 0

    def reset(self) -> None:
        """Forgets all that was agreed."""
        self.framer.abort()
        self.state = ReceiverState.OFF
        self.ack_pending = False
        self.echo = None

    def init(self, value: int, data: int) -> None:
        """An INIT was received."""
        if self._llr:
            self.next_rx = value
            self.state = ReceiverState.SEND_ACKS
            self.ack_pending = False
            self.echo = value, data

    def frame(self, arrival: Arrival) -> None:
        """A frame has ended."""
        seq = arrival.seq
        if seq is None or not self._llr:
            self.loose += 1
            if arrival.kind is not FrameClass.BAD:
                self._deliver(arrival)
            return
        if self.state is ReceiverState.OFF:
            return
        bad = arrival.kind is FrameClass.BAD or seq > self._mask
        ahead = seq - self.next_rx & self._mask
        if ahead == 0 and not bad:
            self.next_rx = self.next_rx + 1 & self._mask
            self.ack_pending = True
            self.state = ReceiverState.SEND_ACKS
            self.accepted += 1
            self.poisoned += arrival.kind is FrameClass.POISONED
            self._deliver(arrival)
        elif ahead < self._half:
            if ahead:
                self.missing += 1
            else:
                self.bad += 1
            if self.state is ReceiverState.SEND_ACKS:
                self.state = ReceiverState.SEND_NACK
        else:
            self.duplicates += 1
            self.ack_pending = True
