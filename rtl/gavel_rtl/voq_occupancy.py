# SPDX-License-Identifier: Apache-2.0
"""Cells in each VOQ, for the ECN decision."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.lib.delay import delayed
from gavel_rtl.lib.sums import add_three
from gavel_rtl.voq import frame_cells, more_bits, voq_number_bits

NEVER = 0xFFFF
"""The threshold that never marks."""


class VoqOccupancy(wiring.Component):
    """Compares the cells in a VOQ with the ECN threshold when a frame is taken out.

    The cells filed are a cyclic total per VOQ, which begins anew with a frame filed in an empty
    VOQ. A frame takes the total before it with it through its VOQ, so what the VOQ holds when the
    frame leaves is the total of then less that.

    Members
    -------
    enqueue, enqueue_voq, enqueue_behind, enqueue_more
        A frame was filed in the cycle before (w+1), in a VOQ that was not empty in w, and the words
        that follow its first.
    enqueue_before
        The total of VOQ ``enqueue_voq`` without this frame.
    dequeue, dequeue_voq, dequeue_before
        A frame is taken out by a match of the cycle before (s+1), and its ``enqueue_before``.
    threshold
        Cells; 65535 never marks.
    mark
        From s+2 on, until the next frame is taken out: with the frame taken out, its VOQ held more
        cells than the threshold. With ``read_stages`` all of it a cycle later.

    Cycle behaviour
    ---------------
    ``mark`` counts frames filed up to cycle s, and compares with the threshold of s+1. A sum, from
    registers, stands before it.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "enqueue": In(1),
            "enqueue_voq": In(voq_number_bits(config)),
            "enqueue_behind": In(1),
            "enqueue_more": In(more_bits(config)),
            "enqueue_before": Out(config.count_bits),
            "dequeue": In(1),
            "dequeue_voq": In(voq_number_bits(config)),
            "dequeue_before": In(config.count_bits),
            "threshold": In(16),
            "mark": Out(1),
        })

    def elaborate(self, platform):
        config, bits = self._config, self._config.count_bits
        m = Module()
        m.submodules.filed = filed = Memory(shape=bits, depth=config.voqs, init=[])
        read, read_before = filed.read_port(domain="comb"), filed.read_port(domain="comb")
        write = filed.write_port()
        cells = Signal(config.frame_cells_bits)
        m.d.comb += [
            cells.eq(frame_cells(config, self.enqueue_more)),
            read_before.addr.eq(self.enqueue_voq),
            self.enqueue_before.eq(Mux(self.enqueue_behind, read_before.data, 0)),
            write.addr.eq(self.enqueue_voq),
            write.data.eq(self.enqueue_before + cells),
            write.en.eq(self.enqueue),
            read.addr.eq(self.dequeue_voq),
        ]

        # A frame that is filed in cycle s is not in memory yet.
        held, more_held, limit = (Signal(bits, name=name) for name in (
            "held", "more_held", "limit"))
        too_high = self.threshold[bits:].any() if bits < 16 else self.threshold == NEVER
        found = (
            read.data, self.dequeue_before,
            Mux(self.enqueue & (self.enqueue_voq == self.dequeue_voq), cells, 0),
            # No VOQ holds more than this number of ones.
            self.threshold[:bits] | too_high.replicate(bits))
        taken: Value = self.dequeue
        if config.read_stages:
            # What the memories show comes late, and is not subtracted in the same cycle.
            shown = [Signal(len(value), name=f"found_{n}") for n, value in enumerate(found)]
            with m.If(taken):
                m.d.sync += [register.eq(value)
                             for register, value in zip(shown, found, strict=True)]
            found, taken = tuple(shown), delayed(m, taken, "dequeue", 1)
        total, before, more, most = found
        with m.If(taken):
            m.d.sync += [held.eq(total - before), more_held.eq(more), limit.eq(most)]
        excess = Signal(bits + 1)
        m.d.comb += [
            # What it holds - limit - 1.
            excess.eq(add_three(Cat(held, 0), Cat(more_held, 0), ~Cat(limit, Const(0, 1)))),
            self.mark.eq(~excess[-1]),
        ]
        return m
