# SPDX-License-Identifier: Apache-2.0
"""XGMII of one port: both directions, and the link fault between them."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import connect, place
from gavel_rtl.interfaces import LINK_MEMBERS, READY_MEMBERS, RxLink, TxLink
from gavel_rtl.tx_slice import TxSlice
from gavel_rtl.xgmii import DATA_BITS, LANES, Fault
from gavel_rtl.xgmii_rx import XgmiiRx
from gavel_rtl.xgmii_tx import XgmiiTx


class XgmiiPort(wiring.Component):
    """Wiring of `XgmiiRx`, `XgmiiTx`, and `TxSlice` if there is one.

    Parameters
    ----------
    config
        W = 64; ``transmit_stages``, which means nothing with ``crossing``.
    crossing
        The two sides have clocks of their own: domains ``rx`` and ``tx`` instead of ``sync``.

    Members
    -------
    rx, tx
        Pins of the port of the switch.
    rx_protect, tx_protect
        Check bytes in preambles, as visible in the cycle.
    tx_up_next
        Without ``crossing``: ``tx.up`` of the next cycle.
    tx_ready_next
        With `TxSlice`: ``tx.ready`` of the next cycle; after reset it is 1.
    xgmii_rxd, xgmii_rxc
        The word received, 64 data and 8 control bits.
    xgmii_txd, xgmii_txc
        The word sent.
    xgmii_fault
        Link fault: 0 none, 1 local, 2 remote.
    xgmii_aborted, xgmii_discarded
        Events of the transmit side, 1 in one cycle each.

    Cycle behaviour
    ---------------
    As docs/xgmii.md; with ``crossing`` the link fault is two to three cycles of ``tx`` late.
    """

    def __init__(self, config: SwitchConfig, *, crossing: bool = False):
        self._config = config
        self._crossing = crossing
        self.clock_domains = ("rx", "tx") if crossing else ("sync",)
        super().__init__({
            "rx": Out(RxLink(config)),
            "tx": In(TxLink(config)),
            "rx_protect": In(1),
            "tx_protect": In(1),
            **({} if crossing else {"tx_up_next": In(1)}),
            **({"tx_ready_next": Out(1)} if self.has_slice(config, crossing=crossing) else {}),
            **self.pins(config),
        })

    @staticmethod
    def has_slice(config: SwitchConfig, *, crossing: bool) -> bool:
        """Whether there is a `TxSlice`, which knows ``tx.ready`` a cycle ahead."""
        return bool(config.transmit_stages) and not crossing

    @staticmethod
    def pins(config: SwitchConfig) -> dict[str, wiring.Member]:
        """The members that are pins of the top level, which may be asked before there is one."""
        return {
            "xgmii_rxd": In(DATA_BITS),
            "xgmii_rxc": In(LANES),
            "xgmii_txd": Out(DATA_BITS),
            "xgmii_txc": Out(LANES),
            "xgmii_fault": Out(Fault),
            "xgmii_aborted": Out(1),
            "xgmii_discarded": Out(1),
        }

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rx, tx = ({"sync": "rx"}, {"sync": "tx"}) if self._crossing else (None, None)
        receive = place(m, "receive", XgmiiRx(self._config), rx)
        sliced = self.has_slice(self._config, crossing=self._crossing)
        transmit = place(m, "transmit", XgmiiTx(
            self._config, ahead=not self._crossing, sliced=sliced), tx)
        connect(m, self.rx, receive.link)
        link = self.tx
        if sliced:
            tx_slice = place(m, "tx_slice", TxSlice(self._config))
            self._join(m, tx_slice.pins, link)
            link = tx_slice.link
            connect(m, transmit.known, tx_slice.known)
            m.d.comb += self.tx_ready_next.eq(tx_slice.ready_next)
        self._join(m, transmit.link, link)
        m.d.comb += [
            receive.xgmii.data.eq(self.xgmii_rxd),
            receive.xgmii.ctl.eq(self.xgmii_rxc),
            receive.protect.eq(self.rx_protect),
            transmit.protect.eq(self.tx_protect),
            transmit.fault.eq(self._fault(m, receive.fault) if self._crossing else receive.fault),
            self.xgmii_txd.eq(transmit.xgmii.data),
            self.xgmii_txc.eq(transmit.xgmii.ctl),
            self.xgmii_fault.eq(receive.fault),
            self.xgmii_aborted.eq(transmit.aborted),
            self.xgmii_discarded.eq(transmit.discarded),
        ]
        if not self._crossing:
            m.d.comb += transmit.closed_next.eq(~self.tx_up_next | receive.faulty_next)
        return m

    @staticmethod
    def _join(m: Module, taker: wiring.PureInterface, giver: wiring.PureInterface) -> None:
        """Words and sets from one to the other, and what is taken of them back."""
        connect(m, taker, giver, LINK_MEMBERS)
        connect(m, giver, taker, READY_MEMBERS)

    @staticmethod
    def _fault(m: Module, fault: Value) -> Value:
        """The link fault in domain ``tx``. Of its two bits, any fault and remote fault, only one
        changes at a time but for the end of a remote fault, which may show a local one first."""
        before, after = Signal(2, name="fault_before"), Signal(2, name="fault_after")
        m.d.rx += before.eq(Cat(fault != Fault.NONE, fault == Fault.REMOTE))
        m.submodules.fault_cdc = FFSynchronizer(before, after, o_domain="tx")
        return Mux(after[0], Mux(after[1], Fault.REMOTE, Fault.LOCAL), Fault.NONE)
