# SPDX-License-Identifier: Apache-2.0
"""One port: its blocks, its pipeline and its settings."""

from __future__ import annotations

from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.control_transmitter import ControlTransmitter
from gavel_model.counters import Counters
from gavel_model.egress import Egress
from gavel_model.flow_control import FlowControl
from gavel_model.ingress_buffer import IngressBuffer
from gavel_model.link_rx import CTL, EOP, EVENT_BITS, EVENT_MASK, STRAY, LinkRx
from gavel_model.link_tx import LinkTx
from gavel_model.llr_receiver import LlrReceiver
from gavel_model.llr_settings import LlrSettings
from gavel_model.llr_transmitter import LlrTransmitter
from gavel_model.lookup import NO_ROUTE, Lookup
from gavel_model.ordered_set import Kind, decode, decode_credits
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.parser import Parser
from gavel_model.pins import RxPins
from gavel_model.port_settings import PortSettings
from gavel_model.received_frame import Fcs, ReceivedFrame
from gavel_model.register_map import COUNTERS, Counter
from gavel_model.register_map import Port as Offset

_STRAY_WORDS = int(Counter.RX_STRAY_WORDS)
_CTL_OS = int(Counter.RX_CTL_OS)
_FCS = int(Counter.RX_FCS)
_NO_ROUTE = int(Counter.RX_NO_ROUTE)
_MAC_CONTROL = int(Counter.RX_MAC_CONTROL)
_COUNT_FOR_CREDITS = frozenset((0, int(Counter.RX_TTL), _NO_ROUTE, int(Counter.RX_VC_LIMIT),
                                int(Counter.RX_NO_BUFFER)))
"""Reasons of frames that are good as far as the link is concerned: the peer's credits count
them."""
_RARE = STRAY | CTL
_FROM_COUNT_TO_STORE = 2
"""Cycles from t+1 to w, without pipeline options."""

_RECEIVED = {
    Kind.ACK: Counter.LLR_RX_ACK_CTL_OS,
    Kind.NACK: Counter.LLR_RX_NACK_CTL_OS,
    Kind.INIT_ECHO: Counter.LLR_RX_INIT_ECHO_CTL_OS,
}
"""Counters of the ordered sets that `LlrTransmitter` takes."""

_STATUS_RECEIVER = 4
_STATUS_REPLAYS = 8


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
    llr_settings
        Settings of link-level retry, as visible in the cycle.
    flow_control
        Credits and pauses; ``flow_control.allow`` says which VCs may send.
    quiet
        Nothing is on its way from `LinkRx` to `IngressBuffer`, so that idle pins need no step.
    """

    __slots__ = (
        "_config", "_decided", "_esun_ethertype", "_lookup", "_parsed", "_pending",
        "_pending_mask", "_registers", "_to_store", "_to_verdict", "control_transmitter",
        "counters", "egress", "flow_control", "index", "ingress_buffer", "link_rx", "link_tx",
        "llr_receiver", "llr_settings", "llr_transmitter", "parser", "quiet",
    )

    def __init__(self, config: SwitchConfig, index: int, lookup: Lookup) -> None:
        self._config = config
        self._lookup = lookup
        self._to_verdict = EVENT_BITS * (1 + config.receive_stages)
        self._to_store = EVENT_BITS * (_FROM_COUNT_TO_STORE + config.store_stages)
        self._pending_mask = (1 << self._to_store + EVENT_BITS) - 1
        self.index = index
        self._registers = PortSettings(config, index)
        self.counters = counters = Counters()
        self.llr_settings = settings = LlrSettings(config)
        self.link_rx = LinkRx(config)
        self.llr_receiver = LlrReceiver(config, settings, counters)
        self.parser = Parser(config)
        self.ingress_buffer = IngressBuffer(config, index, counters)
        self.flow_control = FlowControl(config, counters, self.ingress_buffer)
        self.egress = Egress(config, counters)
        self.link_tx = LinkTx()
        self.llr_transmitter = LlrTransmitter(config, settings, counters, self.link_tx)
        self.llr_transmitter.on_advance = self.flow_control.retry_advances
        self.control_transmitter = ControlTransmitter(
            config, settings, counters, self.llr_receiver, self.llr_transmitter, self.link_tx,
            self.flow_control.credit_receiver,
        )
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._registers.reset()
        self.counters.reset()
        self.link_rx.reset()
        self.llr_receiver.reset()
        self.ingress_buffer.reset()
        self.flow_control.reset(self.settings)
        self.link_tx.reset()
        self.llr_transmitter.reset()
        self.control_transmitter.reset()
        # Events of the cycles up to w, the latest in the low bits.
        self._pending = 0
        self._parsed: deque[ReceivedFrame] = deque()
        self._decided: deque[ReceivedFrame] = deque()
        self._esun_ethertype = self._config.esun_ethertype
        self._apply_settings()

    @property
    def settings(self) -> dict[int, int]:
        """Values of the port's registers by offset, as visible in the cycle."""
        return self._registers.values

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
                    or self.llr_transmitter.state or self.link_tx.ctl is not None
                    or self.control_transmitter.chosen is not None)

    @property
    def talking(self) -> bool:
        """`ControlTransmitter` may have something to send."""
        return self.retrying or bool(self.flow_control.settings.receiver)

    def read(self, offset: int) -> int:
        """Register at an offset, as visible in the cycle; 0 if there is none."""
        settings = self.settings
        if offset in settings:
            return settings[offset]
        if Offset.COUNTERS <= offset < Offset.COUNTERS + COUNTERS:
            return self.counters[offset - Offset.COUNTERS]
        if offset == Offset.LLR_STATUS:
            return self.status
        return self.flow_control.read(offset)

    def write(self, offset: int, value: int) -> None:
        """Writes a register, if there is one at the offset.

        `before_write` was called in the first part of the cycle.
        """
        if self._registers.write(offset, value):
            self._apply_settings()

    def before_write(self) -> None:
        """First part of a cycle at whose end a register may be written."""
        self.flow_control.before_write()

    def expect_esun(self, ethertype: int) -> None:
        """Register ``ESUN_ETHERTYPE``, visible from the next cycle on."""
        self._esun_ethertype = ethertype
        self._configure_parser()

    def _configure_parser(self) -> None:
        settings = self.settings
        self.parser.configure(settings[Offset.PROFILE], settings[Offset.VC_MAP],
                              self._registers.vc_match(), self._esun_ethertype)

    def _apply_settings(self) -> None:
        """Makes the settings those that the blocks use from the next cycle on."""
        settings = self.settings
        self.link_rx.enabled = bool(settings[Offset.CONTROL])
        self.quiet = False
        self._configure_parser()
        self.ingress_buffer.ecn_threshold = settings[Offset.ECN_THRESHOLD]
        self.llr_settings.load(settings)
        self.llr_transmitter.settings_changed()
        self.flow_control.configured = bool(self._config.gate_stages
                                            or self._registers.flow_control)
        self.flow_control.settings_changed(settings)

    def send_control(self, now: int, ready: int) -> None:
        """First part of a cycle with link-level retry: `ControlTransmitter`, and what `LlrReceiver`
        does whether a frame has ended or not."""
        sent = self.control_transmitter.step(now, ready)
        if sent is Kind.INIT:
            self.llr_transmitter.handshake.first = False
        self.llr_receiver.begin(sent)

    def receive(self, pins: RxPins, now: int) -> ReceivedFrame | None:
        """One cycle from the receive pins to the buffer; returns a good frame that ends, if any.

        It is to be filed if its reason is 0.

        A word that is on the pins in cycle t is counted in t+1, the header of its frame read in
        t+2, the frame decided in r = t + 2 + ``receive_stages``, and it is written in
        w = r + 1 + ``ingress_stages``.
        """
        pending = self._pending
        event = pending >> self._to_store
        frame = self.ingress_buffer.write(event, self._decided, now) if event else None
        if frame is not None and frame.reason:
            if frame.reason == _MAC_CONTROL and not frame.poisoned:
                self.flow_control.receiver.receive(frame.data, now)
            if frame.reason not in _COUNT_FOR_CREDITS:
                frame = None
        event = pending >> EVENT_BITS & EVENT_MASK
        if event & EOP:
            self._read_header()
        event = pending >> self._to_verdict & EVENT_MASK
        if event & EOP:
            self._decide()
        if event & CTL:
            self._take_ordered_set()
        event = pending & EVENT_MASK
        if event & _RARE:
            if event & STRAY:
                self.counters.add(_STRAY_WORDS, 1)
            if event & CTL:
                self.counters.add(_CTL_OS, 1)
        link_rx = self.link_rx
        pending = (pending << EVENT_BITS | link_rx.step(pins)) & self._pending_mask
        self._pending = pending
        self.quiet = not pending and link_rx.up == link_rx.enabled
        return frame

    def _read_header(self) -> None:
        """`Parser` and `Lookup` for the frame whose last word was on the pins two cycles ago, if it
        may turn out to be one that goes on: with a poisoned FCS it may."""
        frame = self.link_rx.ended.popleft()
        self._parsed.append(frame)
        found = frame.reason
        if found and (found != _FCS or frame.fcs is not Fcs.POISONED):
            return
        frame.reason = 0
        self.parser.parse(frame)
        if not frame.reason:
            frame.output = self._lookup.route(frame.destination, frame.is_address)
            if frame.output == NO_ROUTE:
                frame.reason = _NO_ROUTE
        frame.refusal, frame.reason = frame.reason, found

    def _decide(self) -> None:
        """`LlrReceiver` in r; after what it says comes what its header says."""
        frame = self._parsed.popleft()
        self.llr_receiver.receive(frame)
        if not frame.reason:
            frame.reason = frame.refusal
        self._decided.append(frame)

    def _take_ordered_set(self) -> None:
        """The ordered set of r takes effect."""
        ctl = self.link_rx.ordered_sets.popleft()
        settings = self.llr_settings
        item = decode(ctl, settings.protect, self._config.seq_bits)
        if item is None:
            update = decode_credits(ctl, settings.protect)
            if update is not None:
                self.flow_control.credit_sender.update(update)
            elif settings.local or settings.remote:
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
