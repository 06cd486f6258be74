# SPDX-License-Identifier: Apache-2.0
"""From the transmit pins of a port to XGMII."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import TxLink
from gavel_rtl.preamble import encode
from gavel_rtl.xgmii import (
    ALL_CONTROL,
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

_COLUMN_STARTS = 0x11
_REMOTE_FAULT = Cat(*[Const(Character.SEQUENCE.value, 24), Const(Fault.REMOTE.value, 8)] * 2)


class _State(enum.Enum, shape=unsigned(2)):
    """Between frames; before, behind the first word; the last word is out, Terminate is not."""

    GAP = 0
    FIRST = 1
    BODY = 2
    END = 3


class XgmiiTx(wiring.Component):
    """Turns pin words into XGMII words (docs/xgmii.md, XgmiiTx).

    Parameters
    ----------
    config
        W = 64.

    Members
    -------
    link
        Transmit pins of the port.
    fault
        State of the link, from `XgmiiRx`.
    protect
        Check bytes in preambles, as visible in the cycle.
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

    def __init__(self, config: SwitchConfig):
        require_width(config)
        super().__init__({
            "link": In(TxLink(config)),
            "fault": In(Fault),
            "protect": In(1),
            "xgmii": Out(Xgmii()),
            "aborted": Out(1),
            "discarded": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        link = self.link
        self._state = Signal(_State, name="state")
        # Idle bytes still owed: at a Start, the deficit idle count.
        self._owed = Signal(range(GAP_BYTES + MAX_DEFICIT + 1), name="owed")
        self._paid = Signal.like(self._owed, name="paid")
        self._after_set = Signal(name="after_set")
        preamble = encode(m, link.llr, link.seq, self.protect)
        m.d.comb += self._paid.eq(Mux(self._owed < LANES, 0, self._owed - LANES))
        m.d.sync += [self.aborted.eq(0), self.discarded.eq(0), self._after_set.eq(0)]
        with m.If(self._state == _State.GAP):
            with m.If(~link.up | (self.fault != Fault.NONE)):
                self._closed(m)
            with m.Else():
                self._gap(m, preamble)
        with m.Elif(self._state == _State.END):
            self._send(m, TERMINATE_WORD, ALL_CONTROL)
            m.d.sync += [self._owed.eq(self._paid), self._state.eq(_State.GAP)]
        with m.Else():
            self._frame(m)
        return m

    def _send(self, m, data, ctl):
        m.d.sync += [self.xgmii.data.eq(data), self.xgmii.ctl.eq(ctl)]

    def _closed(self, m):
        """Throws away what comes."""
        link = self.link
        m.d.comb += [link.ready.eq(1), link.ctl_ready.eq(1)]
        m.d.sync += [self.discarded.eq(link.valid & link.sop), self._owed.eq(self._paid)]
        with m.If(link.up & (self.fault == Fault.REMOTE)):
            self._send(m, IDLE_WORD, ALL_CONTROL)
        with m.Else():
            self._send(m, _REMOTE_FAULT, _COLUMN_STARTS)

    def _gap(self, m, preamble):
        """A set, or a Start, or Idle."""
        link = self.link
        may_begin = Signal()
        m.d.comb += [
            may_begin.eq(link.valid & link.sop & (self._owed <= MAX_DEFICIT)),
            link.ready.eq(~link.sop),
            link.ctl_ready.eq(link.ctl_valid & ~(self._after_set & may_begin)),
        ]
        with m.If(link.ctl_ready):
            self._send(m, Cat(Const(Character.SIGNAL.value, 8), link.ctl), 1)
            m.d.sync += [self._after_set.eq(1), self._owed.eq(self._paid)]
        with m.Elif(may_begin):
            self._send(m, preamble, 1)
            m.d.sync += self._state.eq(_State.FIRST)
        with m.Else():
            self._send(m, IDLE_WORD, ALL_CONTROL)
            m.d.sync += self._owed.eq(self._paid)

    def _frame(self, m):
        """A word of a frame; behind the last one Terminate, and Idles, if they fit in."""
        link = self.link
        again = Signal()
        missing = Signal()
        spoilt = Signal()
        unused = Signal.like(link.empty)
        m.d.comb += [
            again.eq((self._state == _State.BODY) & link.sop),
            missing.eq(~link.valid | again),
            spoilt.eq(missing | link.err),
            unused.eq(Mux(link.eop & ~spoilt, link.empty, 0)),
            link.ready.eq(~again),
        ]
        lanes = []
        for lane in range(LANES):
            behind = Mux(unused == LANES - lane, Character.TERMINATE.value, Character.IDLE.value)
            lanes.append(Mux(unused < LANES - lane, link.data.word_select(lane, 8), behind)[:8])
        m.d.sync += self.aborted.eq(missing)
        with m.If(spoilt):
            self._send(m, ERROR_WORD, ALL_CONTROL)
        with m.Else():
            self._send(m, Cat(lanes), Cat(unused >= LANES - lane for lane in range(LANES)))

        with m.If(missing | link.eop):
            # What is left of the word is the first of the gap.
            m.d.sync += [
                self._owed.eq(self._owed + GAP_BYTES - unused),
                self._state.eq(Mux(unused == 0, _State.END, _State.GAP)),
            ]
        with m.Else():
            m.d.sync += self._state.eq(_State.BODY)
