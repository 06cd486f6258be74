# SPDX-License-Identifier: Apache-2.0
"""One port: its blocks, its pipeline and its settings."""

from __future__ import annotations

from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.control_transmitter import ControlTransmitter
from gavel_model.counters import Counters
from gavel_model.egress import Egress
from gavel_model.ingress_buffer import IngressBuffer
from gavel_model.link_rx import CTL, EOP, STRAY, LinkRx
from gavel_model.link_tx import LinkTx
from gavel_model.llr_receiver import LlrReceiver
from gavel_model.llr_settings import WRITABLE_BITS, LlrSettings, reset_values, stored
from gavel_model.llr_transmitter import LlrTransmitter
from gavel_model.lookup import NO_ROUTE, Lookup
from gavel_model.ordered_set import Kind, decode
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.parser import Parser
from gavel_model.pins import RxPins
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.received_frame import ReceivedFrame
from gavel_model.register_map import Counter, vc_map_reset
from gavel_model.register_map import Port as Offset

_STRAY_WORDS = int(Counter.RX_STRAY_WORDS)
_CTL_OS = int(Counter.RX_CTL_OS)
_NO_ROUTE = int(Counter.RX_NO_ROUTE)
_RARE = STRAY | CTL
_RECEIVED = {
    Kind.ACK: Counter.LLR_RX_ACK_CTL_OS,
    Kind.NACK: Counter.LLR_RX_NACK_CTL_OS,
    Kind.INIT_ECHO: Counter.LLR_RX_INIT_ECHO_CTL_OS,
}
"""Counters of the ordered sets that `LlrTransmitter` takes."""

_STATUS_RECEIVER = 4
_STATUS_REPLAYS = 8

_WRITABLE = {
    Offset.CONTROL: 0x1,
    Offset.PROFILE: 0x7,
    Offset.VC_MAP: 0xFFFFFFFF,
    Offset.ECN_THRESHOLD: 0xFFFF,
}


class Port:
    """Blocks of a port and the registers between them.

    Attributes
    ----------
    index
        Number of the port.
    counters
        Counters, indexed by `gavel_model.register_map.Counter`.
    ingress_buffer
        Cell pool and VOQs.
    settings, llr_settings
        Values of the port's registers by offset, as visible in the cycle; those of link-level
        retry by name.
    quiet
        Nothing is on its way from `LinkRx` to `IngressBuffer`, so that idle pins need no step.
    """

    __slots__ = (
        "_config", "_decided", "_lookup", "_stage1", "_stage2", "_stage3", "control_transmitter",
        "counters", "egress", "index", "ingress_buffer", "link_rx", "link_tx", "llr_receiver",
        "llr_settings", "llr_transmitter", "parser", "quiet", "settings",
    )

    def __init__(self, config: SwitchConfig, index: int, lookup: Lookup) -> None:
        self._config = config
        self._lookup = lookup
        self.index = index
        self.counters = counters = Counters()
        self.llr_settings = settings = LlrSettings(config)
        self.link_rx = LinkRx(config)
        self.llr_receiver = LlrReceiver(config, settings, counters)
        self.parser = Parser(config)
        self.ingress_buffer = IngressBuffer(config, index, counters)
        self.egress = Egress(config, counters)
        self.link_tx = LinkTx()
        self.llr_transmitter = LlrTransmitter(config, settings, counters, self.link_tx)
        self.control_transmitter = ControlTransmitter(
            config, settings, counters, self.llr_receiver, self.llr_transmitter, self.link_tx
        )
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        config = self._config
        self.counters.reset()
        self.link_rx.reset()
        self.llr_receiver.reset()
        self.ingress_buffer.reset()
        self.link_tx.reset()
        self.llr_transmitter.reset()
        self.control_transmitter.reset()
        self._stage1 = self._stage2 = self._stage3 = 0
        self._decided: deque[ReceivedFrame] = deque()
        self.settings: dict[int, int] = {
            Offset.CONTROL: 1,
            Offset.PROFILE: PROFILE_NAMES.index(config.profile),
            Offset.VC_MAP: vc_map_reset(config),
            Offset.ECN_THRESHOLD: config.ecn_threshold,
            **reset_values(config),
        }
        self.apply_settings(config.esun_ethertype)

    @property
    def enabled(self) -> int:
        """Bit 0 of ``CONTROL`` as visible in the cycle."""
        return self.settings[Offset.CONTROL]

    @property
    def voq_frames(self) -> list[int]:
        """Filed frames of each VOQ."""
        return self.ingress_buffer.voq_frames

    @property
    def occupied_cells(self) -> int:
        """Cells in use in the ingress buffer."""
        return self._config.buffer_cells - self.ingress_buffer.free

    @property
    def status(self) -> int:
        """Register ``LLR_STATUS`` as visible in the cycle."""
        transmitter = self.llr_transmitter
        return (transmitter.state | self.llr_receiver.state << _STATUS_RECEIVER
                | transmitter.replays << _STATUS_REPLAYS)

    @property
    def retrying(self) -> bool:
        """Link-level retry is on in one of the directions, or not yet off."""
        settings = self.llr_settings
        return bool(settings.local or settings.remote or self.llr_receiver.state
                    or self.llr_transmitter.state or self.link_tx.ctl is not None)

    def write_setting(self, offset: int, value: int) -> bool:
        """Writes a register of the port; returns whether there is one at the offset."""
        if offset in WRITABLE_BITS:
            self.settings[offset] = stored(self._config, offset, value)
            return True
        mask = _WRITABLE.get(Offset(offset)) if offset in self.settings else None
        if mask is None:
            return False
        self.settings[offset] = value & mask
        return True

    def apply_settings(self, esun_ethertype: int) -> None:
        """Makes the settings those that the blocks use from the next cycle on."""
        settings = self.settings
        self.link_rx.enabled = bool(settings[Offset.CONTROL])
        self.quiet = False
        self.parser.configure(settings[Offset.PROFILE], settings[Offset.VC_MAP], esun_ethertype)
        self.ingress_buffer.ecn_threshold = settings[Offset.ECN_THRESHOLD]
        self.llr_settings.load(settings)
        self.llr_transmitter.settings_changed()

    def send_control(self, now: int, ready: int) -> None:
        """First part of a cycle with link-level retry: `ControlTransmitter`, and what `LlrReceiver`
        does whether a frame has ended or not."""
        sent = self.control_transmitter.step(now, ready)
        if sent is Kind.INIT:
            self.llr_transmitter.handshake.first = False
        self.llr_receiver.begin(sent)

    def receive(self, pins: RxPins) -> ReceivedFrame | None:
        """One cycle from the receive pins to the buffer; returns a frame to be filed, if any.

        A word that is on the pins in cycle t is in stage 1 in t+1, in stage 2 in t+2 and
        written in t+3.
        """
        event = self._stage3
        frame = self.ingress_buffer.write(event, self._decided) if event else None
        event = self._stage3 = self._stage2
        if event & EOP:
            self._decide()
        if event & CTL:
            self._take_ordered_set()
        active = event
        event = self._stage2 = self._stage1
        if event & _RARE:
            if event & STRAY:
                self.counters.add(_STRAY_WORDS, 1)
            if event & CTL:
                self.counters.add(_CTL_OS, 1)
        active |= event
        link_rx = self.link_rx
        event = self._stage1 = link_rx.step(pins)
        self.quiet = not (active | event) and link_rx.up == link_rx.enabled
        return frame

    def _decide(self) -> None:
        """`LlrReceiver`, `Parser` and `Lookup` for the frame whose last word is in stage 2."""
        frame = self.link_rx.ended.popleft()
        self.llr_receiver.receive(frame)
        if not frame.reason:
            self.parser.parse(frame)
            if not frame.reason:
                frame.output = self._lookup.route(frame.destination, frame.is_address)
                if frame.output == NO_ROUTE:
                    frame.reason = _NO_ROUTE
        self._decided.append(frame)

    def _take_ordered_set(self) -> None:
        """The ordered set in stage 2 takes effect."""
        ctl = self.link_rx.ordered_sets.popleft()
        settings = self.llr_settings
        item = decode(ctl, settings.protect, self._config.seq_bits)
        if item is None:
            if settings.local or settings.remote:
                self.counters.add(Counter.LLR_RX_CTL_UNKNOWN, 1)
        elif item.kind is Kind.INIT:
            self.llr_receiver.initialise(item)
        else:
            if settings.remote:
                self.counters.add(_RECEIVED[item.kind], 1)
            self.llr_transmitter.take(item)

    def edit(self, frame: ReceivedFrame, mark: bool) -> OutgoingFrame:
        """A frame as it leaves by this port."""
        return self.egress.edit(frame, mark)
