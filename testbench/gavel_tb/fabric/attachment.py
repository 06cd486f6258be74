# SPDX-License-Identifier: Apache-2.0
"""The ports of an accelerator: straight onto the wire, or over link-level retry."""

from __future__ import annotations

from typing import Any, Protocol

from gavel_model.alarm import NEVER
from gavel_model.frame import join_words
from gavel_model.pins import IDLE, RxPins
from gavel_tb.fabric.line import Line, WholeFrame
from gavel_tb.fabric.outbox import Cut
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.flow_settings import VcOf
from gavel_tb.partner.outgoing import OutFrame, partner_words
from gavel_tb.partner.receiver import Arrival
from gavel_tb.partner.sender import SenderState
from gavel_tb.partner.settings import PartnerSettings
from gavel_tb.workload.errors import DeliveryError


class Owner(Protocol):
    """The accelerator that a port belongs to.

    Attributes
    ----------
    name
        For people.
    """

    name: str

    def next_frame(self, port: int, vc: int, cycle: int) -> Cut | None:
        """A frame that may be sent in a cycle."""
        ...

    def waits(self, port: int) -> bool:
        """Whether a message waits that could leave by a port."""
        ...

    def send_at(self, port: int, cycle: int) -> int:
        """First cycle from ``cycle`` on, the next that is stepped, in which `next_frame` may give
        a frame, as far as is known."""
        ...

    def launched(self, cut: Cut, cycle: int, words: int) -> None:
        """The first word of a frame is on the pins in ``cycle``, the others follow."""
        ...

    def arrived(self, frame: bytes, port: int, first: int) -> None:
        """A frame has come; its first word did in cycle ``first``."""
        ...


class PlainPort:
    """Words of frames, one after the other; nothing else is on the wire.

    Parameters
    ----------
    owner, number
        Accelerator, and number of the port there.
    word_bytes
        Bytes of a word.

    Attributes
    ----------
    line
        Where its words go.
    frames
        Frames that came.
    up_at
        Cycle from which on it can be used.
    """

    def __init__(self, owner: Owner, number: int, word_bytes: int) -> None:
        self._owner = owner
        self._number = number
        self._word_bytes = word_bytes
        self._free_at = 0
        self.frames = 0
        self.line: Line | None = None
        self.up_at: int | None = 0

    def step(self, cycle: int, arrived: WholeFrame | None) -> None:
        """A cycle."""
        if cycle >= self._free_at:
            cut = self._owner.next_frame(self._number, 0, cycle)
            if cut is not None:
                words = partner_words(cut.data, self._word_bytes, None)
                assert self.line is not None
                for place, word in enumerate(words):
                    self.line.put(cycle + place, word)
                self._free_at = cycle + len(words)
                self._owner.launched(cut, cycle, len(words))
        if arrived is not None:
            if arrived.fault is not None:
                raise DeliveryError(f"{self._owner.name}: {arrived.fault}")
            self.frames += 1
            data = join_words(arrived.words, self._word_bytes)
            self._owner.arrived(data[: len(data) - arrived.empty], self._number, arrived.first)

    def next_at(self, cycle: int) -> int:
        """First cycle from ``cycle`` on in which there is something to do, if nothing comes."""
        if cycle < self._free_at:
            return self._free_at if self._owner.waits(self._number) else NEVER
        return self._owner.send_at(self._number, cycle)


class RetryPort:
    """A link partner.

    Parameters
    ----------
    owner, number
        Accelerator, and number of the port there.
    settings, vc_of
        Of the partner.
    silent
        Cycles in which it sends nothing, since the switch is being set up.

    Attributes
    ----------
    line
        Where its pins go.
    frames
        Frames that were accepted.
    up_at
        Cycle from which on link-level retry is up; None: not yet.
    """

    def __init__(
        self, owner: Owner, number: int, settings: PartnerSettings, vc_of: VcOf | None, silent: int
    ) -> None:
        self._owner = owner
        self._number = number
        self._word_bytes = settings.word_bytes
        self._accepted: list[Arrival] = []
        self._cycle = 0
        self.partner = partner = LlrPartner(settings, self._accept, vc_of)
        if partner.flow is not None:
            partner.flow.queues.refill = self._refill
            partner.flow.buffer.read = self._accepted.append
        else:
            partner.sender.refill = lambda: self._refill(0, self._cycle)
        partner.silence(silent)
        self.frames = 0
        self.line: Line | None = None
        self.up_at: int | None = None

    def _accept(self, arrival: Arrival) -> None:
        if self.partner.flow is None:
            self._accepted.append(arrival)

    def _refill(self, vc: int, now: int) -> OutFrame | None:
        cut = self._owner.next_frame(self._number, vc, now)
        return None if cut is None else OutFrame(cut.data, cut)

    def step(self, cycle: int, pins: RxPins | None) -> None:
        """A cycle."""
        partner = self.partner
        sender = partner.sender
        self._cycle = cycle
        if cycle > partner.now:
            partner.skip(cycle - partner.now)
        before = sender.first_words
        out = partner.step(IDLE if pins is None else pins)
        if out is not IDLE:
            assert self.line is not None
            self.line.put(cycle, out)
        if sender.first_words != before:
            tag: Any = sender.newest_tag
            if isinstance(tag, Cut):
                self._owner.launched(tag, cycle, sender.first_words - before)
        if self._accepted:
            self.frames += len(self._accepted)
            for arrival in self._accepted:
                words = -(-len(arrival.data) // self._word_bytes)
                self._owner.arrived(arrival.data, self._number, cycle - words + 1)
            self._accepted.clear()
        if self.up_at is None and sender.state is SenderState.ADVANCE:
            self.up_at = cycle

    def next_at(self, cycle: int) -> int:
        """First cycle from ``cycle`` on in which there is something to do, if nothing comes."""
        return min(self._owner.send_at(self._number, cycle), self.partner.quiet_until())


Attachment = PlainPort | RetryPort
