# SPDX-License-Identifier: Apache-2.0
"""Priority flow control of a link partner, in both directions."""

from __future__ import annotations

from gavel_model.mac_control import PFC_CLASSES, Pause
from gavel_model.register_map import QUANTUM_BITS
from gavel_tb.partner.flow_settings import FlowSettings
from gavel_tb.partner.misbehaviour import Fault, Switchboard
from gavel_tb.partner.receive_buffer import ReceiveBuffer
from gavel_tb.partner.settings import NEVER


class PauseReceiver:
    """Which VCs the other end has paused, and until when.

    Parameters
    ----------
    flow
        What was agreed.
    data_width
        Bits of a word.

    Attributes
    ----------
    received
        PFC frames.
    until
        Cycle, for each VC, from which on it may send.
    """

    def __init__(self, flow: FlowSettings, data_width: int) -> None:
        self._flow = flow
        self._quantum = QUANTUM_BITS // data_width
        self._class_until = [0] * PFC_CLASSES
        self.until = [0] * flow.vcs
        self.received = 0

    def pause(self, frame: Pause, now: int) -> None:
        """A PFC frame was received."""
        flow = self._flow
        self.received += 1
        for n, time in enumerate(frame.times):
            if frame.enabled >> n & 1:
                self._class_until[n] = now + time * self._quantum
        for vc in range(flow.vcs):
            if flow.pause_receive >> vc & 1:
                self.until[vc] = max(until for n, until in enumerate(self._class_until)
                                     if flow.classes(1 << vc) >> n & 1)


class PauseSender:
    """Asks for pauses by the fill of the own buffer.

    Parameters
    ----------
    flow
        What was agreed.
    data_width
        Bits of a word.
    buffer
        Whose fill decides.
    faults
        What is to go wrong.

    Attributes
    ----------
    paused
        Mask of the VCs for which a pause is asked.
    wanted
        A change is to be sent.
    sent
        PFC frames.
    """

    def __init__(
        self, flow: FlowSettings, data_width: int, buffer: ReceiveBuffer, faults: Switchboard
    ) -> None:
        self._flow = flow
        self._buffer = buffer
        self._faults = faults
        self._refresh = flow.pause_time * (QUANTUM_BITS // data_width) // 2
        self._again_at = NEVER
        self.paused = 0
        self.wanted = False
        self.sent = 0

    def changed(self) -> None:
        """The buffer's fill has changed."""
        flow, cells = self._flow, self._buffer.cells
        for vc in range(flow.vcs):
            bit = flow.pause_send & 1 << vc
            if not bit:
                continue
            if cells[vc] >= flow.xoff and not self.paused & bit:
                self.paused |= bit
                self.wanted = True
            elif cells[vc] <= flow.xon and self.paused & bit:
                self.paused &= ~bit
                self.wanted = True

    @property
    def due(self) -> int:
        """First cycle in which a PFC frame may be sent, if nothing changes."""
        if self.wanted:
            return 0
        return self._again_at if self.paused else NEVER

    def ready(self, now: int) -> bool:
        """Whether a PFC frame is to be sent in this cycle."""
        if self.wanted:
            return True
        if now < self._again_at or not self.paused:
            return False
        if self._faults.take(Fault.NO_REFRESH) is not None:
            self._again_at = now + self._refresh
            return False
        return True

    def take(self, now: int) -> Pause:
        """What is sent in this cycle."""
        flow = self._flow
        self.wanted = False
        self._again_at = now + self._refresh
        self.sent += 1
        paused = flow.classes(self.paused)
        times = tuple(flow.pause_time * (paused >> n & 1) for n in range(PFC_CLASSES))
        more = self._faults.take(Fault.PFC_SHAPE) or 0
        return Pause(flow.classes(flow.pause_send) | more, times)
