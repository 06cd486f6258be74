# SPDX-License-Identifier: Apache-2.0
"""Every cell is free, in the open frame, or filed; and is handed out only if it is free."""

from __future__ import annotations

from amaranth.hdl import Const, Mux, Signal, Value

from gavel_rtl.free_list import FreeList
from gavel_tb.formal.design import Design, Part
from gavel_tb.formal.harness import Harness, implies

_FREE, _OPEN, _FILED = range(3)


def at_read_index(free_list: Part) -> Value:
    """What stands in the ring where it is read, even if it was written just then."""
    wrote, wrote_index, wrote_cell, read_index = (
        free_list.signal(name) for name in ("wrote", "wrote_index", "wrote_cell", "read_index"))
    return Mux(wrote & (wrote_index == read_index), wrote_cell, free_list.read_data("ring"))


def cell_to_take(free_list: Part) -> Value:
    """The cell that an allocation takes in this cycle."""
    return Mux(free_list.member("take_back"), free_list.member("first_cell"), Mux(
        free_list.signal("first_lap"), free_list.signal("read_index"), at_read_index(free_list)))


class FreeListHarness(Harness):
    """FreeList with a keeper that may do all that `FrameWriter` and `Transfer` can do.

    The cell x and the place p in the ring are symbolic constants. Where x stands in the ring is
    followed by place, never by value; the claims say that place and value agree.
    """

    def build(self) -> None:
        """Ghost state, the keeper's rules, the claims."""
        config, m = self.config, self.m
        cells, bits, count = config.buffer_cells, config.cell_bits, config.count_bits
        dut = FreeList(config)
        design = Design(dut, self.fault)
        m.submodules.dut = design.fragment
        read_index, write_index, start_index, lap, start_lap = (design.signal(name) for name in (
            "read_index", "write_index", "start_index", "first_lap", "start_first_lap"))
        x, p = self.constant(bits, "x"), self.constant(bits, "p")
        allocate, first, take_back, free, files = (self.anything(1, name) for name in (
            "allocate", "first", "take_back", "free", "files"))
        freed_cell = self.anything(bits, "freed_cell")
        m.d.comb += [dut.allocate.eq(allocate), dut.first.eq(first), dut.take_back.eq(take_back),
                     dut.free.eq(free), dut.freed_cell.eq(freed_cell)]

        # The cell that the ring's place gives, and that an allocation takes.
        from_place = self.let("from_place", bits, at_read_index(design))
        taken = self.let("taken", bits, cell_to_take(design))
        took, taken_before = Signal(), Signal(bits)
        m.d.sync += [took.eq(allocate), taken_before.eq(taken)]

        # Cells that are free, of the open frame, and filed.
        n_free, n_open, n_filed = Signal(count, init=cells), Signal(count), Signal(count)
        n_back = self.let("n_back", count, n_free + Mux(take_back, n_open, 0))
        m.d.sync += [
            n_free.eq(n_back - allocate + free),
            n_open.eq(Mux(take_back | files, 0, n_open) + allocate),
            n_filed.eq(n_filed + Mux(files, n_open, 0) - free),
        ]
        # Where x is, and its place in the ring.
        where, rewritten, rewritten_at = Signal(2), Signal(), Signal(bits)
        at = self.let("at", bits, Mux(rewritten, rewritten_at, x))
        now = self.let("now", 2, Mux(
            (where == _OPEN) & take_back, _FREE, Mux((where == _OPEN) & files, _FILED, where)))
        index = self.let("index", bits, Mux(take_back, start_index, read_index))
        takes_x = self.let("takes_x", 1, allocate & (now == _FREE) & (at == index))
        frees_x = self.let("frees_x", 1, free & (freed_cell == x))
        m.d.sync += where.eq(Mux(frees_x, _FREE, Mux(takes_x, _OPEN, now)))
        with m.If(frees_x):
            m.d.sync += [rewritten.eq(1), rewritten_at.eq(write_index)]

        self.suppose((x < cells) & (p < cells) & (freed_cell < cells))
        self.suppose(implies(allocate, n_back > 0))
        self.suppose(implies(take_back, n_open > 0))
        self.suppose(implies(files, (n_open > 0) & ~take_back & ~allocate))
        self.suppose(implies(first, (n_open == 0) | take_back))
        self.suppose(implies(allocate & ((n_open == 0) | take_back), first))
        self.suppose(implies(free, n_filed > 0))
        self.suppose(implies(frees_x, where == _FILED))

        self.claim("a cell that is handed out is free",
                   implies(allocate & (index == p) & (taken == x), takes_x))
        self.claim("a cell that the ring gives is the one that stands there",
                   implies(takes_x, taken == x))
        self.claim("it is told in the next cycle", implies(took, dut.cell == taken_before))
        self.claim("no cell is made or lost", n_free + n_open + n_filed == cells)

        # What makes these claims inductive.
        self.claim("indexes", (read_index < cells) & (write_index < cells) & (start_index < cells))
        self.claim("the place behind the start", (n_open == 0) | (
            design.signal("behind_start") == self._around("behind_start_index", start_index + 1)))
        self.claim("the ring ends where freed cells are written",
                   write_index == self._around("end", read_index + n_free))
        self.claim("the open frame stands before the read index", (n_open == 0) | (
            read_index == self._around("open_end", start_index + n_open)))
        self.claim("first lap", implies(lap, read_index + n_free == cells + write_index))
        self.claim("first lap of the open frame", (n_open == 0) | (
            lap == (start_lap & (start_index + n_open < cells))))
        self.claim("first lap at the start", (n_open == 0) | implies(
            start_lap, start_index + n_open + n_free == cells + write_index))
        start = self.let("start", bits, Mux(n_open > 0, start_index, read_index))
        own = self.let("own", 1, Mux(n_open > 0, start_lap, lap))
        live = self.let("live", count, n_free + n_open)

        def offset(name: str, place: Value) -> Signal:
            return self._around(f"offset_{name}", place + cells - start)

        def entry(place: Value) -> Value:
            return Mux(own & (place >= start), place, design.word("ring", place))

        p_offset, at_offset = offset("p", p), offset("at", at)
        p_entry = self.let("p_entry", bits, entry(p))
        self.claim("x stands at one place",
                   implies((p_offset < live) & (p_entry == x), (at == p) & (where != _FILED)))
        self.claim("the ring holds cells", implies(p_offset < live, p_entry < cells))
        self.claim("x stands where it was written", (where == _FILED) | (entry(at) == x))
        self.claim("a free cell stands behind the open frame", implies(
            where == _FREE, (at_offset >= n_open) & (at_offset < live)))
        self.claim("an open cell stands in the open frame",
                   implies(where == _OPEN, at_offset < n_open))
        self.claim("states", (where <= _FILED) & (at < cells))
        self.claim("the read register holds what stands at p", lap | implies(
            read_index == p, from_place == design.word("ring", p)))
        self.claim("the read register holds what stands at x", lap | implies(
            read_index == at, from_place == design.word("ring", at)))
        for name, place in (("p", p), ("x", at)):
            self.claim(f"the first cell stands at the start, {name}", implies(
                (n_open > 0) & (start_index == place),
                dut.first_cell == Mux(start_lap, place, design.word("ring", place))))

    def _around(self, name: str, place: Value) -> Signal:
        """``place`` modulo the cells, below twice of which it is."""
        cells = self.config.buffer_cells
        wide = self.let(f"{name}_wide", self.config.count_bits + 1, place)
        return self.let(name, self.config.cell_bits, Mux(
            wide >= Const(cells), wide - Const(cells), wide))
