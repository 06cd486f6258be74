# SPDX-License-Identifier: Apache-2.0
"""Free cells of an ingress buffer."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.lib.collisions import NO_COLLISION


class FreeList(wiring.Component):
    """A ring of cell numbers from which the open frame's cells can be taken back.

    A cell that was handed out still stands in the ring until a freed one overwrites it, which
    cannot happen before its frame has been filed. So all cells of the open frame are taken back
    by setting the read index to where the frame began. In the first lap after reset entry n
    counts as n whatever the memory holds: there is nothing to initialise.

    The number of free cells is not kept here; its keeper allocates only if there is one.

    Members
    -------
    allocate
        The cell ``free_cell`` is taken in this cycle.
    first
        With ``allocate``: a frame begins with it.
    take_back
        The last frame that began gives back all of its cells (it has at least one). With
        ``allocate``, that comes after the taking back.
    free, freed_cell
        A cell that was handed out comes back; it can be allocated from the next cycle on.
    free_cell
        The cell that ``allocate`` takes.
    first_cell
        First cell of the last frame that began, from the cycle after its allocation.

    Cycle behaviour
    ---------------
    The ring is read at the next cycle's read index, so that the cell is there at once. A freed
    cell that lands on that index, and in the first lap the index itself, goes past the ring.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "allocate": In(1),
            "first": In(1),
            "take_back": In(1),
            "free": In(1),
            "freed_cell": In(config.cell_bits),
            "free_cell": Out(config.cell_bits),
            "first_cell": Out(config.cell_bits),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        # A word that is read while it is written goes past the ring.
        m.submodules.ring = ring = Memory(
            shape=config.cell_bits, depth=config.buffer_cells, init=[], attrs=NO_COLLISION)
        write, read = ring.write_port(), ring.read_port()

        read_index = Signal(config.cell_bits)
        first_lap = Signal(init=1)
        start_index = Signal.like(read_index)
        start_first_lap = Signal(init=1)
        write_index = Signal.like(read_index)

        index = Signal.like(read_index)
        in_first_lap = Signal()
        next_index = Signal.like(read_index)
        next_first_lap = Signal()
        # What the ring holds, or what it does not hold yet.
        beside = Signal.like(read_index)
        is_beside = Signal(init=1)
        fresh_cell = Signal.like(read_index)
        m.d.comb += [
            index.eq(Mux(self.take_back, start_index, read_index)),
            in_first_lap.eq(Mux(self.take_back, start_first_lap, first_lap)),
            next_index.eq(self._after(index, self.allocate)),
            next_first_lap.eq(in_first_lap & ~(
                self.allocate & (index == config.buffer_cells - 1))),
            fresh_cell.eq(Mux(is_beside, beside, read.data)),
            self.free_cell.eq(Mux(self.take_back, self.first_cell, fresh_cell)),
            read.addr.eq(next_index),
            write.addr.eq(write_index),
            write.data.eq(self.freed_cell),
            write.en.eq(self.free),
        ]
        m.d.sync += [
            read_index.eq(next_index),
            first_lap.eq(next_first_lap),
            beside.eq(Mux(next_first_lap, next_index, self.freed_cell)),
            is_beside.eq(next_first_lap | (self.free & (write_index == next_index))),
            write_index.eq(self._after(write_index, self.free)),
        ]
        # A frame that begins as the one before is taken back begins where that one did.
        with m.If(self.allocate & self.first & ~self.take_back):
            m.d.sync += [
                start_index.eq(read_index),
                start_first_lap.eq(first_lap),
                self.first_cell.eq(fresh_cell),
            ]
        return m

    def _after(self, index, steps):
        """``index``, one place further if ``steps`` is 1."""
        cells = self._config.buffer_cells
        following = (index + steps)[:len(index)]
        if cells & (cells - 1):
            return Mux(steps & (index == cells - 1), 0, following)
        return following
