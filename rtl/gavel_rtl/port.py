# SPDX-License-Identifier: Apache-2.0
"""One port: the ingress half from its receive pins, the egress half to its transmit pins."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTER_BITS, Counter
from gavel_rtl.block import connect, place
from gavel_rtl.control_transmitter import ControlTransmitter
from gavel_rtl.counters import COUNTER_NUMBER_BITS, FROZEN_BITS, Counters, CounterSelect
from gavel_rtl.egress import Egress
from gavel_rtl.flow_control import FlowControl
from gavel_rtl.flow_interfaces import FlowSelect
from gavel_rtl.ingress_buffer import IngressBuffer
from gavel_rtl.interfaces import (
    EgressWord,
    Match,
    PortSettings,
    RxLink,
    SwitchWord,
    TableWrite,
    TxLink,
)
from gavel_rtl.lib.delay import delayed
from gavel_rtl.link_rx import LinkRx
from gavel_rtl.link_tx import LinkTx
from gavel_rtl.llr_receiver import LlrReceiver
from gavel_rtl.llr_transmitter import LlrTransmitter
from gavel_rtl.lookup import Lookup
from gavel_rtl.parser import Parser
from gavel_rtl.port_registers import LLR_STATUS_BITS, REGISTER_BITS
from gavel_rtl.telemetry_interfaces import Observation

_WORD_TO_ROUTE = 2
_FIELDS_TO_ROUTE = 1
"""Cycles until Lookup answers, without pipeline options."""


class Port(wiring.Component):
    """Wiring of one port; no logic but the delays that bring a word and what is known of its
    frame together in cycle w.

    Parameters
    ----------
    config
        All of it.
    ready_known
        ``ready`` of the transmit pins is known a cycle ahead.
    telemetry
        It can be observed.

    Members
    -------
    rx, tx
        The pins.
    ready_next
        With ``ready_known``: ``tx.ready`` of the next cycle; after reset it is 1.
    settings, table
        From Registers.
    counter_select, counter
        Counter to read, and its value.
    llr_status
        Value of register LLR_STATUS.
    flow_select, flow_status
        Read-only register of flow control to read, and its value, 0 if none is.
    match, voq_ready, voq_next, ends
        To and from the Scheduler (cycle s).
    matched, vc_before
        A frame is matched to this output (cycle s); VC of the match of the cycle before, one-hot.
    hold, allow, allow_next, claim
        No frame may be matched to this output in this cycle; VCs that may send; a control frame is
        wanted or under way.
    idle
        A control frame may be taken in this cycle.
    connect, to_crossbar, from_crossbar
        Words in e-1 and e.
    reading, done, voq_shown
        With ``telemetry``: one-hot, the output that a word is read for in c, 0 if none is; it is
        the last of its frame; bit n, VOQ n is shown.
    shown, startable, sending
        With ``telemetry``: from Observer.
    observation
        With ``telemetry``: what is observed of the port.
    freeze, frozen_number, frozen
        With ``telemetry``: the counters are frozen, as of Counters.

    Cycle behaviour
    ---------------
    As docs/spec.md, Latency.
    """

    def __init__(self, config: SwitchConfig, *, ready_known: bool = False,
                 telemetry: bool = False):
        self._config = config
        self._ready_known = ready_known
        self._telemetry = telemetry
        vcs = config.vcs
        super().__init__({
            "rx": In(RxLink(config)),
            "tx": Out(TxLink(config)),
            **({"ready_next": In(1)} if ready_known else {}),
            "settings": In(PortSettings(config)),
            "table": In(TableWrite(config)),
            "counter_select": In(CounterSelect()),
            "counter": Out(COUNTER_BITS),
            "llr_status": Out(LLR_STATUS_BITS),
            "flow_select": In(FlowSelect(config)),
            "flow_status": Out(REGISTER_BITS),
            "match": In(Match(config)),
            "voq_ready": Out(config.voqs),
            "voq_next": Out(config.voqs),
            "ends": Out(1),
            "matched": In(1),
            "vc_before": In(vcs),
            "hold": Out(1),
            "allow": Out(vcs),
            "allow_next": Out(vcs),
            "claim": Out(1),
            "idle": In(1),
            "connect": Out(config.ports),
            "to_crossbar": Out(SwitchWord(config)),
            "from_crossbar": In(SwitchWord(config)),
        } | ({
            "reading": Out(config.ports),
            "done": Out(1),
            "voq_shown": Out(config.voqs),
            "shown": In(vcs),
            "startable": In(vcs),
            "sending": In(vcs),
            "observation": Out(Observation(config)),
            "freeze": In(1),
            "frozen_number": In(COUNTER_NUMBER_BITS),
            "frozen": Out(FROZEN_BITS),
        } if telemetry else {}))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        self._link_rx = place(m, "link_rx", LinkRx(config))
        self._llr_receiver = place(m, "llr_receiver", LlrReceiver(config))
        self._control_transmitter = place(m, "control_transmitter", ControlTransmitter(config))
        self._llr_transmitter = place(m, "llr_transmitter", LlrTransmitter(config))
        self._link_tx = place(m, "link_tx", LinkTx(config, ready_known=self._ready_known))
        self._flow_control = place(m, "flow_control", FlowControl(config))
        ingress_buffer = self._ingress(m)
        egress = self._egress(m)
        self._retry(m)
        self._flow(m, ingress_buffer)
        counters = place(m, "counters", Counters(config, with_snapshot=self._telemetry))
        connect(m, counters.select, self.counter_select)
        m.d.comb += [
            counters.events.count.eq(
                ingress_buffer.count | egress.events.count | self._link_rx.count
                | self._llr_receiver.count | self._control_transmitter.count
                | self._llr_transmitter.count | self._flow_control.count),
            counters.events.rx_bytes.eq(ingress_buffer.rx_bytes),
            counters.events.tx_bytes.eq(egress.events.tx_bytes),
            self.counter.eq(counters.value),
        ]
        if self._telemetry:
            m.d.comb += [
                counters.freeze.eq(self.freeze),
                counters.frozen_number.eq(self.frozen_number),
                self.frozen.eq(counters.frozen),
            ]
            self._observe(m, ingress_buffer, counters.events)
        return m

    def _ingress(self, m: Module) -> IngressBuffer:
        config, settings = self._config, self.settings
        link_rx, llr_receiver = self._link_rx, self._llr_receiver
        parser = place(m, "parser", Parser(config))
        lookup = place(m, "lookup", Lookup(config))
        ingress_buffer = place(m, "ingress_buffer", IngressBuffer(config))

        connect(m, link_rx.link, self.rx)
        connect(m, llr_receiver.i_verdict, link_rx.verdict)
        connect(m, parser.word, link_rx.word)
        connect(m, parser.settings, settings)
        connect(m, lookup.fields, parser.fields)
        connect(m, lookup.write, self.table)
        connect(m, ingress_buffer.route, lookup.route)
        connect(m, ingress_buffer.match, self.match)
        word_to_store = _WORD_TO_ROUTE + config.store_stages
        # What is known of a frame goes through the last register in IngressBuffer.
        fields_to_store = _FIELDS_TO_ROUTE + max(0, config.store_stages - 1)
        self._delay(m, ingress_buffer.word, link_rx.word, "word", word_to_store)
        self._delay(m, ingress_buffer.verdict, llr_receiver.o_verdict, "verdict",
                    fields_to_store - config.receive_stages)
        self._delay(m, ingress_buffer.fields, parser.fields, "fields", fields_to_store,
                    {"reason": config.parser_stages, "vc": config.parser_stages})
        m.d.comb += [
            link_rx.enable.eq(settings.enable),
            link_rx.coming_protect.eq(settings.llr.coming.protect),
            ingress_buffer.empty.eq(delayed(m, link_rx.empty, "empty", word_to_store)),
            *(getattr(ingress_buffer, name).eq(delayed(m, value, name, word_to_store - 1))
              for name, value in (
                  ("comes", link_rx.word.valid),
                  ("begins_coming", link_rx.word.valid & link_rx.word.sop),
                  ("ends_coming", link_rx.word.valid & link_rx.word.eop))),
            ingress_buffer.ecn_threshold.eq(settings.ecn_threshold),
            ingress_buffer.lossless.eq(settings.flow.receiver | settings.flow.pfc_transmit),
            self.voq_ready.eq(ingress_buffer.voq_ready),
            self.voq_next.eq(ingress_buffer.voq_next),
            self.ends.eq(ingress_buffer.ends),
            self.connect.eq(ingress_buffer.connect),
        ]
        m.d.comb += [ingress_buffer.vc_limit[vc].eq(limit)
                     for vc, limit in enumerate(settings.vc_limit)]
        connect(m, self.to_crossbar, ingress_buffer.out_word)
        return ingress_buffer

    def _egress(self, m: Module) -> Egress:
        link_tx, llr_transmitter = self._link_tx, self._llr_transmitter
        egress = place(m, "egress", Egress(self._config))
        connect(m, egress.i_word, self.from_crossbar)
        # Words of Egress and of control frames never come together, and are 0 when they do not.
        stages = self._config.egress_stages
        for name in EgressWord(self._config).members:
            edited, own = getattr(egress.o_word, name), getattr(self._flow_control.o_word, name)
            m.d.comb += getattr(llr_transmitter.i_word, name).eq(
                # Egress has registers of its own for these.
                edited | delayed(m, own, f"control_{name}", stages) if name == "data"
                else delayed(m, edited | own, f"edited_{name}", stages))
        connect(m, link_tx.word, llr_transmitter.o_word)
        outputs = [name for name, member in self.tx.signature.members.items()
                   if member.flow is Out]
        connect(m, self.tx, link_tx.link, outputs)
        m.d.comb += [
            link_tx.link.ready.eq(self.tx.ready),
            link_tx.link.ctl_ready.eq(self.tx.ctl_ready),
            link_tx.enable.eq(self.settings.enable),
            link_tx.ctl_load.eq(self._control_transmitter.load),
            link_tx.ctl.eq(self._control_transmitter.ctl),
            llr_transmitter.free.eq(link_tx.word_free),
            self.hold.eq(llr_transmitter.hold),
        ]
        if self._ready_known:
            m.d.comb += link_tx.ready_next.eq(self.ready_next)
        self._reserve(m)
        return egress

    def _reserve(self, m: Module) -> None:
        """Tells LlrTransmitter of matches and control frames."""
        taken = self._flow_control.taken
        matched = self.matched | taken
        if self._config.gate_stages > 1:
            # A cycle later it is known of registers of the scheduler.
            matched = self.vc_before.any() | delayed(m, taken, "taken_before", 1)
        m.d.comb += self._llr_transmitter.matched.eq(matched)

    def _retry(self, m: Module) -> None:
        """What goes between the receive and the transmit side."""
        link_rx, receiver = self._link_rx, self._llr_receiver
        control, transmitter = self._control_transmitter, self._llr_transmitter
        for part in (receiver, control, transmitter):
            connect(m, part.settings, self.settings.llr)
        connect(m, receiver.end, link_rx.end)
        connect(m, receiver.control, link_rx.control)
        connect(m, receiver.sent, control.sent)
        connect(m, transmitter.control, link_rx.control)
        connect(m, control.receiver, receiver.requests)
        connect(m, control.init, transmitter.init)
        m.d.comb += [
            transmitter.up.eq(link_rx.up),
            transmitter.init_sent.eq(control.sent.init),
            transmitter.init_waiting.eq(control.init_waiting),
            control.free.eq(self._link_tx.ctl_free),
            self.llr_status.eq(Cat(transmitter.state, Const(0, 1), receiver.state, Const(0, 2),
                                   transmitter.replays)),
        ]

    def _flow(self, m: Module, ingress_buffer: IngressBuffer) -> None:
        """Credits and PFC, beside all others."""
        flow, control, word = self._flow_control, self._control_transmitter, self.from_crossbar
        settings = self.settings
        connect(m, flow.settings, settings.flow)
        connect(m, flow.credits, self._link_rx.credits)
        connect(m, flow.counted, ingress_buffer.counted)
        connect(m, flow.freed, ingress_buffer.freed)
        connect(m, flow.i_word, ingress_buffer.word)
        connect(m, flow.select, self.flow_select)
        connect(m, control.credits, flow.request)
        m.d.comb += [
            flow.sent.eq(word.valid & word.sop),
            flow.sent_vc.eq(word.vc),
            flow.sent_length.eq(word.length),
            flow.retry_state.eq(self._llr_transmitter.state),
            flow.vc_before.eq(self.vc_before),
            flow.mac_control.eq(ingress_buffer.count[Counter.RX_MAC_CONTROL]
                                & ~delayed(m, ingress_buffer.verdict.poisoned, "poisoned",
                                           int(self._config.store_stages > 0))),
            flow.idle.eq(self.idle),
            flow.cf_sent.eq(control.cf_sent),
            control.cf_min.eq(settings.flow.coming.cf_min),
            control.cf_max.eq(settings.flow.coming.cf_max),
            self.allow.eq(flow.allow),
            self.allow_next.eq(flow.allow_next),
            self.claim.eq(flow.claim),
            self.flow_status.eq(flow.status),
        ]
        m.d.comb += [flow.vc_cells[vc].eq(cells)
                     for vc, cells in enumerate(ingress_buffer.vc_cells)]

    def _observe(self, m: Module, buffer: IngressBuffer, events: wiring.PureInterface) -> None:
        """What telemetry sees."""
        seen, flow, word = self.observation, self._flow_control, self.from_crossbar
        came, left, counted = buffer.enqueued, buffer.dequeued, buffer.counted
        m.d.comb += [
            seen.count.eq(events.count),
            seen.rx_bytes.eq(Mux(events.count[Counter.RX_FRAMES], events.rx_bytes, 0)),
            seen.tx_bytes.eq(events.tx_bytes),
            self.reading.eq(buffer.reading),
            self.done.eq(buffer.done),
            self.voq_shown.eq(buffer.shown),
            seen.up.eq(self._link_rx.up),
            seen.state.eq(self._llr_transmitter.state),
            seen.filed.eq(came.valid),
            seen.filed_voq.eq(came.voq),
            seen.filed_cell.eq(came.cell),
            seen.filed_cells.eq(came.cells),
            seen.filed_length.eq(counted.length),
            seen.dropped.eq(counted.valid & ~counted.filed),
            seen.dropped_vc.eq(counted.vc),
            seen.opened.eq(left.valid),
            seen.opened_voq.eq(left.voq),
            seen.opened_cell.eq(left.cell),
            seen.opened_cells.eq(left.cells),
            seen.sent.eq(word.valid & word.sop),
            seen.sent_vc.eq(word.vc),
            seen.sent_length.eq(word.length),
            seen.cells.eq(self._config.buffer_cells - buffer.free_cells),
            *(getattr(seen, name).eq(getattr(self, name))
              for name in ("shown", "startable", "sending", "claim", "hold")),
            seen.paused.eq(flow.paused),
            seen.no_credit.eq(flow.no_credit),
            seen.stopped.eq(flow.stopped),
        ]
        for vc, cells in enumerate(buffer.vc_cells):
            m.d.comb += [
                seen.vc_cells[vc].eq(cells),
                seen.credits_used[vc].eq(flow.used[vc]),
            ]

    @staticmethod
    def _delay(m: Module, target: wiring.PureInterface, source: wiring.PureInterface,
               name: str, cycles: int, later: Mapping[str, int] | None = None) -> None:
        """``later``: cycles by which a member of ``source`` comes later than the others."""
        for member in target.signature.members:
            value = Value.cast(getattr(source, member))
            m.d.comb += Value.cast(getattr(target, member)).eq(
                delayed(m, value, f"{name}_{member}", cycles - (later or {}).get(member, 0)))
