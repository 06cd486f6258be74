# SPDX-License-Identifier: Apache-2.0
"""Free cells of an ingress buffer."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig


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
    cell that lands on that index passes through.
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
        m.submodules.ring = ring = Memory(
            shape=config.cell_bits, depth=config.buffer_cells, init=[])
        write = ring.write_port()
        read = ring.read_port(transparent_for=(write,))

        read_index = Signal(config.cell_bits)
        first_lap = Signal(init=1)
        start_index = Signal.like(read_index)
        start_first_lap = Signal(init=1)
        write_index = Signal.like(read_index)

        index = Signal.like(read_index)
        in_first_lap = Signal()
        next_index = Signal.like(read_index)
        next_first_lap = Signal()
        m.d.comb += [
            index.eq(Mux(self.take_back, start_index, read_index)),
            in_first_lap.eq(Mux(self.take_back, start_first_lap, first_lap)),
            next_index.eq(index),
            next_first_lap.eq(in_first_lap),
            self.free_cell.eq(Mux(self.take_back, self.first_cell,
                             Mux(first_lap, read_index, read.data))),
            read.addr.eq(next_index),
            write.addr.eq(write_index),
            write.data.eq(self.freed_cell),
            write.en.eq(self.free),
        ]
        with m.If(self.allocate):
            m.d.comb += [
                next_index.eq(self._after(index)),
                next_first_lap.eq(in_first_lap & (index != config.buffer_cells - 1)),
            ]
            with m.If(self.first):
                m.d.sync += [
                    start_index.eq(index),
                    start_first_lap.eq(in_first_lap),
                    self.first_cell.eq(self.free_cell),
                ]
        m.d.sync += [read_index.eq(next_index), first_lap.eq(next_first_lap)]
        with m.If(self.free):
            m.d.sync += write_index.eq(self._after(write_index))
        return m

    def _after(self, index):
        cells = self._config.buffer_cells
        if cells & (cells - 1):
            return Mux(index == cells - 1, 0, index + 1)
        return index + 1
