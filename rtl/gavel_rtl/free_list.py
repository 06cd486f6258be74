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
        A frame begins; if with ``allocate``, with that cell. No frame that has cells is open, or
        they are taken back.
    take_back
        The last frame that began gives back all of its cells (it has at least one). With
        ``allocate``, that comes after the taking back.
    free, freed_cell
        A cell that was handed out comes back; it can be allocated from the next cycle on.
    cell, first_cell
        The cell that the last ``allocate`` took, and the first cell of the last frame that began,
        from the cycle after the allocation.

    Cycle behaviour
    ---------------
    The ring is read at the next cycle's read index, so that the cell is there at once. A freed
    cell that landed on that index as it was read, and in the first lap the index itself, goes past
    the ring. What a block RAM shows comes late: it goes straight to a register, and ``cell`` is
    selected behind it.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "allocate": In(1),
            "first": In(1),
            "take_back": In(1),
            "free": In(1),
            "freed_cell": In(config.cell_bits),
            "cell": Out(config.cell_bits),
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
        behind_start = Signal.like(read_index)
        start_first_lap = Signal(init=1)
        write_index = Signal.like(read_index)

        index = Signal.like(read_index)
        in_first_lap = Signal()
        next_index = Signal.like(read_index)
        next_first_lap = Signal()
        following = Signal.like(read_index)
        behind_read = Signal.like(read_index)
        # What was written as the ring was read.
        wrote = Signal()
        wrote_index = Signal.like(read_index)
        wrote_cell = Signal.like(read_index)
        # What the ring gives, or what it did not hold yet.
        from_ring = Signal.like(read_index, reset_less=True)
        not_from_ring = Signal.like(read_index)
        is_from_ring = Signal()
        begins = Signal()
        first_before = Signal.like(read_index)
        # A first cell that is taken back and allocated again right behind its allocation stays
        # where it shows: it is late.
        stays = Signal()
        m.d.comb += [
            stays.eq(self.take_back & begins),
            # ``allocate`` and ``take_back`` are late, so sums stand before what they choose.
            behind_read.eq(self._after(read_index)),
            index.eq(Mux(self.take_back, start_index, read_index)),
            in_first_lap.eq(Mux(self.take_back, start_first_lap, first_lap)),
            following.eq(Mux(self.take_back, behind_start, behind_read)),
            next_index.eq(Mux(self.allocate, following, index)),
            next_first_lap.eq(in_first_lap & ~(self.allocate & Mux(
                self.take_back, start_index == config.buffer_cells - 1,
                read_index == config.buffer_cells - 1))),
            self.cell.eq(Mux(is_from_ring, from_ring, not_from_ring)),
            self.first_cell.eq(Mux(begins, self.cell, first_before)),
            read.addr.eq(next_index),
            write.addr.eq(write_index),
            write.data.eq(self.freed_cell),
            write.en.eq(self.free),
        ]
        m.d.sync += [
            read_index.eq(next_index),
            first_lap.eq(next_first_lap),
            wrote.eq(self.free),
            wrote_index.eq(write_index),
            wrote_cell.eq(self.freed_cell),
            begins.eq(self.allocate & self.first),
            first_before.eq(self.first_cell),
        ]
        with m.If(self.free):
            m.d.sync += write_index.eq(self._after(write_index))
        with m.If(self.allocate & ~stays):
            m.d.sync += [
                from_ring.eq(read.data),
                not_from_ring.eq(Mux(self.take_back, first_before, Mux(
                    first_lap, read_index, wrote_cell))),
                is_from_ring.eq(~(self.take_back | first_lap
                                  | (wrote & (wrote_index == read_index)))),
            ]
        # A frame that begins as the one before is taken back begins where that one did.
        with m.If(self.first & ~self.take_back):
            m.d.sync += [
                start_index.eq(read_index),
                behind_start.eq(behind_read),
                start_first_lap.eq(first_lap),
            ]
        return m

    def _after(self, index):
        """The place behind ``index``."""
        cells = self._config.buffer_cells
        following = (index + 1)[:len(index)]
        if cells & (cells - 1):
            return Mux(index == cells - 1, 0, following)
        return following
