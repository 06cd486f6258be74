# SPDX-License-Identifier: Apache-2.0
"""Receive pins from the clock of a port to that of the switch."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS, SEQ_BITS
from gavel_rtl.interfaces import RxLink
from gavel_rtl.lib.async_fifo import AsyncFifo

CROSSING_BITS = 4
CROSSING_WORDS = 1 << CROSSING_BITS
"""Words that a crossing holds: twice what is under way while both pointers cross."""

_VALID = ("valid", "ctl_valid")


class RxCrossing(wiring.Component):
    """An asynchronous FIFO for what is on receive pins (docs/clocks.md, Receive).

    Parameters
    ----------
    config
        W, and whether there are preambles and ordered sets.
    joined
        `WordJoin` stands before it: a set beside a word came before it.

    Members
    -------
    port
        Receive pins as the adapter drives them, in domain ``rx``.
    core
        Receive pins of the switch, in domain ``sync``.
    core_protect, port_protect
        A setting of the switch, and the same in domain ``rx``.
    overflow
        In the cycle before, a word or a set was lost; in domain ``rx``.

    Cycle behaviour
    ---------------
    What is on ``port`` in a cycle is on ``core`` three to four cycles of ``sync`` after its end,
    words and sets in their order, from registers: the ports are far from the FIFO; ``valid`` and
    ``ctl_valid`` are behind a look-up table. With ``joined``
    a set beside a word with ``eop`` is shown alone, and the word in the next cycle. Empty after
    reset of ``rx``.
    """

    def __init__(self, config: SwitchConfig, *, joined: bool = False):
        self._joined = joined
        self.clock_domains = ("sync", "rx")
        super().__init__({
            "port": In(RxLink(config)),
            "core": Out(RxLink(config)),
            "core_protect": In(1),
            "port_protect": Out(1),
            "overflow": Out(1),
        })
        members = {"valid": 1, "sop": 1, "eop": 1, "err": 1, "empty": config.empty_bits,
                   "data": config.data_width}
        if config.mac == "preamble":
            members |= {"llr": 1, "seq": SEQ_BITS, "ctl_valid": 1, "ctl": CTL_BITS}
        self._entry = data.StructLayout(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        port, core = self.port, self.core
        m.submodules.fifo = fifo = AsyncFifo(
            width=self._entry.size, address_bits=CROSSING_BITS, r_domain="sync", w_domain="rx")
        written, read = Signal(self._entry), self._entry(fifo.r_data)
        lost = Signal()
        m.d.comb += [
            *(getattr(written, name).eq(getattr(port, name))
              for name in self._entry.members if name != "err"),
            # Behind a lost word the rest of the frame is bad.
            written.err.eq(port.err | (lost & ~port.sop)),
            fifo.w_data.eq(written),
            fifo.w_en.eq(port.valid | port.ctl_valid),
        ]
        m.d.rx += self.overflow.eq(fifo.w_en & ~fifo.w_rdy)
        with m.If(port.valid):
            m.d.rx += lost.eq(~fifo.w_rdy)
        # A reset of the switch leaves it alone, as it does the FIFO: no frame loses its middle.
        m.d.comb += [getattr(core, name).eq(getattr(read, name)) for name in self._entry.members
                     if name not in _VALID]
        self._show(m, read, fifo)
        # What goes into a synchroniser comes from a register.
        up_before = Signal()
        m.d.rx += up_before.eq(port.up)
        m.submodules.up_cdc = FFSynchronizer(up_before, core.up)
        m.submodules.protect_cdc = FFSynchronizer(
            self.core_protect, self.port_protect, o_domain="rx")
        return m

    def _show(self, m: Module, read: data.View, fifo: AsyncFifo) -> None:
        """What of a place is on the pins: of a set and the end of a frame the set comes first, or
        whoever looks at frames when they end would take it for the younger."""
        core, sets = self.core, "ctl_valid" in self._entry.members
        set_shown, waits = Signal(reset_less=True), Signal(name="word_waits")
        if self._joined:
            m.d.comb += waits.eq(read.ctl_valid & read.valid & read.eop & ~set_shown)
            m.d.sync += set_shown.eq(fifo.r_rdy & waits)
        m.d.comb += [core.valid.eq(fifo.r_rdy & read.valid & ~waits), fifo.r_en.eq(~waits)]
        if sets:
            m.d.comb += core.ctl_valid.eq(fifo.r_rdy & read.ctl_valid & ~set_shown)
