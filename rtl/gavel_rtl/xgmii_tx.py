# SPDX-License-Identifier: Apache-2.0
"""From the transmit pins of a port to XGMII."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
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

_REMOTE_FAULT = Cat(*[Const(Character.SEQUENCE.value, 24), Const(Fault.REMOTE.value, 8)] * 2)


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
        # Idle bytes still owed: at a Start, the deficit idle count.
        self._owed = Signal(range(GAP_BYTES + MAX_DEFICIT + 1), name="owed")
        self._paid = Signal.like(self._owed, name="paid")
        self._after_set = Signal(name="after_set")
        preamble = encode(m, link.llr, link.seq, self.protect)
        m.d.comb += self._paid.eq(Mux(self._owed < LANES, 0, self._owed - LANES))
        m.d.sync += [self.aborted.eq(0), self.discarded.eq(0), self._after_set.eq(0)]
        with m.FSM():
            with m.State("GAP"):
                with m.If(~link.up | (self.fault != Fault.NONE)):
                    self._closed(m)
                with m.Else():
                    self._gap(m, preamble)
            with m.State("FIRST"):
                m.d.comb += link.ready.eq(1)
                self._word(m, ~link.valid)
            with m.State("BODY"):
                m.d.comb += link.ready.eq(~link.sop)
                self._word(m, ~link.valid | link.sop)
            with m.State("END"):
                self._send(m, TERMINATE_WORD, ALL_CONTROL)
                m.d.sync += self._owed.eq(self._paid)
                m.next = "GAP"
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
            self._send(m, _REMOTE_FAULT, 0x11)

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
            m.next = "FIRST"
        with m.Else():
            self._send(m, IDLE_WORD, ALL_CONTROL)
            m.d.sync += self._owed.eq(self._paid)

    def _word(self, m, missing):
        """A word of a frame."""
        link = self.link
        short = link.eop & (link.empty != 0)
        with m.If(missing | link.err):
            self._send(m, ERROR_WORD, ALL_CONTROL)
            m.d.sync += self.aborted.eq(missing)
        with m.Elif(short):
            self._last_word(m)
        with m.Else():
            self._send(m, link.data, 0)

        with m.If(~missing & ~link.err & short):
            # What is left of the word, `empty` lanes, is the first of the gap.
            m.d.sync += self._owed.eq(self._owed + GAP_BYTES - link.empty)
            m.next = "GAP"
        with m.Elif(missing | link.eop):
            m.d.sync += self._owed.eq(self._owed + GAP_BYTES)
            m.next = "END"
        with m.Else():
            m.next = "BODY"

    def _last_word(self, m):
        """Data, Terminate in the first unused lane, Idles."""
        link = self.link
        with m.Switch(link.empty):
            for empty in range(1, LANES):
                used = LANES - empty
                with m.Case(empty):
                    tail = (IDLE_WORD << 8 | Character.TERMINATE.value) & (1 << 8 * empty) - 1
                    self._send(m, Cat(link.data[:8 * used], Const(tail, 8 * empty)),
                               ALL_CONTROL << used & ALL_CONTROL)
