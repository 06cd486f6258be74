# SPDX-License-Identifier: Apache-2.0
"""From AXI4-Stream to the receive pins of a port."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.axi_stream import AxiStream
from gavel_rtl.interfaces import RxLink
from gavel_rtl.lib.one_hot import select


class AxiStreamRx(wiring.Component):
    """Turns words of AXI4-Stream into pin words (docs/axi_stream.md, AxiStreamRx).

    Parameters
    ----------
    config
        W.

    Members
    -------
    axis
        The words received, cycle t.
    link_up
        Link status of the MAC.
    link
        Receive pins of the port.

    Cycle behaviour
    ---------------
    All outputs but ``tready``, which is 1, are registers: they show in t+1 what came in t. After
    reset the link is down and no frame is open.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "axis": In(AxiStream(config)),
            "link_up": In(1),
            "link": Out(RxLink(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        axis, link, lanes = self.axis, self.link, self._config.word_bytes
        frame_open = Signal()
        used, end = Signal(lanes), Signal(lanes)
        malformed = Signal()
        m.d.comb += [
            axis.tready.eq(1),
            # A word has one byte at least.
            used.eq(Cat(Const(1, 1), (axis.tkeep[:n + 1].all() for n in range(1, lanes)))),
            # The highest lane that is used.
            end.eq(used & ~Cat(used[1:], Const(0, 1))),
            malformed.eq((axis.tkeep != used) | (~axis.tlast & ~used[-1])),
        ]
        m.d.sync += [
            link.valid.eq(axis.tvalid),
            link.sop.eq(axis.tvalid & ~frame_open),
            link.eop.eq(axis.tvalid & axis.tlast),
            link.err.eq(axis.tvalid & (axis.tuser | malformed)),
            link.empty.eq(Mux(axis.tvalid, select([
                (end[n], Const(lanes - 1 - n, len(link.empty))) for n in range(lanes)
            ]), 0)),
            link.data.eq(Cat(Mux(used[n], axis.tdata.word_select(n, 8), 0)
                             for n in range(lanes))),
            link.up.eq(self.link_up),
        ]
        with m.If(axis.tvalid):
            m.d.sync += frame_open.eq(~axis.tlast)
        return m
