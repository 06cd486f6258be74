# SPDX-License-Identifier: Apache-2.0
"""From XGMII to the receive pins of a port."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import place
from gavel_rtl.interfaces import RxLink
from gavel_rtl.lib.crc8 import CRC8_BITS
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
    faulty_next
        There is a fault in the next cycle.

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
            "faulty_next": Out(1),
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

        self._ends(m)

    def _ends(self, m):
        """What ends or spoils a frame, seen by the lanes of a word. Words are looked at as they
        come: all that lanes 4 to 7 and the whole word say is kept for the cycle after."""
        data, ctl = self.xgmii.data, self.xgmii.ctl
        ends, wrong = (Signal(LANES, name=name) for name in ("ends", "wrong"))
        m.d.comb += [
            ends.eq(ctl & ~lanes_with(Character.ERROR, data, ctl)),
            # Error, or an end that is not Terminate.
            wrong.eq(ctl & ~lanes_with(Character.TERMINATE, data, ctl)),
        ]
        kept = []
        for name, first in (("word", 0), ("half", COLUMN_LANES)):
            ended, spoilt = (Signal(name=f"{name}_{what}") for what in ("ended", "spoilt"))
            empty = Signal(len(self.link.empty), name=f"{name}_empty")
            m.d.sync += [
                ended.eq(ends[first:].any()),
                # A frame has one byte at least.
                spoilt.eq(_spoilt(ends[first:], wrong[first:]) | ends[first]),
                empty.eq(_empty(ends[first:])),
            ]
            kept.append((ended, spoilt, empty))
        self._ended, self._spoilt, self._empty = (
            Mux(self._shifted, half, word) for word, half in zip(*kept, strict=True))

        # The lane behind the frame's word ends it, or says nothing.
        at_once, low, ahead = ends[0], ends[:COLUMN_LANES], ends[COLUMN_LANES]
        self._late_end = Mux(self._shifted, low.any() | ahead, at_once)
        self._late_wrong = Mux(
            self._shifted,
            _spoilt(Cat(low, ahead), Cat(wrong[:COLUMN_LANES], ahead & wrong[COLUMN_LANES])),
            at_once & wrong[0])
        self._late_empty = Mux(self._shifted, _empty(low, COLUMN_LANES), 0)

    def _frame(self, m):
        """One word of the frame that is open."""
        link = self.link
        self._open = Signal(name="frame_open")
        self._first = Signal(name="frame_first")
        # For a Start in either half: it is a preamble, and an eligible one.
        self._low, self._high = (Signal(2, name=f"frame_{half}") for half in ("low", "high"))
        self._seq = Signal.like(link.seq, name="frame_seq")
        well, llr = Mux(self._shifted, self._high, self._low)
        goes_on = Signal()
        m.d.comb += goes_on.eq(self._open & ~self._ended)
        m.d.sync += [
            link.data.eq(self._aligned),
            link.valid.eq(self._open),
            link.sop.eq(self._first),
            link.llr.eq(self._first & llr),
            link.seq.eq(Mux(self._first & llr, self._seq, 0)),
            link.eop.eq((self._open & self._ended) | (goes_on & self._late_end)),
            link.err.eq((self._open & (self._spoilt | (self._first & ~well)))
                        | (goes_on & self._late_wrong)),
            link.empty.eq(Mux(self._open, self._empty, 0) | Mux(goes_on, self._late_empty, 0)),
            self._first.eq(0),
            self._open.eq(goes_on & ~self._late_end),
        ]

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
        with m.If(start | start_shifted):
            m.d.sync += [self._open.eq(1), self._first.eq(1), self._shifted.eq(start_shifted)]
        # Looked at only with ``_first``: ``_shifted`` tells then which half Start was in.
        for known, (plain, llr) in ((self._low, low), (self._high, high)):
            m.d.sync += known.eq(Cat(plain | llr, llr))
        m.d.sync += [
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
        is_set = Signal(name="before_is_set")
        link_fault = place(m, "link_fault", LinkFault())
        m.d.comb += [
            link_fault.data.eq(self.xgmii.data),
            link_fault.ctl.eq(self.xgmii.ctl),
            self.fault.eq(link_fault.fault),
            self.faulty_next.eq(link_fault.faulty_next),
            self.link.up.eq(link_fault.fault == Fault.NONE),
        ]
        m.d.sync += [
            is_set.eq((self.xgmii.ctl == 1) & (self.xgmii.data[:8] == Character.SIGNAL.value)),
            self.link.ctl_valid.eq(is_set),
            self.link.ctl.eq(Mux(is_set, self._data[8:], 0)),
        ]


def _spoilt(ends: Value, wrong: Value) -> Value:
    """Of the lanes up to the first that ends the frame, one is wrong."""
    found: Value = Const(0, 1)
    for end, bad in reversed(list(zip(ends, wrong, strict=True))):
        found = bad | (~end & found)
    return found


def _empty(ends: Value, before: int = 0) -> Value:
    """Unused lanes of the frame's word, which has ``before`` lanes before those that are given, and
    at least one that is used; 0 if none of them ends the frame."""
    count: Value = Const(0, 3)
    for number, end in reversed(list(enumerate(ends, before))):
        count = Mux(end, Const(LANES - max(number, 1), 3), count)
    return count
