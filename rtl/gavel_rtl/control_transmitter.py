# SPDX-License-Identifier: Apache-2.0
"""Chooses the ordered set to be sent, and keeps the distance between sets."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import CF_SPACING_BITS, SwitchConfig
from gavel_model.ordered_set import Kind
from gavel_model.pins import CTL_BITS
from gavel_model.register_map import COUNTERS, SPACING_BITS, Counter
from gavel_rtl.block import connect, place
from gavel_rtl.flow_interfaces import CreditRequest
from gavel_rtl.llr_interfaces import ControlSent, InitRequest, LlrSettings, ReceiverRequests
from gavel_rtl.ordered_set import OrderedSetWriter

_FARTHEST = (1 << SPACING_BITS) - 1
_INIT_SPACINGS = 4
"""An INIT is repeated after so many spacings of ACKs."""


class ControlTransmitter(wiring.Component):
    """Loads the ordered-set register of LinkTx (docs/llr.md, ControlTransmitter;
    docs/flow_control.md, Receiver).

    Parameters
    ----------
    config
        W, S.

    Members
    -------
    settings
        Registers as visible in the cycle.
    receiver, init
        Requests of LlrReceiver and LlrTransmitter.
    credits, cf_min, cf_max
        Request of FlowControl, and its distances: with something pending, and without.
    free
        The register of LinkTx is empty, or taken in this cycle.
    load, ctl
        An ordered set goes into that register; 0 without one.
    sent, cf_sent
        Which it is; CF_Update with ``cf_sent``.
    init_waiting
        The register of LinkTx holds an INIT.
    count
        Counter events.

    Cycle behaviour
    ---------------
    Combinational from requests and ``free`` to ``load``. Of several requests the first of ECHO,
    INIT, NACK that may be sent is, and then ACK or CF_Update in turn. After reset every distance
    is the greatest, and ACK goes first.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(LlrSettings(config)),
            "receiver": In(ReceiverRequests(config)),
            "init": In(InitRequest(config)),
            "credits": In(CreditRequest()),
            "cf_min": In(SPACING_BITS),
            "cf_max": In(CF_SPACING_BITS),
            "free": In(1),
            "load": Out(1),
            "ctl": Out(CTL_BITS),
            "sent": Out(ControlSent()),
            "cf_sent": Out(1),
            "init_waiting": Out(1),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        settings, receiver, init, sent = self.settings, self.receiver, self.init, self.sent
        since = self._distance(m, "since", self.load)
        since_ack = self._distance(m, "since_ack", sent.ack | sent.nack)
        since_init = self._distance(m, "since_init", sent.init)

        may_load, init_due, ack_wanted, ack_due = Signal(), Signal(), Signal(), Signal()
        cf_due = self._credits_due(m)
        ack_was_last = Signal()
        init_spacing = Signal(SPACING_BITS)
        shift = _INIT_SPACINGS.bit_length() - 1
        m.d.comb += [
            may_load.eq(self.free & self._reaches(since, settings.min_spacing)),
            init_spacing.eq(Mux(settings.spacing[SPACING_BITS - shift:].any(), _FARTHEST,
                                Cat(Const(0, shift), settings.spacing))),
            init_due.eq(init.request & (init.first | self._reaches(since_init, init_spacing))),
            ack_wanted.eq(receiver.ack & self._reaches(since_ack, settings.spacing)),
            ack_due.eq(ack_wanted & ~(cf_due & ack_was_last)),
        ]
        with m.If(self.free):
            m.d.sync += self.init_waiting.eq(sent.init)
        with m.If(sent.ack | self.cf_sent):
            m.d.sync += ack_was_last.eq(sent.ack)
        writer = place(m, "ordered_set_writer", OrderedSetWriter())
        with m.If(may_load):
            with m.If(receiver.echo):
                m.d.comb += sent.echo.eq(1)
            with m.Elif(init_due):
                m.d.comb += sent.init.eq(1)
            with m.Elif(receiver.nack):
                m.d.comb += sent.nack.eq(1)
            with m.Elif(ack_due):
                m.d.comb += sent.ack.eq(1)
            with m.Elif(cf_due):
                m.d.comb += self.cf_sent.eq(1)
        # What is not loaded is not looked at: the choice need not wait for the distances.
        with m.If(receiver.echo):
            m.d.comb += [writer.kind.eq(Kind.INIT_ECHO), writer.value.eq(receiver.echo_seq),
                         writer.data.eq(receiver.echo_data)]
        with m.Elif(init_due):
            m.d.comb += [writer.kind.eq(Kind.INIT), writer.value.eq(init.seq),
                         writer.data.eq(init.data)]
        with m.Else():
            m.d.comb += [writer.kind.eq(Mux(receiver.nack, Kind.NACK, Kind.ACK)),
                         writer.value.eq(receiver.ack_seq)]
        connect(m, writer.credits, self.credits, writer.credits.signature.members)
        m.d.comb += [
            writer.protect.eq(settings.protect),
            writer.is_credits.eq(~(receiver.echo | init_due | receiver.nack | ack_due)),
            self.load.eq(sent.echo | sent.init | sent.nack | sent.ack | self.cf_sent),
            self.ctl.eq(Mux(self.load, writer.ctl, 0)),
            self.count[Counter.LLR_TX_INIT_ECHO_CTL_OS].eq(sent.echo),
            self.count[Counter.LLR_TX_INIT_CTL_OS].eq(sent.init),
            self.count[Counter.LLR_TX_NACK_CTL_OS].eq(sent.nack),
            self.count[Counter.LLR_TX_ACK_CTL_OS].eq(sent.ack),
            self.count[Counter.CBFC_TX_CF_UPDATE].eq(self.cf_sent),
        ]
        return m

    def _credits_due(self, m: Module) -> Signal:
        """Whether a CF_Update is far enough from the one before."""
        since_cf = self._distance(m, "since_cf", self.cf_sent, CF_SPACING_BITS)
        cf_due = Signal()
        m.d.comb += cf_due.eq(self.credits.enabled & (
            (self.credits.pending & self._reaches(since_cf, self.cf_min))
            | self._reaches(since_cf, self.cf_max)))
        return cf_due

    def _distance(self, m: Module, name: str, restart: Value,
                  bits: int = SPACING_BITS) -> Signal:
        """Words of line time since ``restart``; the highest bit: as many bytes as ``bits`` hold."""
        bits -= self._config.empty_bits
        distance = Signal(bits + 1, init=1 << bits, name=name)
        with m.If(restart):
            m.d.sync += distance.eq(0)
        with m.Elif(~distance[-1]):
            m.d.sync += distance.eq(distance + 1)
        return distance

    def _reaches(self, distance: Signal, spacing: Value) -> Value:
        """Whether a `_distance` is at least ``spacing`` bytes, which are not more than it holds."""
        whole_words = Cat(Const(0, self._config.empty_bits), distance[:-1])
        return distance[-1] | (whole_words >= spacing)
