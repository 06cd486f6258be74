# SPDX-License-Identifier: Apache-2.0
"""From XGMII to the receive pins of a port."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import place
from gavel_rtl.interfaces import RxLink
from gavel_rtl.lib.crc8 import CRC8_BITS
from gavel_rtl.lib.one_hot import select
from gavel_rtl.link_fault import LinkFault
from gavel_rtl.preamble import Head, decode, decode_head, sequence
from gavel_rtl.xgmii import (
    COLUMN_LANES,
    DATA_BITS,
    LANES,
    Character,
    Fault,
    Xgmii,
    lanes_with,
    require_width,
)

_HALF_BITS = DATA_BITS // 2


class XgmiiRx(wiring.Component):
    """Turns XGMII words into pin words (docs/xgmii.md, XgmiiRx).

    A word is held for a cycle, so that the frame of a Start in lane 4 can be joined from two
    words, and that of a Start in lane 0 is known to end with a word when Terminate comes behind
    it. Both then take the same time.

    Parameters
    ----------
    config
        W = 64.

    Members
    -------
    xgmii
        The word received, cycle t.
    protect
        Check bytes in preambles, as visible in the cycle.
    link
        Receive pins of the port.
    fault
        State of the link, with ``link.up``.

    Cycle behaviour
    ---------------
    All outputs are registers: they show in t+2 what the word of t says; the pin word that begins
    in lane 4 of t has its other half from t+1. A Start ends an open frame in the same cycle.
    After reset the link is up and no frame is open.
    """

    def __init__(self, config: SwitchConfig):
        require_width(config)
        super().__init__({
            "xgmii": In(Xgmii()),
            "protect": In(1),
            "link": Out(RxLink(config)),
            "fault": Out(Fault),
        })

    def elaborate(self, platform):
        m = Module()
        self._align(m)
        self._frame(m)
        self._preamble(m)
        self._ordered_sets(m)
        return m

    def _align(self, m):
        """The word before, the eight lanes that belong together, and what stands in them."""
        data, ctl = self.xgmii.data, self.xgmii.ctl
        self._data = Signal(DATA_BITS, name="before_data")
        self._ctl = Signal(LANES, name="before_ctl")
        self._start_low = Signal(name="before_start_low")
        self._start_high = Signal(name="before_start_high")
        self._shifted = Signal(name="shifted")
        starts = lanes_with(Character.START, data, ctl)
        m.d.sync += [
            self._data.eq(data),
            self._ctl.eq(ctl),
            self._start_low.eq(starts[0]),
            self._start_high.eq(starts[COLUMN_LANES]),
        ]
        self._joined_data = Cat(self._data[_HALF_BITS:], data[:_HALF_BITS])
        self._joined_ctl = Cat(self._ctl[COLUMN_LANES:], ctl[:COLUMN_LANES])
        self._aligned = Mux(self._shifted, self._joined_data, self._data)

        errors = lanes_with(Character.ERROR, data, ctl)
        marks = {
            "errors": errors,
            "ends": ctl & ~errors,
            "terminates": lanes_with(Character.TERMINATE, data, ctl),
        }
        for name, value in marks.items():
            now = Signal(LANES, name=name)
            before = Signal(LANES, name=f"before_{name}")
            aligned = Signal(LANES, name=f"aligned_{name}")
            ahead = Signal(name=f"ahead_{name}")
            m.d.comb += [
                now.eq(value),
                aligned.eq(Mux(self._shifted, Cat(before[COLUMN_LANES:], now[:COLUMN_LANES]),
                               before)),
                ahead.eq(Mux(self._shifted, now[COLUMN_LANES], now[0])),
            ]
            m.d.sync += before.eq(now)
            setattr(self, f"_{name}", aligned)
            setattr(self, f"_ahead_{name}", ahead)

    def _frame(self, m):
        """One word of the frame that is open."""
        link = self.link
        self._open = Signal(name="frame_open")
        self._first = Signal(name="frame_first")
        self._llr = Signal(name="frame_llr")
        self._seq = Signal.like(link.seq, name="frame_seq")
        self._bad = Signal(name="frame_bad")
        ended = Signal()
        eop = Signal()
        well = Signal()
        kept = Signal(LANES)
        end = Signal(LANES)
        m.d.comb += [
            kept.eq(Cat(~self._ends[:n + 1].any() for n in range(LANES))),
            # The lane after the last one that is kept.
            end.eq(Cat(Const(1, 1), kept[:-1]) & self._ends),
            ended.eq(self._ends.any()),
            eop.eq(ended | self._ahead_ends),
            well.eq(Mux(ended, (end & self._terminates).any(), self._ahead_terminates)),
        ]
        m.d.sync += [
            link.data.eq(self._aligned),
            link.valid.eq(self._open),
            link.sop.eq(self._first),
            link.llr.eq(self._first & self._llr),
            link.seq.eq(Mux(self._first & self._llr, self._seq, 0)),
            link.eop.eq(self._open & eop),
            link.err.eq(self._open & (
                (self._errors & kept).any() | (eop & ~well) | (self._first & self._bad) | end[0]
            )),
            # A word has one byte at least.
            link.empty.eq(Mux(self._open, select([
                (end[n], Const(LANES - max(n, 1), len(link.empty))) for n in range(LANES)
            ]), 0)),
            self._first.eq(0),
        ]
        with m.If(eop):
            m.d.sync += self._open.eq(0)

    def _preamble(self, m):
        """A Start and the seven lanes behind it; takes precedence over the end of a frame. The
        half with Start is looked at as it comes: the number and all that is summed is in it."""
        start, start_shifted = Signal(), Signal()
        m.d.comb += [
            # The lower column may be the second half of a preamble.
            start.eq(self._start_low & ~(self._first & self._shifted)),
            start_shifted.eq(self._start_high & ~start),
        ]
        low = self._decode(m, "low", self.xgmii.data[:_HALF_BITS], self._data[_HALF_BITS:],
                           self._ctl)
        high = self._decode(m, "high", self.xgmii.data[_HALF_BITS:], self.xgmii.data[:_HALF_BITS],
                            self._joined_ctl)
        plain, llr = (Mux(start, one, other) for one, other in zip(low, high, strict=True))
        with m.If(start | start_shifted):
            m.d.sync += [self._open.eq(1), self._first.eq(1), self._shifted.eq(start_shifted)]
        # Looked at only with ``_first``.
        m.d.sync += [
            self._bad.eq(~(plain | llr)),
            self._llr.eq(llr),
            self._seq.eq(Mux(start, sequence(self._data[:_HALF_BITS]),
                             sequence(self._data[_HALF_BITS:]))),
        ]

    def _decode(self, m, name, head_now, tail, ctl):
        """Whether a preamble is an ordinary, and whether it is an eligible one: its first half a
        cycle before it, its second half, its control bits."""
        now, before = decode_head(head_now), Head(*(
            Signal(width, name=f"{name}_{what}")
            for what, width in (("plain", 1), ("marked", 1), ("check", CRC8_BITS))))
        m.d.sync += [kept.eq(value) for kept, value in zip(before, now, strict=True)]
        column = Signal(_HALF_BITS, name=f"{name}_tail")
        m.d.comb += column.eq(tail)
        found = []
        for what, value in zip(("plain", "llr"), decode(before, column, self.protect),
                               strict=True):
            signal = Signal(name=f"{name}_is_{what}")
            m.d.comb += signal.eq(value & (ctl == 1))
            found.append(signal)
        return found

    def _ordered_sets(self, m):
        """What is told by a word alone."""
        is_set = (self._ctl == 1) & (self._data[:8] == Character.SIGNAL.value)
        link_fault = place(m, "link_fault", LinkFault())
        m.d.comb += [
            link_fault.data.eq(self.xgmii.data),
            link_fault.ctl.eq(self.xgmii.ctl),
            self.fault.eq(link_fault.fault),
            self.link.up.eq(link_fault.fault == Fault.NONE),
        ]
        m.d.sync += [
            self.link.ctl_valid.eq(is_set),
            self.link.ctl.eq(Mux(is_set, self._data[8:], 0)),
        ]
