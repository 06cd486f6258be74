# SPDX-License-Identifier: Apache-2.0
"""Credits and pauses of one port (docs/flow_control.md)."""

from __future__ import annotations

from collections.abc import Mapping

from gavel_model.alarm import NEVER, Alarm
from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.credit_receiver import CreditReceiver
from gavel_model.credit_sender import CreditSender
from gavel_model.flow_settings import FlowSettings
from gavel_model.ingress_buffer import IngressBuffer
from gavel_model.late_credit_receiver import LateCreditReceiver
from gavel_model.late_credit_sender import LateCreditSender
from gavel_model.mac_control_receiver import MacControlReceiver
from gavel_model.mac_control_transmitter import MacControlTransmitter
from gavel_model.pause_receiver import PauseReceiver
from gavel_model.pause_sender import PauseSender
from gavel_model.probes import PAUSE_BITS
from gavel_model.received_frame import ReceivedFrame
from gavel_model.register_map import CbfcStatus, Port

_PAUSED = 0
_XOFF = 1


class FlowControl:
    """What the peer lets this port send, and what this port lets the peer send.

    Events of a cycle go to the blocks as they come. `step` does the rest, after `Egress` and
    before frames are filed; it may be left out in cycles in which ``alarm`` asks for none.

    Attributes
    ----------
    allow
        Mask, bit v = VC v may send in the cycle; after `step` in the next one.
    stopped, paused, no_credit
        VCs that may not, by reason, likewise.
    alarm
        When `step` is due.
    settings
        Settings of flow control, as visible in the cycle.
    pause_packed
        Probe point ``pause``.
    configured
        A setting has been written since reset. Before that no step is needed, but with
        ``gate_stages`` > 0, where what comes counts later.
    credit_sender, credit_receiver, pause_sender, pause_receiver, receiver, transmitter
        The blocks; the last two are those of MAC Control frames.
    """

    __slots__ = (
        "_advance_at", "_buffer", "_everything", "_held", "_held_back", "_late", "_now", "_vcs",
        "alarm", "allow", "configured", "credit_receiver", "credit_sender", "no_credit",
        "pause_packed", "pause_receiver", "pause_sender", "paused", "receiver", "settings",
        "stopped", "transmitter",
    )

    def __init__(self, config: SwitchConfig, counters: Counters, buffer: IngressBuffer) -> None:
        self._everything = (1 << config.vcs) - 1
        self._vcs = config.vcs
        self._buffer = buffer
        self.alarm = alarm = Alarm()
        self.settings = settings = FlowSettings(config)
        self._late = bool(config.gate_stages)
        self._held_back = config.gate_stages > 1
        sender = LateCreditSender if self._late else CreditSender
        self.credit_sender = sender(config, settings, counters, alarm)
        receiver = LateCreditReceiver if self._held_back else CreditReceiver
        self.credit_receiver = receiver(config, settings, counters, alarm)
        self.pause_receiver = PauseReceiver(config, settings, counters, alarm)
        self.pause_sender = PauseSender(config, settings, alarm)
        self.receiver = MacControlReceiver(self.credit_receiver, self.pause_receiver)
        self.transmitter = MacControlTransmitter(
            config, settings, counters, alarm, self.credit_sender, self.pause_sender
        )
        self._reset()

    def reset(self, registers: Mapping[int, int]) -> None:
        """Reset values; ``registers`` are those of the settings."""
        self.settings.load(registers)
        self.alarm.reset()
        self.credit_sender.reset()
        self.credit_receiver.reset()
        self.pause_receiver.reset()
        self.pause_sender.reset()
        self.transmitter.reset()
        self._reset()

    def _reset(self) -> None:
        self.allow = self._everything
        self.stopped = self.paused = self.no_credit = 0
        # Of the cycle after the next, with two stages.
        self._held = 0, 0, 0
        self.pause_packed = 0
        self.configured = self._late
        self._now = 0
        self._advance_at = -1

    def before_write(self) -> None:
        """First part of a cycle at whose end settings may change. `step` is needed in it."""
        self.credit_sender.before_write()
        self.credit_receiver.before_write()
        self.alarm.now = True

    def retry_advances(self, now: int) -> None:
        """`LlrTransmitter` goes from INIT to ADVANCE at the end of cycle ``now``."""
        self._advance_at = now + 1
        self.alarm.by(now + 1)

    def step(self, now: int) -> None:
        """The work of cycle ``now`` on what is visible in it; ``allow`` is that of the next."""
        self._now = now
        alarm = self.alarm
        alarm.now = False
        visible = self._visible()
        vc_cells = self._buffer.vc_cells
        advances = now == self._advance_at and self.settings.resync
        transmitter = self.transmitter
        transmitter.build(now)
        self.credit_receiver.step(now, vc_cells)
        self.credit_sender.step(now, advances)
        self.pause_receiver.step(now)
        self.pause_sender.step(now, vc_cells, transmitter.taken_pause)
        transmitter.step(now, advances)
        after = self._visible()
        self._permit(*(visible if self._late else after))
        if self._late and after != visible:
            alarm.now = True
        alarm.at = min(
            self.credit_receiver.wake_at(now), self.pause_receiver.wake_at(now),
            self.pause_sender.wake_at(now), transmitter.wake_at(now),
            self._advance_at if self._advance_at > now else NEVER,
        )

    def drain(self, frame: ReceivedFrame, now: int) -> None:
        """Last part of a cycle: the last word of a frame was read in the cycle before."""
        vc = frame.vc
        self._buffer.drained(frame, now)
        cells = self._buffer.vc_cells[vc]
        self.credit_receiver.free(vc, frame.length, cells, now)
        if self.settings.pfc_transmit:
            self.pause_sender.look(vc, cells)

    def filled(self, vc: int) -> None:
        """Last part of a cycle: a frame of a VC is filed in it."""
        if self.settings.pfc_transmit:
            self.pause_sender.look(vc, self._buffer.vc_cells[vc])

    def settings_changed(self, registers: Mapping[int, int]) -> None:
        """New settings are visible from the next cycle on; the cycle is stepped."""
        settings = self.settings
        settings.load(registers)
        self._buffer.limit_vcs(settings.vc_limits, self._now)
        self._buffer.lossless = settings.receiver | settings.pfc_transmit
        self.credit_sender.settings_changed(self._now)
        self.credit_receiver.settings_changed(self._now)
        self.pause_receiver.settings_changed(self._now)
        if not self._late:
            self._permit(*self._visible())
        self._pack_pauses()
        self.alarm.now = True

    def _visible(self) -> tuple[int, int, int]:
        """VCs that are stopped, paused, and waiting for a count."""
        return self.settings.stop, self.pause_receiver.paused, self.credit_sender.waiting

    def _permit(self, stopped: int, paused: int, waiting: int) -> None:
        """``allow`` of the next cycle, or with two stages of the one after it."""
        held = stopped, paused, self.settings.sender & (waiting | ~self.credit_sender.fits)
        if self._held_back:
            held, self._held = self._held, held
            if held != self._held:
                self.alarm.now = True
        self.stopped, self.paused, self.no_credit = held
        self.allow = self._everything & ~(self.stopped | self.paused | self.no_credit)
        self._pack_pauses()

    def _pack_pauses(self) -> None:
        paused, xoff = self.pause_receiver.paused, self.pause_sender.xoff
        self.pause_packed = 0 if not paused | xoff else sum(
            ((paused >> vc & 1) << _PAUSED | (xoff >> vc & 1) << _XOFF) << PAUSE_BITS * vc
            for vc in range(self._vcs)
        )

    def read(self, offset: int) -> int:
        """Read-only register at an offset, as visible in the cycle; 0 if there is none."""
        if offset == Port.CBFC_STATUS:
            return self.status
        sender, receiver = self.credit_sender, self.credit_receiver
        for base, value in (
            (Port.CBFC_S_CC, sender.consumed.__getitem__), (Port.CBFC_S_CF, sender.freed),
            (Port.CBFC_R_CC, receiver.consumed.__getitem__), (Port.CBFC_R_CF, receiver.freed),
            (Port.VC_CELLS, self._buffer.vc_cells.__getitem__),
        ):
            if base <= offset < base + self._vcs:
                return value(offset - base)
        return 0

    @property
    def status(self) -> int:
        """Register ``CBFC_STATUS`` as visible in the cycle."""
        return (self.credit_sender.waiting << CbfcStatus.WAITING
                | self.pause_receiver.paused << CbfcStatus.PAUSED
                | self.pause_sender.xoff << CbfcStatus.XOFF)

