# SPDX-License-Identifier: Apache-2.0
"""One port: the ingress half from its receive pins, the egress half to its transmit pins."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTER_BITS, COUNTERS, Counter
from gavel_rtl.block import connect, place
from gavel_rtl.counters import Counters
from gavel_rtl.egress import Egress
from gavel_rtl.ingress_buffer import IngressBuffer
from gavel_rtl.interfaces import (
    Match,
    PortSettings,
    RxLink,
    SwitchWord,
    TableWrite,
    TxLink,
)
from gavel_rtl.link_rx import LinkRx
from gavel_rtl.link_tx import LinkTx
from gavel_rtl.llr_receiver import LlrReceiver
from gavel_rtl.llr_transmitter import LlrTransmitter
from gavel_rtl.lookup import Lookup
from gavel_rtl.parser import Parser

_WORD_TO_STORE = 2
_VERDICT_TO_STORE = 1


class Port(wiring.Component):
    """Wiring of one port; no logic but the delays that bring a word and what is known of its
    frame together in cycle w = t+3.

    Parameters
    ----------
    config
        All of it.

    Members
    -------
    rx, tx
        The pins.
    settings, table
        From Registers.
    counter_select, counter
        Counter to read, and its value.
    match, voq_ready, done
        To and from the Scheduler (cycle s).
    hold
        P bits: holds of all outputs.
    tx_hold
        This port's hold.
    connect, to_crossbar, from_crossbar
        Words in c+1 and c+2.
    mac_control
        A MAC Control frame was consumed in this cycle.

    Cycle behaviour
    ---------------
    As docs/spec.md, Latency.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "rx": In(RxLink(config)),
            "tx": Out(TxLink(config)),
            "settings": In(PortSettings(config)),
            "table": In(TableWrite(config)),
            "counter_select": In(COUNTERS),
            "counter": Out(COUNTER_BITS),
            "match": In(Match(config)),
            "voq_ready": Out(config.voqs),
            "done": Out(1),
            "hold": In(config.ports),
            "tx_hold": Out(1),
            "connect": Out(config.ports),
            "to_crossbar": Out(SwitchWord(config)),
            "from_crossbar": In(SwitchWord(config)),
            "mac_control": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ingress_buffer = self._ingress(m)
        egress = self._egress(m)
        counters = place(m, "counters", Counters(self._config))
        m.d.comb += [
            counters.events.count.eq(
                ingress_buffer.count | egress.events.count | self._link_events),
            counters.events.rx_bytes.eq(ingress_buffer.rx_bytes),
            counters.events.tx_bytes.eq(egress.events.tx_bytes),
            counters.select.eq(self.counter_select),
            self.counter.eq(counters.value),
            self.mac_control.eq(ingress_buffer.count[Counter.RX_MAC_CONTROL]),
        ]
        return m

    def _ingress(self, m: Module) -> IngressBuffer:
        config, settings = self._config, self.settings
        link_rx = place(m, "link_rx", LinkRx(config))
        llr_receiver = place(m, "llr_receiver", LlrReceiver(config))
        parser = place(m, "parser", Parser(config))
        lookup = place(m, "lookup", Lookup(config))
        ingress_buffer = place(m, "ingress_buffer", IngressBuffer(config))

        connect(m, link_rx.link, self.rx)
        connect(m, llr_receiver.i_word, link_rx.word)
        connect(m, llr_receiver.i_verdict, link_rx.verdict)
        connect(m, parser.word, llr_receiver.o_word)
        connect(m, parser.settings, settings)
        connect(m, lookup.fields, parser.fields)
        connect(m, lookup.write, self.table)
        connect(m, ingress_buffer.route, lookup.route)
        connect(m, ingress_buffer.match, self.match)
        self._delay(m, ingress_buffer.word, llr_receiver.o_word, "word", _WORD_TO_STORE)
        self._delay(m, ingress_buffer.verdict, llr_receiver.o_verdict, "verdict",
                    _VERDICT_TO_STORE)
        self._delay(m, ingress_buffer.fields, parser.fields, "fields", _VERDICT_TO_STORE)
        m.d.comb += [
            link_rx.enable.eq(settings.enable),
            llr_receiver.i_empty.eq(link_rx.empty),
            ingress_buffer.empty.eq(
                self._delayed(m, llr_receiver.o_empty, "empty", _WORD_TO_STORE)),
            ingress_buffer.ecn_threshold.eq(settings.ecn_threshold),
            ingress_buffer.hold.eq(self.hold),
            self.voq_ready.eq(ingress_buffer.voq_ready),
            self.done.eq(ingress_buffer.done),
            self.connect.eq(ingress_buffer.connect),
        ]
        connect(m, self.to_crossbar, ingress_buffer.out_word)
        self._link_events = (link_rx.stray << Counter.RX_STRAY_WORDS
                             | link_rx.ctl_os << Counter.RX_CTL_OS)
        return ingress_buffer

    def _egress(self, m: Module) -> Egress:
        egress = place(m, "egress", Egress(self._config))
        llr_transmitter = place(m, "llr_transmitter", LlrTransmitter(self._config))
        link_tx = place(m, "link_tx", LinkTx(self._config))
        connect(m, egress.i_word, self.from_crossbar)
        connect(m, llr_transmitter.i_word, egress.o_word)
        connect(m, link_tx.word, llr_transmitter.o_word)
        outputs = [name for name, member in self.tx.signature.members.items()
                   if member.flow is Out]
        connect(m, self.tx, link_tx.link, outputs)
        m.d.comb += [
            link_tx.link.ready.eq(self.tx.ready),
            link_tx.link.ctl_ready.eq(self.tx.ctl_ready),
            link_tx.enable.eq(self.settings.enable),
            self.tx_hold.eq(link_tx.hold),
        ]
        return egress

    def _delay(self, m: Module, target: wiring.PureInterface, source: wiring.PureInterface,
               name: str, cycles: int) -> None:
        for member in target.signature.members:
            value = Value.cast(getattr(source, member))
            m.d.comb += Value.cast(getattr(target, member)).eq(
                self._delayed(m, value, f"{name}_{member}", cycles))

    @staticmethod
    def _delayed(m: Module, value: Value, name: str, cycles: int) -> Value:
        for cycle in range(1, cycles + 1):
            later = Signal(len(value), name=f"{name}_after_{cycle}")
            m.d.sync += later.eq(value)
            value = later
        return value
