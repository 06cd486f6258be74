# SPDX-License-Identifier: Apache-2.0
"""Words of the switch from those of XGMII."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.top_options import XGMII_BITS, xgmii_config
from gavel_rtl.interfaces import RxLink
from gavel_rtl.lib.one_hot import encode


class WordJoin(wiring.Component):
    """Collects N words of 64 bits to one of W = 64 N (docs/width.md, WordJoin).

    Parameters
    ----------
    config
        W: 128, 256 or 512.

    Members
    -------
    i_link
        Receive pins of 64 bits, as `XgmiiRx` shows them: without ``valid`` there are no ``sop``,
        ``eop`` and ``err``.
    o_link
        Receive pins of W bits.

    Cycle behaviour
    ---------------
    A word is on ``o_link`` in the cycle after its last slice, for that cycle; its data stand in the
    registers that have collected them. A set is there with the next word, or alone when another
    comes or after 3N - 1 cycles. All outputs are registers. After reset nothing is collected.
    """

    def __init__(self, config: SwitchConfig):
        self._slices = config.data_width // XGMII_BITS
        # What two places of a FIFO need that is read every N cycles, behind a frame whose last word
        # is not full, and a cycle for a clock that is slower by some parts in a million.
        self._patience = 3 * self._slices - 3
        super().__init__({"i_link": In(RxLink(xgmii_config(config))),
                          "o_link": Out(RxLink(config))})

    def elaborate(self, platform):
        m = Module()
        self._sets(m, self._words(m))
        m.d.sync += self.o_link.up.eq(self.i_link.up)
        return m

    def _words(self, m):
        """The slice that comes next, one-hot, has the write enable of its register. Returns whether
        a word is complete with it."""
        i_link, o_link = self.i_link, self.o_link
        at = Signal(self._slices, init=1)
        complete = Signal()
        later = ~at[0]
        m.d.comb += complete.eq(i_link.valid & (at[-1] | i_link.eop))
        for number in range(self._slices):
            with m.If(at[number]):
                m.d.sync += o_link.data.word_select(number, XGMII_BITS).eq(i_link.data)
        with m.If(complete):
            m.d.sync += at.eq(1)
        with m.Elif(i_link.valid):
            m.d.sync += at.eq(at.rotate_left(1))
        missing = ~encode(at, (self._slices - 1).bit_length())
        m.d.sync += [
            o_link.valid.eq(complete),
            o_link.eop.eq(i_link.eop),
            o_link.empty.eq(Cat(i_link.empty, missing)),
            o_link.sop.eq(i_link.sop | (later & o_link.sop)),
            # A frame cannot begin within a word; if it did, it would be none of those sent.
            o_link.err.eq(i_link.err | (later & (o_link.err | i_link.sop))),
        ]
        with m.If(i_link.sop):
            m.d.sync += [o_link.llr.eq(i_link.llr), o_link.seq.eq(i_link.seq)]
        return complete

    def _sets(self, m, complete):
        """A set waits until a word goes."""
        i_link, o_link = self.i_link, self.o_link
        held = Signal.like(o_link.ctl, name="set_held")
        waiting, due, goes = (Signal(name=f"set_{what}") for what in ("waits", "due", "goes"))
        left = Signal(range(self._patience + 1), name="cycles_left")
        m.d.comb += goes.eq(waiting & (complete | i_link.ctl_valid | due))
        m.d.sync += [o_link.ctl_valid.eq(goes), o_link.ctl.eq(held),
                     left.eq(left - 1), due.eq(left == 1)]
        with m.If(i_link.ctl_valid):
            m.d.sync += [held.eq(i_link.ctl), waiting.eq(1),
                         left.eq(self._patience), due.eq(self._patience == 0)]
        with m.Elif(goes):
            m.d.sync += waiting.eq(0)
