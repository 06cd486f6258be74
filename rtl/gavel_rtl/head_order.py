# SPDX-License-Identifier: Apache-2.0
"""Which frame of an input came first, for one queue per input."""

from amaranth.hdl import Assert, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.lib.ring import following, index, pointer_bits
from gavel_rtl.voq import voq_number_bits


class HeadOrder(wiring.Component):
    """VOQ numbers of the frames of one input in the order in which they were filed (spec chapter 7,
    Head).

    A ring with a place for each cell of the buffer: a frame has at least one.

    Members
    -------
    filed, filed_voq
        A frame is filed in this cycle, and its VOQ.
    taken
        A match takes the head in this cycle.
    head
        P*V bits, one-hot: VOQ of the frame that was filed first; 0 if there is none.

    Cycle behaviour
    ---------------
    Both events of a cycle show in the next one. The ring is read at the next cycle's read pointer,
    so a new head can come in every cycle; a frame filed at that pointer passes through. After reset
    there is no frame. Asserted: a frame is taken only if there is one.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "filed": In(1),
            "filed_voq": In(voq_number_bits(config)),
            "taken": In(1),
            "head": Out(config.voqs),
        })

    def elaborate(self, platform):
        config = self._config
        depth = config.buffer_cells
        m = Module()
        m.submodules.ring = ring = Memory(shape=voq_number_bits(config), depth=depth, init=[])
        write = ring.write_port()
        read = ring.read_port(transparent_for=(write,))
        read_pointer = Signal(pointer_bits(depth))
        write_pointer = Signal.like(read_pointer)
        next_pointer = Signal.like(read_pointer)
        waiting = Signal()
        # Without a frame nothing depends on the memory, which may not have been written yet.
        m.d.comb += [
            waiting.eq(read_pointer != write_pointer),
            next_pointer.eq(Mux(self.taken, following(read_pointer, depth), read_pointer)),
            write.addr.eq(index(write_pointer)),
            write.data.eq(self.filed_voq),
            write.en.eq(self.filed),
            read.addr.eq(index(next_pointer)),
            self.head.eq(Mux(waiting, 1 << read.data, 0)),
        ]
        m.d.sync += [
            read_pointer.eq(next_pointer),
            Assert(~self.taken | waiting, "a frame is taken while none waits"),
        ]
        with m.If(self.filed):
            m.d.sync += write_pointer.eq(following(write_pointer, depth))
        return m
