# SPDX-License-Identifier: Apache-2.0
"""What was on the pins of the port under test, and the counters that follow from it.

Nothing here is taken from the golden model but the format of ordered sets; which frames are
accepted is decided by the receiver of the test kit's link partner.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable
from typing import NamedTuple

from gavel_model.ordered_set import Kind, OrderedSet, decode
from gavel_model.pins import RxPins, TxPins
from gavel_model.register_map import Counter
from gavel_tb.partner.receiver import Arrival, FrameClass, Framer, Receiver, ReceiverState
from gavel_tb.partner.settings import PartnerSettings

C = Counter
_SENT = {Kind.ACK: C.LLR_TX_ACK_CTL_OS, Kind.NACK: C.LLR_TX_NACK_CTL_OS,
         Kind.INIT: C.LLR_TX_INIT_CTL_OS, Kind.INIT_ECHO: C.LLR_TX_INIT_ECHO_CTL_OS}
_RECEIVED = {Kind.ACK: C.LLR_RX_ACK_CTL_OS, Kind.NACK: C.LLR_RX_NACK_CTL_OS,
             Kind.INIT_ECHO: C.LLR_RX_INIT_ECHO_CTL_OS}
_BY_CLASS = {
    FrameClass.GOOD: C.LLR_RX_OK,
    FrameClass.POISONED: C.LLR_RX_POISONED,
    FrameClass.BAD: C.LLR_RX_BAD,
}
NOT_AT_THE_PINS = frozenset((C.LLR_TX_DISCARD, C.LLR_TX_REPLAY, C.LLR_RX_REPLAY,
                             C.LLR_RX_ACK_NACK_SEQ_ERROR, C.LLR_TX_FLUSH))
"""Counters of things that cannot be told from the pins alone."""


class SetSeen(NamedTuple):
    """An ordered set; ``item`` is None if it is no valid one of link-level retry."""

    cycle: int
    ctl: int
    item: OrderedSet | None


class FrameSeen(NamedTuple):
    """A frame: cycles of its first and last word, its number (None: ineligible), whether it was
    sent for the first time."""

    first: int
    last: int
    seq: int | None
    new: bool


class PinLog:
    """Watches the port.

    Parameters
    ----------
    settings
        Of the partner at the far end.
    filed
        Called with each frame that the switch must file.

    Attributes
    ----------
    sets_out, sets_in, frames_out, frames_in
        All that was sent and received. A word or set counts when it is taken.
    dropped
        Ineligible frames received with a bad FCS.
    local, remote, forward_poisoned
        Settings as they count for what is on the pins.
    first_sent
        Frames sent for the first time, eligible or not.
    acknowledged
        An ACK for the newest eligible frame has come, or there was none.
    most_outstanding
        Largest number of frames sent and not acknowledged.
    seen
        Counters by what was on the pins.
    """

    def __init__(self, settings: PartnerSettings, filed: Callable[[bytes], None]) -> None:
        self._settings = settings
        self._filed = filed
        self._mask = (1 << settings.seq_bits) - 1
        self.local = self.remote = self.forward_poisoned = False
        self.restart()

    def restart(self) -> None:
        """Forgets everything: the switch was reset."""
        self.sets_out: list[SetSeen] = []
        self.sets_in: list[SetSeen] = []
        self.frames_out: list[FrameSeen] = []
        self.frames_in: list[FrameSeen] = []
        self.dropped: list[bytes] = []
        self.seen: Tally[Counter] = Tally()
        self.first_sent = self.most_outstanding = 0
        self.acknowledged = True
        self._shadow = Receiver(self._settings, self._deliver)
        self._framer = Framer(self._settings.word_bytes)
        self._next_out = self._oldest_out = 0
        self._out_framer = Framer(self._settings.word_bytes)
        self._out_first = self._in_first = 0
        self._in_error = 0

    def sent(self, cycle: int, tx: TxPins | RxPins) -> None:
        """What goes out in a cycle."""
        if tx[0]:
            if tx[1]:
                self._out_first = cycle
            arrival = self._out_framer.word(tx)
            if arrival is not None:
                self._frame_sent(cycle, arrival)
        if tx[7]:
            item = decode(tx[8], self._settings.protect, self._settings.seq_bits)
            self.sets_out.append(SetSeen(cycle, tx[8], item))
            if item is not None:
                self.seen[_SENT[item.kind]] += 1
                if item.kind is Kind.INIT:
                    self._next_out = self._oldest_out = item.value

    def _frame_sent(self, cycle: int, arrival: Arrival) -> None:
        seq = arrival.seq
        new = seq is None or seq == self._next_out
        self.frames_out.append(FrameSeen(self._out_first, cycle, seq, new))
        self.first_sent += new
        if seq is None:
            return
        poisoned = arrival.kind is FrameClass.POISONED
        self.seen[C.LLR_TX_POISONED if poisoned else C.LLR_TX_OK] += 1
        if new:
            self._next_out = seq + 1 & self._mask
            self.acknowledged = False
            outstanding = self._next_out - self._oldest_out & self._mask
            self.most_outstanding = max(self.most_outstanding, outstanding)

    def received(self, cycle: int, rx: RxPins) -> None:
        """What comes in in a cycle."""
        if not rx[9]:
            self._framer.abort()
            return
        if rx[0]:
            if rx[1]:
                self._in_first, self._in_error = cycle, 0
            self._in_error |= rx[3]
            arrival = self._framer.word(rx)
            if arrival is not None:
                self.frames_in.append(FrameSeen(self._in_first, cycle, arrival.seq, True))
                self._frame_received(arrival)
        if rx[7]:
            self._set_received(cycle, rx[8])

    def _frame_received(self, arrival: Arrival) -> None:
        seen = self.seen
        if arrival.seq is None or not self.local:
            # What is not looked after by the shadow counts as LinkRx finds it.
            if arrival.kind is FrameClass.GOOD:
                self._file(arrival.data)
            else:
                seen[C.RX_ERR if self._in_error else C.RX_FCS] += 1
                self.dropped.append(arrival.data)
            return
        seen[_BY_CLASS[arrival.kind]] += 1
        before = self._shadow.accepted
        self._shadow.frame(arrival)
        if self._shadow.accepted == before:
            seen[C.RX_LLR] += 1

    def _deliver(self, arrival: Arrival) -> None:
        if arrival.kind is FrameClass.GOOD:
            self.seen[C.LLR_RX_EXPECTED_SEQ_GOOD] += 1
            self._file(arrival.data)
            return
        self.seen[C.LLR_RX_EXPECTED_SEQ_POISONED] += 1
        if self.forward_poisoned:
            self._file(arrival.data)
        else:
            self.seen[C.RX_POISONED] += 1

    def _file(self, data: bytes) -> None:
        self.seen[C.RX_FRAMES] += 1
        self.seen[C.RX_BYTES] += len(data)
        self._filed(data)

    def _set_received(self, cycle: int, ctl: int) -> None:
        seen = self.seen
        item = decode(ctl, self._settings.protect, self._settings.seq_bits)
        self.sets_in.append(SetSeen(cycle, ctl, item))
        seen[C.RX_CTL_OS] += 1
        if item is None:
            seen[C.LLR_RX_CTL_UNKNOWN] += self.local or self.remote
        elif item.kind is Kind.INIT:
            if self.local:
                seen[C.LLR_RX_INIT_CTL_OS] += 1
                self._shadow.init(item.value, item.data)
        elif self.remote:
            seen[_RECEIVED[item.kind]] += 1
            ahead = item.value + 1 - self._oldest_out & self._mask
            if item.kind is not Kind.INIT_ECHO and \
                    ahead <= (self._next_out - self._oldest_out & self._mask):
                self._oldest_out = self._oldest_out + ahead & self._mask
                self.acknowledged = self._oldest_out == self._next_out

    def turn_off_receiver(self) -> None:
        """``local`` was 0 for a while: nothing is agreed any more."""
        self._shadow.state = ReceiverState.OFF

    def counters(self) -> dict[Counter, int]:
        """All counters that follow from what was on the pins."""
        shadow, framer = self._shadow, self._framer
        return {counter: self.seen[counter] for counter in Counter} | {
            C.LLR_RX_EXPECTED_SEQ_BAD: shadow.bad,
            C.LLR_RX_MISSING_SEQ: shadow.missing,
            C.LLR_RX_DUPLICATE_SEQ: shadow.duplicates,
            C.RX_FRAGMENT: framer.aborted,
            C.RX_STRAY_WORDS: framer.stray,
        }

    def values_out(self, kind: Kind) -> list[int]:
        """Values of all ordered sets of a kind that were sent."""
        return [seen.item.value for seen in self.sets_out
                if seen.item is not None and seen.item.kind is kind]

    def values_in(self, kind: Kind) -> list[int]:
        """Values of all ordered sets of a kind that were received."""
        return [seen.item.value for seen in self.sets_in
                if seen.item is not None and seen.item.kind is kind]
