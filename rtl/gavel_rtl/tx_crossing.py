# SPDX-License-Identifier: Apache-2.0
"""Transmit pins from the clock of the switch to that of a port."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.pins import SEQ_BITS
from gavel_rtl.interfaces import TxLink
from gavel_rtl.lib.async_fifo import AsyncFifo
from gavel_rtl.lib.decode import is_one_of
from gavel_rtl.rx_crossing import CROSSING_BITS, CROSSING_WORDS

START_WORDS = 3
"""Words that have crossed before a frame is begun: one for the pointer that may come a cycle late,
one for the clock that is slower by some parts in a million."""

MORE_CYCLES = 2
"""Cycles after which a frame is begun that has fewer words, beyond those of its first word."""


class TxCrossing(wiring.Component):
    """An asynchronous FIFO for what is on transmit pins (docs/clocks.md, Transmit).

    Parameters
    ----------
    config
        W, and whether there are preambles and ordered sets.
    slices
        Cycles of ``tx`` in which a word is sent: above 1 `WordSplit` stands behind it.

    Members
    -------
    core
        Transmit pins of the switch, in domain ``sync``.
    port
        Transmit pins as the adapter sees them, in domain ``tx``.
    core_protect, port_protect
        A setting of the switch, and the same in domain ``tx``.

    Cycle behaviour
    ---------------
    Words and sets take a place each, in the order in which they are taken; sets between frames
    only. A frame is begun when it can be sent without a gap. Empty after reset of ``sync``, which
    ends a frame that is under way with ``err``.
    """

    def __init__(self, config: SwitchConfig, *, slices: int = 1):
        self._slices = slices
        self.clock_domains = ("sync", "tx")
        super().__init__({
            "core": In(TxLink(config)),
            "port": Out(TxLink(config)),
            "core_protect": In(1),
            "port_protect": Out(1),
        })
        self._has_sets = config.mac == "preamble"
        members = {"sop": 1, "eop": 1, "empty": config.empty_bits, "data": config.data_width}
        if self._has_sets:
            members |= {"is_set": 1, "llr": 1, "seq": SEQ_BITS}
        self._entry = data.StructLayout(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.fifo = self._fifo = AsyncFifo(
            width=self._entry.size, address_bits=CROSSING_BITS, r_domain="tx", w_domain="sync")
        self._write(m)
        self._read(m)
        # Up at first, as a port of the switch is: else the link would begin with a remote fault.
        m.submodules.up_cdc = FFSynchronizer(self.core.up, self.port.up, o_domain="tx", init=1)
        m.submodules.protect_cdc = FFSynchronizer(
            self.core_protect, self.port_protect, o_domain="tx")
        return m

    def _write(self, m: Module) -> None:
        core, fifo = self.core, self._fifo
        entry = Signal(self._entry, name="written")
        frame_open, after_set, takes_set = Signal(), Signal(), Signal()
        # Everything that sends waits for this: from a register, with places to spare for what is
        # written meanwhile. ``w_level`` is a register, too.
        room = Signal()
        m.d.sync += room.eq(fifo.w_level < CROSSING_WORDS - 2)
        m.d.comb += [
            entry.sop.eq(core.sop),
            entry.eop.eq(core.eop),
            entry.empty.eq(core.empty),
            entry.data.eq(core.data),
            fifo.w_data.eq(entry),
            fifo.w_en.eq(room & (core.valid | takes_set)),
            core.ready.eq(room & ~takes_set),
            core.ctl_ready.eq(room & takes_set),
        ]
        if self._has_sets:
            m.d.comb += [
                # Of many sets every second gives way to a frame.
                takes_set.eq(core.ctl_valid & ~frame_open & ~(after_set & core.valid)),
                entry.llr.eq(core.llr),
                entry.seq.eq(core.seq),
                entry.is_set.eq(takes_set),
            ]
            with m.If(takes_set):
                m.d.comb += entry.data.eq(core.ctl)
        with m.If(fifo.w_en):
            m.d.sync += after_set.eq(takes_set)
            with m.If(~takes_set):
                m.d.sync += frame_open.eq(~core.eop)

    def _read(self, m: Module) -> None:
        port, fifo = self.port, self._fifo
        entry = self._entry(fifo.r_data)
        is_set = entry.is_set if self._has_sets else 0
        is_open, cut = Signal(name="port_frame_open"), Signal(name="cut")
        may_begin, word = Signal(), Signal()
        longest = self._slices + MORE_CYCLES
        waited = Signal(range(longest + 1))
        # The word that is shown has crossed, too.
        enough = is_one_of(fifo.r_level, range(START_WORDS - 1, CROSSING_WORDS + 1))
        if self._slices == 1:
            m.d.comb += may_begin.eq(enough | (waited == longest))
            waits = ~may_begin
        else:
            # Words are before it that `WordSplit` has not sent: there is time to look from a
            # register, which keeps the count of words out of the path to what is read.
            m.d.tx += may_begin.eq((enough | (waited == longest)) & ~fifo.r_en)
            waits = waited != longest
        # `WordSplit` looks at nothing that is not valid: then it takes what is in the FIFO, or not.
        shown = word if self._slices == 1 else 1
        m.d.comb += [
            word.eq(fifo.r_rdy & ~is_set & ~cut & (~entry.sop | may_begin)),
            port.valid.eq(word | cut),
            port.sop.eq(shown & entry.sop),
            port.eop.eq((shown & entry.eop) | cut),
            port.err.eq(cut),
            port.empty.eq(Mux(shown, entry.empty, 0)),
            port.data.eq(Mux(shown, entry.data, 0)),
            port.ctl_valid.eq(fifo.r_rdy & is_set),
            fifo.r_en.eq((word & port.ready) | (port.ctl_valid & port.ctl_ready)),
        ]
        if self._has_sets:
            set_shown = port.ctl_valid if self._slices == 1 else 1
            m.d.comb += [
                port.llr.eq(shown & entry.sop & entry.llr),
                port.seq.eq(Mux(shown & entry.sop & entry.llr, entry.seq, 0)),
                port.ctl.eq(Mux(set_shown, entry.data[:len(port.ctl)], 0)),
            ]
        with m.If(word & port.ready):
            m.d.tx += [is_open.eq(~entry.eop & (is_open | entry.sop)), waited.eq(0)]
        with m.Elif(fifo.r_rst):
            m.d.tx += waited.eq(0)
        with m.Elif(fifo.r_rdy & entry.sop & waits):
            m.d.tx += waited.eq(waited + 1)
        # The other end of the FIFO was reset: what is left of a frame does not come any more.
        with m.If(fifo.r_rst & is_open):
            m.d.tx += [cut.eq(1), is_open.eq(0)]
        with m.Elif(port.ready):
            m.d.tx += cut.eq(0)
