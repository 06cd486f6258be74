# SPDX-License-Identifier: Apache-2.0
"""From the transmit pins of a port to XGMII."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import TxLink
from gavel_rtl.preamble import check_byte, encode
from gavel_rtl.xgmii import (
    ALL_CONTROL,
    DATA_BITS,
    ERROR_WORD,
    IDLE_WORD,
    LANES,
    TERMINATE_WORD,
    Character,
    Fault,
    KnownOfWord,
    Xgmii,
    require_width,
)

GAP_BYTES = 12
"""Mean gap between frames, Terminate included (IEEE 802.3, 46.2.1)."""

MAX_DEFICIT = 7
"""Bytes by which the gaps may be short of that together (IEEE 802.3, 81.3.1.4)."""

XGMII_BITS = DATA_BITS + LANES

_IDLE, _ERROR, _TERMINATE = (Cat(Const(data, DATA_BITS), Const(ALL_CONTROL, LANES))
                             for data in (IDLE_WORD, ERROR_WORD, TERMINATE_WORD))
_REMOTE_FAULT = Cat(*[Const(Character.SEQUENCE.value, 24), Const(Fault.REMOTE.value, 8)] * 2,
                    Const(0x11, LANES))


class XgmiiTx(wiring.Component):
    """Turns pin words into XGMII words (docs/xgmii.md, XgmiiTx).

    Parameters
    ----------
    config
        W = 64.
    ahead
        Whether the port is closed is known a cycle ahead.
    sliced
        With ``ahead``: behind `TxSlice`, which shows no set with a first word, and no ``sop``
        without ``valid``; unused lanes of a last word are 0.

    Members
    -------
    link
        Transmit pins of the port.
    known
        With ``sliced``: from `TxSlice`.
    fault
        State of the link, from `XgmiiRx`.
    protect
        Check bytes in preambles, as visible in the cycle.
    closed_next
        With ``ahead``: in the next cycle ``link.up`` is 0, or there is a fault. After reset
        neither is so.
    xgmii
        The word sent.
    aborted
        In the cycle before, a word of a frame was missing: the frame was cut off.
    discarded
        In the cycle before, the first word of a frame was thrown away: the port is closed.

    Cycle behaviour
    ---------------
    What is taken in c is on XGMII in c+1; a frame's Start goes out in the cycle before its first
    word is taken. A control ordered set goes before a frame, unless it would be the second in a
    row. ``ready`` and ``ctl_ready`` follow the pins in the same cycle. After reset: Idle.
    """

    def __init__(self, config: SwitchConfig, *, ahead: bool = False, sliced: bool = False):
        require_width(config)
        self._ahead = ahead
        self._sliced = sliced
        super().__init__({
            "link": In(TxLink(config)),
            **({"known": In(KnownOfWord())} if sliced else {}),
            "fault": In(Fault),
            "protect": In(1),
            **({"closed_next": In(1)} if ahead else {}),
            "xgmii": Out(Xgmii()),
            "aborted": Out(1),
            "discarded": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        self._link_state(m)
        self._order(m)
        self._step(m)
        self._closing(m)
        self._count(m)
        self._words(m)
        return m

    def _link_state(self, m):
        """What is known when the cycle begins; ``ready`` and ``ctl_ready`` are close behind it."""
        link = self.link
        # One-hot: between frames; in a frame; its last word is out, Terminate is not. The first
        # word of a frame is next.
        self._gap = Signal(name="in_gap", init=1)
        self._framed = Signal(name="in_frame")
        self._end = Signal(name="at_end")
        self._first = Signal(name="at_first")
        # Idle bytes still owed; at a Start, and until the frame's end, the deficit idle count.
        self._owed = Signal(range(GAP_BYTES + MAX_DEFICIT + 1), name="owed")
        # The gap is long enough.
        self._due = Signal(name="frame_due", init=1)
        self._open = Signal(name="gap_open", init=1)
        self._closed = Signal(name="gap_closed")
        # Whatever is on the pins is taken: it is thrown away, or the first word of a frame.
        self._takes = Signal(name="takes_any")
        # There is a word without ``err``.
        self._good = self.known.good if self._sliced else link.valid & ~link.err
        # There is a set to send, a frame to begin, if the gap is open: of the two only one.
        self._sets = Signal(name="set_goes")
        self._comes = Signal(name="frame_comes")
        m.d.comb += [
            link.ready.eq(self._takes | (~self._end & ~link.sop)),
            link.ctl_ready.eq(self._closed | (self._gap & self._sets)),
        ]
        m.d.sync += self.discarded.eq(self._closed & link.valid & link.sop)

    def _order(self, m):
        """Of many sets every second yields to a frame, but behind `TxSlice`, which knows."""
        link = self.link
        if self._sliced:
            m.d.comb += [self._comes.eq(link.sop & self._due), self._sets.eq(link.ctl_valid)]
            return
        # A set was sent, and that; a frame may begin after it, too.
        after_set, yields = Signal(name="after_set"), Signal(name="set_yields")
        first = link.valid & link.sop
        m.d.comb += [
            self._comes.eq(first & self._due & (~link.ctl_valid | after_set)),
            self._sets.eq(link.ctl_valid & ~(yields & first)),
        ]
        sent = self._open & self._sets
        m.d.sync += [after_set.eq(sent), yields.eq(sent & self._paid_due)]

    def _step(self, m):
        """From gap to frame and back."""
        link = self.link
        self._begins = Signal(name="frame_begins")
        self._ends = Signal(name="frame_ends")
        self._spoilt = Signal(name="word_spoilt")
        self._well = Signal(name="ends_well")
        missing = Signal()
        second = link.sop & ~self._first
        m.d.comb += [
            self._begins.eq(self._open & self._comes),
            missing.eq(~link.valid | second),
            self._spoilt.eq(second | ~self._good),
            self._ends.eq(self._framed & (missing | link.eop)),
            self._well.eq(link.eop & ~self._spoilt),
        ]
        fits = self._well & link.empty.any()
        self._gap_next = Signal(name="gap_next")
        m.d.comb += self._gap_next.eq(
            self._end | (self._gap & ~self._begins) | (self._ends & fits))
        m.d.sync += [
            self._gap.eq(self._gap_next),
            self._first.eq(self._begins),
            self._framed.eq(self._begins | (self._framed & ~self._ends)),
            self._end.eq(self._ends & ~fits),
            self.aborted.eq(self._framed & missing),
        ]

    def _closing(self, m):
        """The gap, open or closed."""
        if self._ahead and not self._sliced:
            # The switch waits for ``ready``, which is known early for this.
            m.d.sync += [
                self._open.eq(self._gap_next & ~self.closed_next),
                self._closed.eq(self._gap_next & self.closed_next),
                self._takes.eq(self._begins | (self._gap_next & self.closed_next)),
            ]
            return
        closed = Signal(name="port_closed")
        if self._ahead:
            # ``closed_next`` comes late, and ``ready`` does not go far.
            m.d.sync += closed.eq(self.closed_next)
        else:
            m.d.comb += closed.eq(~self.link.up | (self.fault != Fault.NONE))
        m.d.comb += [
            self._open.eq(self._gap & ~closed),
            self._closed.eq(self._gap & closed),
            self._takes.eq(self._closed | self._first),
        ]

    def _count(self, m):
        """Idle bytes still owed, and whether a frame may begin with what will be left of them."""
        owed, link = self._owed, self.link
        deficit = owed[:MAX_DEFICIT.bit_length()]
        whole, partial = (Signal.like(owed, name=f"owed_{end}") for end in ("whole", "partial"))
        m.d.comb += [
            # What is left of the last word is the first of the gap.
            whole.eq(deficit + GAP_BYTES),
            partial.eq(deficit + GAP_BYTES - link.empty),
        ]
        # Of less than 3 * LANES, LANES less, and not below 0; the deficit stays as it is.
        keeps = Signal(name="deficit_stays")
        m.d.comb += keeps.eq((owed >= LANES) | self._framed | self._begins)
        m.d.sync += [
            owed.eq(Mux(self._ends, Mux(self._well, partial, whole),
                        Cat(Mux(keeps, deficit, 0), owed[-1]))),
            self._due.eq(Mux(self._framed, ~self._ends | (self._well & (partial <= MAX_DEFICIT)),
                             self._paid_due)),
        ]

    @property
    def _paid_due(self):
        """A frame may begin when a word more has been paid."""
        return ~self._owed[-1]

    def _words(self, m):
        """The word sent: one of three kinds, each behind a gate of its own, or a constant one."""
        link = self.link
        check = self.known.check if self._sliced else check_byte(m, link.seq)
        kept = self._kept(m)
        good = self._framed & ~self._spoilt
        # A slice hears the switch, of which unused lanes are 0.
        gate = (good.replicate(DATA_BITS) if self._sliced
                else Cat((good & lane).replicate(8) for lane in kept))
        gates = [
            (self._begins.replicate(XGMII_BITS),
             _with_control(encode(link.llr, link.seq, check, self.protect))),
            ((self._open & self._sets).replicate(XGMII_BITS),
             _with_control(Cat(Const(Character.SIGNAL.value, 8), link.ctl))),
            (gate, link.data),
        ]
        keeps_closed = self.link.up & (self.fault == Fault.REMOTE)
        in_gap = Mux(self._closed, Mux(keeps_closed, _IDLE, _REMOTE_FAULT),
                     Mux(self._comes | self._sets, 0, _IDLE))
        fixed = Signal(XGMII_BITS, name="fixed")
        m.d.comb += fixed.eq(Mux(self._framed, Mux(self._spoilt, _ERROR, _behind(kept)),
                                 Mux(self._end, _TERMINATE, in_gap)))
        word = Signal(XGMII_BITS, name="word")
        m.d.comb += word.eq(reduce(or_, (gate & value for gate, value in gates), fixed))
        m.d.sync += Cat(self.xgmii.data, self.xgmii.ctl).eq(word)

    def _kept(self, m):
        """For each lane whether a word of a frame uses it."""
        if self._sliced:
            return self.known.kept
        link, kept = self.link, Signal(LANES, name="kept")
        m.d.comb += [kept[lane].eq(~link.eop | (link.empty < LANES - lane))
                     for lane in range(LANES)]
        return kept


def _behind(kept):
    """What is on the lanes that a last word does not use: Terminate, and Idles."""
    lanes = [Mux(kept[lane], 0, Mux(kept[lane - 1], Character.TERMINATE.value,
                                    Character.IDLE.value))[:8] for lane in range(1, LANES)]
    return Cat(Const(0, 8), *lanes, ~kept)


def _with_control(data):
    """A word with a control character in lane 0."""
    return Cat(data, Const(1, LANES))
