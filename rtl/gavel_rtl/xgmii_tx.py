# SPDX-License-Identifier: Apache-2.0
"""From the transmit pins of a port to XGMII."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import TxLink
from gavel_rtl.preamble import PREAMBLE_BITS, encode
from gavel_rtl.xgmii import (
    ALL_CONTROL,
    DATA_BITS,
    ERROR_WORD,
    IDLE_WORD,
    LANES,
    TERMINATE_WORD,
    Character,
    Fault,
    Xgmii,
    require_width,
)

GAP_BYTES = 12
"""Mean gap between frames, Terminate included (IEEE 802.3, 46.2.1)."""

MAX_DEFICIT = 7
"""Bytes by which the gaps may be short of that together (IEEE 802.3, 81.3.1.4)."""

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

    Members
    -------
    link
        Transmit pins of the port.
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

    def __init__(self, config: SwitchConfig, *, ahead: bool = False):
        require_width(config)
        self._ahead = ahead
        super().__init__({
            "link": In(TxLink(config)),
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
        self._step(m)
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
        # The gap is long enough; a set was sent, and that.
        self._due = Signal(name="frame_due", init=1)
        self._after_set = Signal(name="after_set")
        self._yields = Signal(name="set_yields")
        self._open = Signal(name="gap_open", init=1)
        self._closed = Signal(name="gap_closed")
        # Whatever is on the pins is taken: it is thrown away, or the first word of a frame.
        self._takes = Signal(name="takes_any")
        self._sets = Signal(name="set_goes")
        self._comes = Signal(name="frame_comes")
        m.d.comb += [
            self._comes.eq(link.valid & link.sop & self._due),
            self._sets.eq(link.ctl_valid & ~(self._yields & link.valid & link.sop)),
            link.ready.eq(self._takes | (~self._end & ~link.sop)),
            link.ctl_ready.eq(self._closed | (self._gap & self._sets)),
        ]
        m.d.sync += self.discarded.eq(self._closed & link.valid & link.sop)

    def _step(self, m):
        """From gap to frame and back."""
        link = self.link
        self._begins = Signal(name="frame_begins")
        self._ends = Signal(name="frame_ends")
        self._spoilt = Signal(name="word_spoilt")
        self._well = Signal(name="ends_well")
        missing = Signal()
        m.d.comb += [
            # Of the two only one goes: a set that does not yield to a frame.
            self._begins.eq(self._open & self._comes & (~link.ctl_valid | self._after_set)),
            missing.eq(~link.valid | (link.sop & ~self._first)),
            self._spoilt.eq(missing | link.err),
            self._ends.eq(self._framed & (missing | link.eop)),
            self._well.eq(link.eop & ~self._spoilt),
        ]
        fits = self._well & link.empty.any()
        gap_next = Signal()
        m.d.comb += gap_next.eq(self._end | (self._gap & ~self._begins) | (self._ends & fits))
        if self._ahead:
            m.d.sync += [
                self._open.eq(gap_next & ~self.closed_next),
                self._closed.eq(gap_next & self.closed_next),
                self._takes.eq(self._begins | (gap_next & self.closed_next)),
            ]
        else:
            closed = ~link.up | (self.fault != Fault.NONE)
            m.d.comb += [
                self._open.eq(self._gap & ~closed),
                self._closed.eq(self._gap & closed),
                self._takes.eq(self._closed | self._first),
            ]
        m.d.sync += [
            self._gap.eq(gap_next),
            self._first.eq(self._begins),
            self._framed.eq(self._begins | (self._framed & ~self._ends)),
            self._end.eq(self._ends & ~fits),
            self._after_set.eq(self._open & self._sets),
            self.aborted.eq(self._framed & missing),
        ]

    def _count(self, m):
        """Idle bytes still owed, and whether a frame may begin with what will be left of them."""
        # At a Start, and until the frame's end: the deficit idle count.
        owed = Signal(range(GAP_BYTES + MAX_DEFICIT + 1), name="owed")
        deficit = owed[:MAX_DEFICIT.bit_length()]
        whole, partial = (Signal.like(owed, name=f"owed_{end}") for end in ("whole", "partial"))
        m.d.comb += [
            # What is left of the last word is the first of the gap.
            whole.eq(deficit + GAP_BYTES),
            partial.eq(deficit + GAP_BYTES - self.link.empty),
        ]
        # Of less than 3 * LANES, LANES less, and not below 0; the deficit stays as it is.
        keeps = Signal(name="deficit_stays")
        paid_due = ~owed[-1]
        m.d.comb += keeps.eq((owed >= LANES) | self._framed | self._begins)
        m.d.sync += [
            owed.eq(Mux(self._ends, Mux(self._well, partial, whole),
                        Cat(Mux(keeps, deficit, 0), owed[-1]))),
            self._due.eq(Mux(self._framed, ~self._ends | (self._well & (partial <= MAX_DEFICIT)),
                             paid_due)),
            self._yields.eq(self._open & self._sets & paid_due),
        ]

    def _words(self, m):
        """The word sent. What is known last chooses last: a word is missing or spoilt."""
        link = self.link
        preamble = Signal(PREAMBLE_BITS, name="preamble")
        keeps_closed = Signal(name="remote_closed")
        m.d.comb += [
            preamble.eq(encode(m, link.llr, link.seq, self.protect)),
            keeps_closed.eq(link.up & (self.fault == Fault.REMOTE)),
        ]
        ordered_set = Cat(Const(Character.SIGNAL.value, 8), link.ctl)
        quiet = Mux(self._end, _TERMINATE, Mux(keeps_closed, _IDLE, _REMOTE_FAULT))
        in_gap = Mux(self._sets, _with_control(ordered_set), _IDLE)
        in_frame = Mux(self._spoilt, _ERROR, self._word_of_frame(m))
        m.d.sync += Cat(self.xgmii.data, self.xgmii.ctl).eq(
            Mux(self._begins, _with_control(preamble),
                Mux(self._framed, in_frame, Mux(self._open, in_gap, quiet))))

    def _word_of_frame(self, m):
        """A good word; behind the last one Terminate, and Idles, if they fit in."""
        link = self.link
        lanes, control = [], []
        for lane in range(LANES):
            kept, terminates = Signal(name=f"keeps_{lane}"), Signal(name=f"terminates_{lane}")
            m.d.comb += [
                kept.eq(~link.eop | (link.empty < LANES - lane)),
                terminates.eq(link.empty == LANES - lane),
            ]
            lanes.append(Mux(kept, link.data.word_select(lane, 8),
                             Mux(terminates, Character.TERMINATE.value, Character.IDLE.value))[:8])
            control.append(~kept)
        return Cat(*lanes, *control)


def _with_control(data):
    """A word with a control character in lane 0."""
    return Cat(data, Const(1, LANES))
