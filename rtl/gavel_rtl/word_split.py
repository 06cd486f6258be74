# SPDX-License-Identifier: Apache-2.0
"""Words of XGMII from those of the switch."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS, SEQ_BITS
from gavel_model.top_options import XGMII_BITS, xgmii_config
from gavel_rtl.interfaces import TxLink

_LANE_BITS = 3
"""Bits of ``empty`` that tell lanes of a slice; those above tell slices."""


class WordSplit(wiring.Component):
    """Hands out words of W = 64 N bits in N slices, and sets (docs/width.md, WordSplit).

    An item that comes while another is on the pins is held, so that ``i_link.ready`` is the output
    of a register and the longest paths of both sides end here.

    Parameters
    ----------
    config
        W: 128, 256 or 512.

    Members
    -------
    i_link
        Transmit pins of W bits.
    o_link
        Transmit pins of 64 bits.

    Cycle behaviour
    ---------------
    All outputs are registers, but for ``up``, and ``i_link.ready``, which is 0 while there is a
    set. An item is on ``o_link`` in the cycle after it was taken, or behind those before it. After
    reset there is none.
    """

    def __init__(self, config: SwitchConfig):
        self._slices = config.data_width // XGMII_BITS
        self._item = data.StructLayout({
            "is_set": 1, "sop": 1, "eop": 1, "err": 1, "llr": 1, "seq": SEQ_BITS,
            "empty": config.empty_bits, "data": config.data_width})
        super().__init__({"i_link": In(TxLink(config)),
                          "o_link": Out(TxLink(xgmii_config(config)))})

    def elaborate(self, platform):
        m = Module()
        i_link, o_link = self.i_link, self.o_link
        new, held, item = (Signal(self._item, name=name) for name in ("new", "held", "item"))
        is_held = Signal(name="held_valid")
        taken, free, begins = Signal(), Signal(), Signal()
        # One bit for each slice behind the one on the pins, from the low end.
        left = Signal(self._slices - 1)
        m.d.comb += [
            i_link.ctl_ready.eq(~is_held),
            i_link.ready.eq(~is_held & ~i_link.ctl_valid),
            o_link.up.eq(i_link.up),
            new.is_set.eq(i_link.ctl_valid),
            # Nothing chooses the rest; where both stand in the same bits, nothing chooses at all.
            new.data.eq(Cat(Mux(i_link.ctl_valid, i_link.ctl, i_link.data[:CTL_BITS]),
                            i_link.data[CTL_BITS:])),
            *(getattr(new, name).eq(getattr(i_link, name))
              for name in ("sop", "eop", "err", "llr", "seq", "empty")),
            taken.eq(~is_held & (i_link.valid | i_link.ctl_valid)),
            item.eq(Mux(is_held, held, new)),
            free.eq((~o_link.valid | o_link.ready) & (~o_link.ctl_valid | o_link.ctl_ready)),
            begins.eq(free & ~left[0]),
        ]
        with m.If(~is_held):
            m.d.sync += held.eq(new)
        m.d.sync += is_held.eq(Mux(begins, 0, is_held | taken))
        self._show(m, item, is_held | taken, free, begins, left)
        return m

    def _show(self, m, item, present, free, begins, left):
        """The slice, or the set, on the pins; the others of the word behind it."""
        o_link = self.o_link
        ends = Signal(name="word_eop")
        behind = Signal(XGMII_BITS * (self._slices - 1), name="slices_behind")
        more = Signal.like(left, name="more_slices")
        m.d.comb += [
            more.eq(self._behind(item)),
            o_link.ctl.eq(o_link.data[:len(o_link.ctl)]),
        ]
        with m.If(free):
            m.d.sync += [
                o_link.data.eq(Mux(begins, item.data[:XGMII_BITS], behind[:XGMII_BITS])),
                behind.eq(Mux(begins, item.data[XGMII_BITS:], behind >> XGMII_BITS)),
                left.eq(Mux(begins, more & present.replicate(len(left)), left >> 1)),
                o_link.valid.eq(~begins | (present & ~item.is_set)),
                o_link.ctl_valid.eq(begins & present & item.is_set),
                o_link.sop.eq(begins & present & ~item.is_set & item.sop),
                o_link.eop.eq(Mux(begins, present & ~item.is_set & item.eop & ~more[0],
                                  ends & ~(left >> 1)[0])),
                o_link.err.eq(Mux(begins, present & ~item.is_set & item.err, o_link.err)),
            ]
        with m.If(begins):
            m.d.sync += [
                ends.eq(item.eop),
                o_link.empty.eq(item.empty[:_LANE_BITS]),
                o_link.llr.eq(item.llr),
                o_link.seq.eq(item.seq),
            ]

    def _behind(self, item):
        """Slices behind the first of an item, one bit each."""
        whole = item.empty[_LANE_BITS:]
        more = [~item.eop | (whole < Const(self._slices - number, len(whole) + 1))
                for number in range(1, self._slices)]
        return Cat(*(bit & ~item.is_set & ~item.err for bit in more))
