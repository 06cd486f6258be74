# SPDX-License-Identifier: Apache-2.0
"""From the transmit pins of a port to AXI4-Stream."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_rtl.axi_stream import AxiStream
from gavel_rtl.interfaces import TxLink
from gavel_rtl.lib.crc import CRC_BITS, INITIAL, crc32_step, residue


class AxiStreamTx(wiring.Component):
    """Turns pin words into words of AXI4-Stream (docs/axi_stream.md, AxiStreamTx).

    Parameters
    ----------
    config
        W.
    strip
        The FCS is left away.

    Members
    -------
    link
        Transmit pins of the port.
    link_up
        Link status of the MAC.
    axis
        The words sent.
    discarded
        In the cycle before, the first word of a frame was thrown away: the port is closed.

    Cycle behaviour
    ---------------
    What is taken in c is shown in c+3; a frame's words wait for each other. ``ready`` follows
    ``tready`` and the pins in the same cycle. Nothing is held after reset.
    """

    def __init__(self, config: SwitchConfig, *, strip: bool):
        self._config = config
        self._strip = strip
        super().__init__({
            "link": In(TxLink(config)),
            "link_up": In(1),
            "axis": Out(AxiStream(config)),
            "discarded": Out(1),
        })
        self._word = data.StructLayout({
            "valid": 1, "eop": 1, "bad": 1, "empty": config.empty_bits,
            "data": config.data_width,
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._advance = Signal(name="advance")
        m.d.comb += self._advance.eq(~self.axis.tvalid | self.axis.tready)
        early = self._take(m)
        late = Signal(self._word, name="late")
        waits = Signal()
        m.d.comb += waits.eq(late.valid & ~late.eop & ~early.valid)
        with m.If(self._advance & ~waits):
            m.d.sync += late.eq(early)
        self._show(m, early, late, waits)
        return m

    def _take(self, m: Module) -> Signal:
        """The word taken in the cycle before, with the verdict on its frame if it is the last."""
        link = self.link
        config = self._config
        frame_open, closed, thrown, taken = Signal(), Signal(), Signal(), Signal()
        crc, crc_before, good_crc = (Signal(CRC_BITS, name=name)
                                     for name in ("crc", "crc_before", "good_crc"))
        error = Signal()
        held = Signal(self._word, name="held")
        early = Signal(self._word, name="early")
        m.d.comb += [
            closed.eq(~link.up | ~self.link_up),
            thrown.eq(link.valid & Mux(link.sop, closed, ~frame_open)),
            taken.eq(link.valid & ~thrown & self._advance),
            link.ready.eq(self._advance | thrown),
            link.ctl_ready.eq(1),
            crc_before.eq(Mux(link.sop, INITIAL, crc)),
            early.eq(held),
            early.bad.eq(error | (crc != good_crc)),
        ]
        m.d.sync += self.discarded.eq(thrown & link.sop)
        with m.Switch(held.empty):
            for empty in range(config.word_bytes):
                with m.Case(empty):
                    m.d.comb += good_crc.eq(residue(empty))
        with m.If(self._advance):
            m.d.sync += [
                held.valid.eq(taken),
                held.eop.eq(taken & link.eop),
                held.empty.eq(link.empty),
                held.data.eq(link.data),
            ]
        with m.If(taken):
            m.d.sync += [
                frame_open.eq(~link.eop),
                crc.eq(crc32_step(crc_before, link.data)),
                error.eq((error & ~link.sop) | link.err),
            ]
        return early

    def _show(self, m: Module, early: Signal, late: Signal, waits: Signal) -> None:
        """The output register gets ``late``; with `strip` it may be the last one before its time,
        or come to nothing."""
        axis, lanes = self.axis, self._config.word_bytes
        shown, ends, bad = Signal(), Signal(), Signal()
        empty = Signal(self._config.empty_bits)
        if self._strip:
            # Of the four bytes some stand in the word before.
            in_early, in_late = (
                word.valid & word.eop & (word.empty >= lanes - FCS_BYTES)
                for word in (early, late))
            cut = Mux(late.eop, late.empty, early.empty) + FCS_BYTES
            m.d.comb += [
                shown.eq(late.valid & ~waits & ~in_late),
                ends.eq(late.eop | in_early),
                bad.eq(Mux(late.eop, late.bad, early.bad)),
                empty.eq(Mux(ends, cut, 0)),
            ]
        else:
            m.d.comb += [
                shown.eq(late.valid & ~waits),
                ends.eq(late.eop),
                bad.eq(late.bad),
                empty.eq(Mux(ends, late.empty, 0)),
            ]
        keep = Signal(lanes)
        m.d.comb += keep.eq(Mux(shown, Const((1 << lanes) - 1, lanes) >> empty, 0))
        with m.If(self._advance):
            m.d.sync += [
                axis.tvalid.eq(shown),
                axis.tlast.eq(shown & ends),
                axis.tuser.eq(shown & ends & bad),
                axis.tkeep.eq(keep),
                axis.tdata.eq(Cat(Mux(keep[n], late.data.word_select(n, 8), 0)
                                  for n in range(lanes))),
            ]
