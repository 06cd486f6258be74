# SPDX-License-Identifier: Apache-2.0
"""What was on the pins of a port, as a peer without any model of the switch reads it."""

from __future__ import annotations

from collections import Counter as Tally
from typing import NamedTuple

from gavel_model.mac_control import CreditCounts, Pause
from gavel_model.mac_control import decode as decode_control
from gavel_model.ordered_set import CreditUpdate, Kind, OrderedSet, decode, decode_credits
from gavel_model.pins import RxPins, TxPins
from gavel_model.register_map import Counter
from gavel_tb.behaviour.ledger import Entry, Ledger
from gavel_tb.partner.flow_settings import is_mac_control
from gavel_tb.partner.receiver import Arrival, FrameClass, Framer, Receiver
from gavel_tb.partner.settings import PartnerSettings

C = Counter


class Seen(NamedTuple):
    """A frame on the pins.

    Attributes
    ----------
    first, last
        Cycles of its first and last word.
    words
        Their number.
    seq
        Its number, None for an ineligible one.
    new
        Sent for the first time.
    data
        Its bytes.
    entry
        What it is, None for a MAC Control frame.
    control
        What a MAC Control frame says.
    """

    first: int
    last: int
    words: int
    seq: int | None
    new: bool
    data: bytes
    entry: Entry | None
    control: CreditCounts | Pause | None


class CreditsSeen(NamedTuple):
    """A CF_Update on the pins."""

    cycle: int
    ctl: int
    item: CreditUpdate

    def freed(self, vc: int) -> int | None:
        """What it says for a VC; None: nothing."""
        if self.item.vc == vc:
            return self.item.freed
        return self.item.second_freed if self.item.second_vc == vc else None


class SetSeen(NamedTuple):
    """An ordered set of link-level retry."""

    cycle: int
    item: OrderedSet


class PortLog:
    """Watches a port.

    Parameters
    ----------
    settings
        Of the peer; only width, numbers and check bytes count.
    ledger
        Knows the frames.

    Attributes
    ----------
    out, back
        Frames that the port sent and received.
    accepted
        Of the received ones, those that the port must have taken.
    credits_out, credits_back, sets_out, sets_back
        Ordered sets.
    seen
        Counters by what was on the pins.
    """

    def __init__(self, settings: PartnerSettings, ledger: Ledger) -> None:
        self._settings = settings
        self._ledger = ledger
        self.restart()

    def restart(self) -> None:
        """Forgets everything: the switch was reset."""
        settings = self._settings
        self.out: list[Seen] = []
        self.back: list[Seen] = []
        self.accepted: list[Seen] = []
        self.credits_out: list[CreditsSeen] = []
        self.credits_back: list[CreditsSeen] = []
        self.sets_out: list[SetSeen] = []
        self.sets_back: list[SetSeen] = []
        self.seen: Tally[Counter] = Tally()
        self._framers = Framer(settings.word_bytes), Framer(settings.word_bytes)
        self._words = [0, 0]
        self._first = [0, 0]
        self._receiver = Receiver(settings, lambda arrival: None)
        self._next_out = 0

    def sent(self, cycle: int, pins: TxPins | RxPins) -> Seen | None:
        """What is taken from the transmit pins in a cycle; gives the frame that it ends."""
        found = None
        if pins[0]:
            arrival = self._word(0, cycle, pins)
            if arrival is not None:
                new = arrival.seq is None or arrival.seq == self._next_out
                if new and arrival.seq is not None:
                    self._next_out = arrival.seq + 1 & (1 << self._settings.seq_bits) - 1
                found = self._seen(0, cycle, arrival, new)
                self.out.append(found)
                if new:
                    self._count(found, C.CBFC_TX_CC_UPDATE, C.PFC_TX, C.TX_FRAMES)
        if pins[7]:
            update, item = self._set(pins[8])
            if update is not None:
                self.credits_out.append(CreditsSeen(cycle, pins[8], update))
                self.seen[C.CBFC_TX_CF_UPDATE] += 1
            elif item is not None:
                self.sets_out.append(SetSeen(cycle, item))
                if item.kind is Kind.INIT:
                    self._next_out = item.value
        return found

    def received(self, cycle: int, pins: RxPins) -> None:
        """What is on the receive pins in a cycle."""
        if not pins[9]:
            self._framers[1].abort()
            return
        if pins[0]:
            arrival = self._word(1, cycle, pins)
            if arrival is not None:
                self._frame_received(self._seen(1, cycle, arrival, True), arrival)
        if pins[7]:
            update, item = self._set(pins[8])
            if update is not None:
                self.credits_back.append(CreditsSeen(cycle, pins[8], update))
                self.seen[C.CBFC_RX_CF_UPDATE] += 1
            elif item is not None:
                self.sets_back.append(SetSeen(cycle, item))
                if item.kind is Kind.INIT:
                    self._receiver.init(item.value, item.data)
            else:
                self.seen[C.LLR_RX_CTL_UNKNOWN] += self._settings.llr

    def _frame_received(self, seen: Seen, arrival: Arrival) -> None:
        self.back.append(seen)
        if arrival.seq is None or not self._settings.llr:
            accepted = arrival.kind is FrameClass.GOOD
        else:
            before = self._receiver.accepted
            self._receiver.frame(arrival)
            accepted = self._receiver.accepted != before
        if accepted:
            self.accepted.append(seen)
            self._count(seen, C.CBFC_RX_CC_UPDATE, C.PFC_RX, C.RX_FRAMES)

    def _count(self, frame: Seen, counts: Counter, pause: Counter, plain: Counter) -> None:
        if isinstance(frame.control, CreditCounts):
            self.seen[counts] += 1
        elif frame.control is not None:
            self.seen[pause] += 1
        elif frame.entry is not None:
            self.seen[plain] += 1

    def _word(self, way: int, cycle: int, pins: RxPins | TxPins) -> Arrival | None:
        if pins[1]:
            self._first[way] = cycle
            self._words[way] = 0
        self._words[way] += 1
        return self._framers[way].word(pins)

    def _seen(self, way: int, cycle: int, arrival: Arrival, new: bool) -> Seen:
        data = arrival.data
        control = is_mac_control(data)
        return Seen(self._first[way], cycle, self._words[way], arrival.seq, new, data,
                    None if control else self._ledger.find(data),
                    decode_control(data) if control else None)

    def _set(self, ctl: int) -> tuple[CreditUpdate | None, OrderedSet | None]:
        settings = self._settings
        update = decode_credits(ctl, settings.protect)
        if update is not None:
            return update, None
        return None, decode(ctl, settings.protect, settings.seq_bits)

    @property
    def pauses_out(self) -> list[tuple[Seen, Pause]]:
        """PFC frames that the port sent for the first time."""
        return [(seen, seen.control) for seen in self.out
                if seen.new and isinstance(seen.control, Pause)]

    @property
    def counts_out(self) -> list[tuple[Seen, tuple[int, ...]]]:
        """CC_Updates that the port sent for the first time, and what they say."""
        return [(seen, seen.control.consumed) for seen in self.out
                if seen.new and isinstance(seen.control, CreditCounts)]

    @property
    def frames_out(self) -> list[Seen]:
        """Frames that the port sent for the first time, without MAC Control frames."""
        return [seen for seen in self.out if seen.new and seen.entry is not None]

    def vcs_out(self, start: int = 0) -> list[int]:
        """VC of each frame sent for the first time, of those that began in ``start`` or later."""
        return [seen.entry.vc for seen in self.frames_out
                if seen.entry is not None and seen.first >= start]

    def rate_out(self, start: int, end: int, vc: int | None = None) -> float:
        """Share of the cycles ``start``...``end`` - 1 with a word of a frame (of a VC) that was
        sent for the first time and has ended."""
        words = 0
        for seen in reversed(self.out):
            if seen.last < start:
                break
            if seen.new and seen.entry is not None and vc in (None, seen.entry.vc):
                words += min(seen.last, end - 1) - max(seen.first, start) + 1
        return words / (end - start)

    def freed_out(self, vc: int) -> int | None:
        """The newest count of freed credits that the port sent for a VC; None: none yet."""
        for seen in reversed(self.credits_out):
            freed = seen.freed(vc)
            if freed is not None:
                return freed
        return None
