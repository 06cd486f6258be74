# SPDX-License-Identifier: Apache-2.0
"""AXI4-Stream of one port: both directions."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.axi_stream import AxiStream
from gavel_rtl.axi_stream_rx import AxiStreamRx
from gavel_rtl.axi_stream_tx import AxiStreamTx
from gavel_rtl.block import connect, place
from gavel_rtl.fcs_append import FcsAppend
from gavel_rtl.interfaces import LINK_MEMBERS, RxLink, TxLink

_RECEIVE, _TRANSMIT = "s_axis_", "m_axis_"


class AxiStreamPort(wiring.Component):
    """Wiring of `AxiStreamRx`, `FcsAppend` and `AxiStreamTx`.

    Parameters
    ----------
    config
        W.
    strip
        The MAC removes the FCS on receive and adds one on transmit.
    crossing
        The two sides have clocks of their own: domains ``rx`` and ``tx`` instead of ``sync``.
        ``link_up`` is of domain ``rx``.

    Members
    -------
    rx, tx
        Pins of the port of the switch.
    s_axis_*
        The words received.
    m_axis_*
        The words sent.
    link_up
        Link status of the MAC.
    axis_overflow, axis_discarded
        Events, 1 in one cycle each: a received word was lost; a frame was thrown away because the
        port is closed.

    Cycle behaviour
    ---------------
    As docs/axi_stream.md.
    """

    def __init__(self, config: SwitchConfig, *, strip: bool, crossing: bool = False):
        self._config = config
        self._crossing = crossing
        self.clock_domains = ("rx", "tx") if crossing else ("sync",)
        self._strip = strip
        super().__init__({
            "rx": Out(RxLink(config)),
            "tx": In(TxLink(config)),
            **self.pins(config),
        })

    @staticmethod
    def pins(config: SwitchConfig) -> dict[str, wiring.Member]:
        """The members that are pins of the top level, which may be asked before there is one."""
        members = AxiStream(config).members.items()
        return {
            **{_RECEIVE + name: wiring.Member(member.flow.flip(), member.shape)
               for name, member in members},
            **{_TRANSMIT + name: wiring.Member(member.flow, member.shape)
               for name, member in members},
            "link_up": In(1),
            "axis_overflow": Out(1),
            "axis_discarded": Out(1),
        }

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        rx, tx = ({"sync": "rx"}, {"sync": "tx"}) if self._crossing else (None, None)
        receive = place(m, "receive", AxiStreamRx(config), rx)
        transmit = place(m, "transmit", AxiStreamTx(config, strip=self._strip), tx)
        if self._strip:
            append = place(m, "fcs_append", FcsAppend(config), rx)
            connect(m, append.i_link, receive.link)
            connect(m, self.rx, append.o_link)
            m.d.comb += self.axis_overflow.eq(append.overflow)
        else:
            connect(m, self.rx, receive.link)
        connect(m, transmit.link, self.tx, LINK_MEMBERS)
        m.d.comb += [
            self.tx.ready.eq(transmit.link.ready),
            self.tx.ctl_ready.eq(transmit.link.ctl_ready),
            receive.link_up.eq(self.link_up),
            self.axis_discarded.eq(transmit.discarded),
        ]
        if self._crossing:
            # Of the register that the receive side has of it.
            m.submodules.link_up_cdc = FFSynchronizer(
                receive.link.up, transmit.link_up, o_domain="tx")
        else:
            m.d.comb += transmit.link_up.eq(self.link_up)
        for name, member in AxiStream(config).members.items():
            received, sent = getattr(self, _RECEIVE + name), getattr(self, _TRANSMIT + name)
            if member.flow is Out:
                m.d.comb += [getattr(receive.axis, name).eq(received),
                             sent.eq(getattr(transmit.axis, name))]
            else:
                m.d.comb += [received.eq(getattr(receive.axis, name)),
                             getattr(transmit.axis, name).eq(sent)]
        return m
