# SPDX-License-Identifier: Apache-2.0
"""Cells in each VOQ, for the ECN decision."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.voq import frame_cells, more_bits, voq_number_bits

NEVER = 0xFFFF
"""The threshold that never marks."""


class VoqOccupancy(wiring.Component):
    """Compares the cells in a VOQ with the ECN threshold when a frame is taken out.

    The cells filed and the cells taken out are two cyclic totals per VOQ, each written from one
    side only; occupancy is their difference. A total that was not written since reset is 0.

    Members
    -------
    enqueue, enqueue_voq, enqueue_more
        A frame was filed in the cycle before (w+1), and the words that follow its first.
    dequeue, dequeue_voq, dequeue_more
        A frame is taken out by a match of the cycle before (s+1).
    threshold
        Cells; 65535 never marks.
    mark
        VOQ ``dequeue_voq``, with the frame taken out, holds more cells than the threshold.

    Cycle behaviour
    ---------------
    ``mark`` is combinational, and counts frames filed up to cycle s.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "enqueue": In(1),
            "enqueue_voq": In(voq_number_bits(config)),
            "enqueue_more": In(more_bits(config)),
            "dequeue": In(1),
            "dequeue_voq": In(voq_number_bits(config)),
            "dequeue_more": In(more_bits(config)),
            "threshold": In(16),
            "mark": Out(1),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        m.submodules.filed = filed = Memory(shape=config.count_bits, depth=config.voqs, init=[])
        m.submodules.taken = taken = Memory(shape=config.count_bits, depth=config.voqs, init=[])

        _, filed_after, filed_written = self._total(
            m, "filed", filed, self.enqueue, self.enqueue_voq, self.enqueue_more)
        taken_before, _, _ = self._total(
            m, "taken", taken, self.dequeue, self.dequeue_voq, self.dequeue_more)

        read = filed.read_port(domain="comb")
        filed_here = Signal(config.count_bits)
        occupancy = Signal(config.count_bits)
        m.d.comb += [
            read.addr.eq(self.dequeue_voq),
            filed_here.eq(Mux(
                self.enqueue & (self.enqueue_voq == self.dequeue_voq), filed_after,
                Mux(filed_written.bit_select(self.dequeue_voq, 1), read.data, 0))),
            occupancy.eq(filed_here - taken_before),
            self.mark.eq((occupancy > self.threshold) & (self.threshold != NEVER)),
        ]
        return m

    def _total(self, m, name, memory, add, voq, more):
        """One total: its value before and after this cycle's addition, and who was written."""
        config = self._config
        before = Signal(config.count_bits, name=f"{name}_before")
        after = Signal(config.count_bits, name=f"{name}_after")
        written = Signal(config.voqs, name=f"{name}_written")
        read = memory.read_port(domain="comb")
        write = memory.write_port()
        m.d.comb += [
            read.addr.eq(voq),
            before.eq(Mux(written.bit_select(voq, 1), read.data, 0)),
            after.eq(before + frame_cells(config, more)),
            write.addr.eq(voq),
            write.data.eq(after),
            write.en.eq(add),
        ]
        m.d.sync += written.eq(written | (add << voq))
        return before, after, written
