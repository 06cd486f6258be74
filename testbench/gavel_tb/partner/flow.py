# SPDX-License-Identifier: Apache-2.0
"""Flow control of a link partner: credits and pauses in both directions (docs/flow_control.md, as a
device may read it that is not this switch)."""

from __future__ import annotations

from typing import Final

from gavel_model.mac_control import (
    CC_BITS,
    CreditCounts,
    cc_update_frame,
    decode,
    pfc_frame,
)
from gavel_model.ordered_set import CreditUpdate
from gavel_tb.partner.credit_reports import CreditReports
from gavel_tb.partner.credit_sender import CreditSender
from gavel_tb.partner.flow_settings import FlowSettings, VcOf, is_mac_control
from gavel_tb.partner.misbehaviour import Fault, Switchboard
from gavel_tb.partner.outgoing import OutFrame
from gavel_tb.partner.pauses import PauseReceiver, PauseSender
from gavel_tb.partner.receive_buffer import ReceiveBuffer
from gavel_tb.partner.receiver import Arrival, FrameClass
from gavel_tb.partner.settings import NEVER
from gavel_tb.partner.vc_queues import VcQueues

CONTROL: Final = "MAC Control"
"""Tag of MAC Control frames that a partner sends of its own."""

_COUNT = (1 << CC_BITS) - 1


class Flow:
    """All that a partner knows of flow control.

    Parameters
    ----------
    flow, data_width
        What was agreed, and bits of a word.
    vc_of
        The VC of a frame.
    faults
        What is to go wrong.

    Attributes
    ----------
    credits, pauses, queues
        What may be sent, and what waits.
    buffer, reports, asks
        What was received, the credits given back for it, and the pauses asked for.
    cc_sent, cc_received
        CC_Updates.
    """

    def __init__(
        self, flow: FlowSettings, data_width: int, vc_of: VcOf, faults: Switchboard
    ) -> None:
        self.settings = flow
        self._vc_of = vc_of
        self._faults = faults
        self.credits = CreditSender(flow)
        self.pauses = PauseReceiver(flow, data_width)
        self.queues = VcQueues(self.credits, self.pauses, faults)
        self.buffer = ReceiveBuffer(flow, data_width // 8)
        self.reports = CreditReports(flow, data_width // 8, self.buffer, faults)
        self.asks = PauseSender(flow, data_width, self.buffer, faults)
        self.cc_sent = self.cc_received = 0
        self._cc_at = flow.cc_period if flow.credited and flow.cc_period else None
        self._cc_wanted = False

    @property
    def home(self) -> bool:
        """All credits of the other end's buffer have come back, and the own one is empty."""
        return self.credits.home and self.buffer.empty

    @property
    def due(self) -> int:
        """First cycle in which `next` may give a frame although nothing waits."""
        if self._cc_wanted:
            return 0
        return min(NEVER if self._cc_at is None else self._cc_at, self.asks.due)

    def put(self, frame: OutFrame) -> None:
        """A frame is to be sent."""
        self.queues.queues[self._vc_of(frame.data)].append(frame)

    def next(self, now: int) -> OutFrame | None:
        """Takes the frame that is to be sent now: pauses first, then counts, then what waits."""
        if self.asks.ready(now):
            pause = self.asks.take(now)
            return OutFrame(pfc_frame(self.settings.address, *pause), CONTROL)
        if self._cc_at is not None and now >= self._cc_at:
            self._cc_wanted = True
            self._cc_at = now + self.settings.cc_period
        if self._cc_wanted:
            self._cc_wanted = False
            frame = self._cc_update()
            if frame is not None:
                return frame
        found = self.queues.take(now)
        if found is None:
            return None
        vc, frame = found
        cost = self.settings.peer.unit.credits(len(frame.data))
        if self._faults and self._faults.take(Fault.CHEAP) is not None:
            cost -= 1
        self.credits.consume(vc, cost)
        return frame

    def _cc_update(self) -> OutFrame | None:
        faults = self._faults
        if faults.take(Fault.NO_CC) is not None:
            return None
        more = faults.take(Fault.CC_COUNT) or 0
        consumed = list(self.credits.consumed)
        for vc in self.settings.channels:
            consumed[vc] = consumed[vc] + more & _COUNT
        self._cc_wanted = faults.take(Fault.CC_AGAIN) is not None
        self.cc_sent += 1
        return OutFrame(cc_update_frame(self.settings.address, consumed), CONTROL)

    def update(self, item: CreditUpdate) -> None:
        """A CF_Update was received."""
        self.credits.free(item.vc, item.freed)
        if item.second_vc != item.vc:
            self.credits.free(item.second_vc, item.second_freed)

    def accept(self, arrival: Arrival, now: int) -> bool:
        """A frame was accepted. False: it is a MAC Control frame and goes no further."""
        data = arrival.data
        if is_mac_control(data):
            item = decode(data)
            if isinstance(item, CreditCounts):
                self.cc_received += 1
                self.reports.counts(item.consumed)
            elif item is not None and (
                not self._faults or self._faults.take(Fault.NO_PAUSE) is None
            ):
                self.pauses.pause(item, now)
            return False
        if arrival.kind is FrameClass.GOOD:
            self.buffer.put(self._vc_of(data), arrival, now)
            self.asks.changed()
            self.reports.changed()
        return True

    def step(self, now: int) -> None:
        """Frames are read; call it when ``buffer.due`` has come."""
        self.buffer.step(now)
        self.asks.changed()
        self.reports.changed()

    def set_rate(self, rate: float, now: int, vc: int | None = None) -> None:
        """As `ReceiveBuffer.set_rate`."""
        self.buffer.set_rate(rate, now, vc)

    def restart(self) -> None:
        """Link-level retry begins anew: what was under way is lost."""
        self.credits.restart()
        self._cc_wanted = bool(self.settings.credited)
